"""The strategy that the user means here, among those that the server offers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from openhands_strategies.cli.entry import read_entry
from openhands_strategies.cli.remote.answers import Layer, Offer
from openhands_strategies.errors import LoadError, ResolveError, StrategyError, describe
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.registry.host import Host
from openhands_strategies.sources.distribution import distribution_files
from openhands_strategies.sources.source import DistributionSource, GitSource, Located
from openhands_strategies.sources.tree import hash_tree, tree_files


@dataclass(frozen=True)
class Meant:
    """What a reference stands for on this machine; nothing of it was loaded.

    Attributes:
        reference: As typed.
        names: What the server may call it, the likeliest first.
        located: Where it is; None for a name that is unknown here.
        tree: Hash of its files.
    """

    reference: str
    names: tuple[str, ...]
    located: Located | None = None
    tree: str = ""

    @property
    def pinned(self) -> str:
        """The reference that names exactly this strategy, on any machine where it can be."""
        if self.located is None:
            return self.reference
        source = self.located.source
        if isinstance(source, GitSource):
            return str(source)
        return self.names[0] if isinstance(source, DistributionSource) else self.located.reference


def find_meant(
    reference: str, host: Host, warn: Callable[[StrategyError], None], fetching: Fetching
) -> Meant:
    """Find a strategy as `ohs show` does.

    Raises:
        StrategyError: It cannot be found or read; a name that is unknown here is no error.
    """
    try:
        located = resolve(reference, host=host, warn=warn, fetching=fetching)
    except ResolveError as error:
        if error.code != "strategy_unknown":
            raise
        return Meant(reference, (reference,))
    entry = read_entry(located)
    if entry.error is not None:
        raise entry.error
    own = entry.manifest.name if entry.manifest else None
    names = (entry.name, own) if own and own != entry.name else (entry.name,)
    return Meant(reference, names, located, _tree(located))


def _tree(located: Located) -> str:
    if located.tree is not None:
        return located.tree
    try:
        if isinstance(located.source, DistributionSource):
            return hash_tree(located.root, distribution_files(located))
        return hash_tree(located.root, tree_files(located.root, located.only))
    except OSError as error:
        raise LoadError(
            "file_unreadable", f"{located.reference}: {describe(error)}", "check who may read it"
        ) from error


def matching_offer(meant: Meant, offers: Sequence[Offer], serve: str) -> Offer:
    """The server's strategy that is the one meant.

    Args:
        meant: What the user named.
        offers: What the server has.
        serve: The line that would start the server right.

    Raises:
        ResolveError: `strategy_differs` or `strategy_not_served`, with `serve`.
        StrategyError: The server cannot start it, for the reason that it says.
    """
    named = [one for name in meant.names for one in offers if one.name == name]
    found = next((one for one in named if meant.located is None or _is(meant, one)), None)
    if found is None:
        found = next((one for one in offers if _same_entry_point(meant, one)), None)
    broken = found or next((one for one in named if one.tree is None), None)
    if broken is not None and broken.error is not None:
        raise broken.error.as_error()
    if found is not None:
        return found
    if named:
        raise ResolveError(
            "strategy_differs",
            f"the server's {named[0].name!r} is another one: there {place_of(named[0])},"
            f" here {_here(meant)}",
            serve,
        )
    names = ", ".join(repr(one.name[:60]) for one in offers[:30]) or "none"
    raise ResolveError(
        "strategy_not_served",
        f"the server has no strategy {meant.names[0]!r}; it has {names}",
        serve,
    )


def _is(meant: Meant, offer: Offer) -> bool:
    """Whether an offer of this name is what is meant: the same files, or pinned the same."""
    if offer.tree is not None and offer.tree == meant.tree:
        return True
    there = offer.source or {}
    source = meant.located.source if meant.located else None
    if isinstance(source, GitSource):
        return (there.get("commit"), there.get("subdirectory")) == (
            source.commit,
            source.subdirectory,
        )
    return isinstance(source, DistributionSource) and _same_version(source, there)


def _same_entry_point(meant: Meant, offer: Offer) -> bool:
    """Whether it is the same installed class, which either side may call by another name."""
    source, there = meant.located.source if meant.located else None, offer.source or {}
    return (
        isinstance(source, DistributionSource)
        and _same_version(source, there)
        and there.get("entry_point") == source.entry_point
    )


def _same_version(source: DistributionSource, there: dict[str, Any]) -> bool:
    """A lock file pins a distribution by its name and version, and so does this."""
    return (
        there.get("type") == "distribution"
        and _normal(str(there.get("name"))) == _normal(source.name)
        and there.get("version") == source.version
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def place_of(layer: Layer) -> str:
    """Where a strategy of the server comes from, for people; a stranger's text still."""
    source = layer.source or {}
    tree = (layer.tree or "").removeprefix("sha256:")[:12]
    files = f", tree {tree}" if tree else ""
    if source.get("type") == "git":
        inside = f"#subdirectory={source['subdirectory']}" if source.get("subdirectory") else ""
        return f"{source.get('url')} at {str(layer.commit)[:12]}{inside}{files}"
    if source.get("type") == "distribution":
        return f"{source.get('name')} {source.get('version')}{files}"
    return f"{source.get('path') or 'an unknown place'}{files}"


def _here(meant: Meant) -> str:
    assert meant.located is not None  # noqa: S101  what is unknown here differs from nothing
    source = meant.located.source
    commit = source.commit if isinstance(source, GitSource) else None
    return place_of(Layer(source=source.to_json(), commit=commit, tree=meant.tree))


def serve_line(meant: Sequence[Meant]) -> str:
    """The line that starts a server with these strategies as they are here."""
    versions, trusted = [], []
    for one in meant:
        source = one.located.source if one.located else None
        if isinstance(source, DistributionSource):
            versions.append(shlex.quote(f"{source.name}=={source.version}"))
        elif isinstance(source, GitSource):
            trusted.append(f"ohs trust {shlex.quote(one.pinned)}")
    steps = [f"pip install {' '.join(dict.fromkeys(versions))}"] if versions else []
    names = " ".join(dict.fromkeys(shlex.quote(one.pinned) for one in meant))
    steps += [*dict.fromkeys(trusted), f"ohs serve --extensions {names}" if names else "ohs serve"]
    return f"on the server: {' && '.join(steps)}"
