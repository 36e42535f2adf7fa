"""What a comparison asks: the strategies, each found and checked without running it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from openhands_strategies.errors import UsageError
from openhands_strategies.manifest.files import printable
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.params import validate
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import Home
from openhands_strategies.project.trust import check_trust
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.registry.host import Host, Warn
from openhands_strategies.sources.distribution import distribution_files
from openhands_strategies.sources.source import Located
from openhands_strategies.sources.tree import hash_tree, tree_files

# `name=REF`; a git reference has `:` or `/` before its first `=`.
_NAMED: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,59})=(.+)", re.DOTALL)


@dataclass(frozen=True)
class Contender:
    """One strategy of a comparison.

    Attributes:
        name: What it is called in this comparison; no other one is called so.
        reference: As the user typed it.
        params: Values as texts.
        source: Where it comes from, as in `ohs list --json`.
        tree: Hash of its code, `sha256:<hex>`.
    """

    name: str
    reference: str
    params: Mapping[str, str] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)
    tree: str = ""


@dataclass(frozen=True)
class Question:
    """All that decides how the runs come out; a resumed comparison asks the same.

    Attributes:
        task: What every run gets.
        workspace: Absolute directory that is copied.
        base: Absolute directory that references start from.
        contenders: At least one.
        repeat: Runs of each strategy.
        check: Shell command that tells success by its exit code.
        check_timeout: Seconds that it may take.
        model: Name of the main model; None when a profile brings it.
        base_url: Its server, without user part and query.
        profile: Saved LLM profile.
        prices: Texts of `--price`.
        max_budget: Dollars that one run may spend.
    """

    task: str
    workspace: str
    base: str
    contenders: tuple[Contender, ...]
    repeat: int
    check: str | None
    check_timeout: float
    model: str | None
    base_url: str | None
    profile: str | None
    prices: tuple[str, ...]
    max_budget: float | None

    def to_json(self) -> dict[str, Any]:
        """As it stands in `compare.json`."""
        return {
            **self.__dict__,
            "contenders": [dict(one.__dict__) for one in self.contenders],
            "prices": list(self.prices),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Question:
        """Read what `to_json` made.

        Raises:
            TypeError: A field is missing or unknown.
            KeyError: There are no contenders or prices.
        """
        contenders = tuple(Contender(**one) for one in data["contenders"])
        return cls(**{**data, "contenders": contenders, "prices": tuple(data["prices"])})


def named_references(texts: Iterable[str]) -> list[tuple[str | None, str]]:
    """Split `--strategies a,b,name=REF` into pairs of a name, if one is given, and a reference.

    Raises:
        UsageError: `strategies_empty`.
    """
    found: list[tuple[str | None, str]] = []
    for text in texts:
        for part in (piece.strip() for piece in text.split(",")):
            if not part:
                raise UsageError(
                    "strategies_empty",
                    f"--strategies {text!r} names an empty strategy",
                    "write --strategies single,fusion or --strategies name=REF",
                )
            named = _NAMED.fullmatch(part)
            found.append((named[1], named[2]) if named else (None, part))
    return found


def find_contenders(
    references: Sequence[tuple[str | None, str]],
    params: Mapping[str, str],
    *,
    base: Path,
    home: Home,
    host: Host,
    warn: Warn,
    fetching: Fetching,
) -> tuple[Contender, ...]:
    """Resolve every strategy, check trust and parameters; none of them runs.

    Args:
        references: Pairs of `named_references`.
        params: `strategy.parameter` to a text.
        base: Directory that relative references start from.
        home: Where consents are kept.
        host: Hook plugins.
        warn: Takes what failed beside the point.
        fetching: Whether and how to fetch.

    Raises:
        UsageError: `strategy_twice`, `param_strategy` or a parameter that does not fit.
        StrategyError: What `ohs run` says of a strategy that cannot be found or trusted.
    """
    found = []
    for name, reference in references:
        located = resolve(reference, base=base, host=host, warn=warn, fetching=fetching)
        manifest = read_manifest(located.root, located.module, located.attribute, located.name)
        tree = _tree(located)
        check_trust(located, tree, manifest, home=home)
        called = printable(name or located.name or manifest.name or reference, 60)
        contender = Contender(called, reference, {}, located.source.to_json(), tree)
        found.append((contender, manifest.params))
    _check_names([contender for contender, _ in found])
    shared = _by_strategy(params, [contender.name for contender, _ in found])
    checked = []
    for contender, declared in found:
        given = shared.get(contender.name, {})
        if declared is not None:
            names = {one.name for one in declared}
            # Parameters of a composition's parts are known when it is built.
            own = {key: text for key, text in given.items() if key in names or "." not in key}
            validate(declared, own, owner=contender.name, texts=True)
        checked.append(
            Contender(contender.name, contender.reference, given, contender.source, contender.tree)
        )
    return tuple(checked)


def _tree(located: Located) -> str:
    """The hash that `ohs run` will load this strategy under."""
    if located.import_name is not None and located.tree is None:
        return hash_tree(located.root, distribution_files(located))
    return hash_tree(located.root, tree_files(located.root, located.only))


def _check_names(contenders: Sequence[Contender]) -> None:
    first: dict[str, Contender] = {}
    for one in contenders:
        other = first.setdefault(one.name, one)
        if other is not one:
            raise UsageError(
                "strategy_twice",
                f"two strategies are called {one.name!r}: {other.reference} and {one.reference}",
                f"give one of them another name: --strategies other={one.reference}",
            )


def _by_strategy(params: Mapping[str, str], names: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for key, value in params.items():
        # A name may hold dots itself; the longest one that fits is meant.
        fitting = [
            name for name in names if key.startswith(f"{name}.") and len(key) > len(name) + 1
        ]
        if not fitting:
            raise UsageError(
                "param_strategy",
                f"--param {key} names no strategy of this comparison",
                f"write --param STRATEGY.name=value; the strategies: {', '.join(names)}",
            )
        owner = max(fitting, key=len)
        found.setdefault(owner, {})[key.removeprefix(f"{owner}.")] = value
    return found
