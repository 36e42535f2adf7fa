"""The arguments of `ohs openhands`: ours are taken out, the rest goes to the CLI as it stands."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from openhands_strategies.errors import UsageError

OURS: Final = (
    ("--strategy", "REF", "The strategy; new conversations are started with it."),
    ("--param", "NAME=VALUE", "A parameter of the strategy; see ohs show REF."),
    ("--with", "REF", "A strategy to layer on top; may be given again."),
    ("--price", "[MODEL=]IN,OUT", "Dollars for a million tokens, so that budgets can count."),
)
"""Option, what it takes, what it means."""

_INSTEAD: Final = {
    "web": "run it in the terminal (ohs openhands --strategy REF)",
    "serve": "run it in the terminal (ohs openhands --strategy REF)",
    "cloud": "run it here: ohs openhands --strategy REF --headless --task TEXT",
    "acp --cloud": "run it here: ohs openhands acp --strategy REF",
}


@dataclass(frozen=True)
class Ours:
    """What is meant for us; `rest` is for the CLI.

    Attributes:
        strategy: Reference of the strategy.
        params: `name=value` texts.
        overlays: References of `--with`.
        prices: `IN,OUT` or `MODEL=IN,OUT` texts.
        rest: Everything else, in order.
    """

    strategy: str | None
    params: tuple[str, ...]
    overlays: tuple[str, ...]
    prices: tuple[str, ...]
    rest: tuple[str, ...]


@dataclass(frozen=True)
class Theirs:
    """What the CLI will make of its arguments.

    Attributes:
        command: Its subcommand; None for the terminal interface and `--headless`.
        headless: Whether nobody can be asked.
        json: Whether stdout takes JSON.
        approval: Whether the user said which actions run unasked.
        resume: Id of a conversation; empty for the list or `--last`.
        last: Whether the latest conversation is meant.
        cloud: Whether `acp` works in the cloud.
        environment: Whether `LLM_*` variables count.
    """

    command: str | None
    headless: bool
    json: bool
    approval: bool
    resume: str | None
    last: bool
    cloud: bool
    environment: bool

    @property
    def converses(self) -> bool:
        """Whether it makes conversations on this machine, in this process."""
        return self.command is None or (self.command == "acp" and not self.cloud)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError("usage", message, "ohs openhands --help shows how")


def parse_ours(arguments: Sequence[str]) -> Ours:
    """Take our options out.

    Raises:
        UsageError: `usage` when one of them has no value.
    """
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--strategy")
    for name, dest in (("--param", "params"), ("--with", "overlays"), ("--price", "prices")):
        parser.add_argument(name, dest=dest, action="append", default=[])
    found, rest = parser.parse_known_args(list(arguments))
    return Ours(
        strategy=found.strategy,
        params=tuple(found.params),
        overlays=tuple(found.overlays),
        prices=tuple(found.prices),
        rest=tuple(rest),
    )


def wants_help(rest: Sequence[str]) -> bool:
    """Whether the CLI would print a help text."""
    return "-h" in rest or "--help" in rest


def upstream_parser() -> Any:
    """The CLI's own argument parser.

    Raises:
        UsageError: `openhands_cli_missing`.
    """
    try:
        module = importlib.import_module("openhands_cli.argparsers.main_parser")
    except ImportError as error:
        raise UsageError(
            "openhands_cli_missing",
            f"the OpenHands CLI is not installed here: {error}",
            "install it with strategies on Python 3.12: uv tool install --python 3.12"
            " 'openhands-strategies[openhands-cli,plugins]'",
        ) from error
    return module.create_main_parser()


def parse_theirs(rest: Sequence[str]) -> Theirs:
    """Read the CLI's arguments as it will read them itself.

    Raises:
        UsageError: `openhands_cli_missing`.
        SystemExit: The CLI's own answer to arguments that it refuses.
    """
    found = vars(upstream_parser().parse_args(list(rest)))
    headless = bool(found.get("headless"))
    return Theirs(
        command=found.get("command"),
        headless=headless,
        json=headless and bool(found.get("json")),
        approval=bool(found.get("always_approve") or found.get("llm_approve")),
        resume=found.get("resume"),
        last=bool(found.get("last")),
        cloud=bool(found.get("cloud")),
        environment=bool(found.get("override_with_envs")),
    )


def check_combination(ours: Ours, theirs: Theirs) -> None:
    """Refuse a strategy where the CLI has no place for one.

    Raises:
        UsageError: `strategy_unsupported`, `strategy_missing`.
    """
    given = [
        name
        for name, value in (
            ("--strategy", ours.strategy),
            ("--param", ours.params),
            ("--with", ours.overlays),
            ("--price", ours.prices),
        )
        if value
    ]
    if given and not theirs.converses:
        mode = "acp --cloud" if theirs.command == "acp" else str(theirs.command)
        raise UsageError(
            "strategy_unsupported",
            f"openhands {mode} takes no {given[0]}",
            _INSTEAD.get(mode, f"leave {given[0]} out"),
        )
    if ours.strategy is None and theirs.resume is None and (ours.params or ours.overlays):
        raise UsageError(
            "strategy_missing",
            f"{given[0]} without --strategy",
            "name the strategy: ohs openhands --strategy REF",
        )


def help_text() -> str:
    """Our part of `ohs openhands --help`."""
    width = max(len(f"{name} {value}") for name, value, _ in OURS)
    lines = [f"  {f'{name} {value}'.ljust(width)}  {text}" for name, value, text in OURS]
    return "\n".join(
        [
            "Usage: ohs openhands [--strategy REF] [--param NAME=VALUE]… <arguments of openhands>",
            "",
            "Run the OpenHands CLI with a strategy.",
            "",
            "In every mode: terminal interface, --headless, --json, acp. A conversation is resumed",
            "with the strategy and the parameters it was started with.",
            "",
            "Options of ohs:",
            *lines,
            "",
            "Everything else goes to openhands:",
        ]
    )
