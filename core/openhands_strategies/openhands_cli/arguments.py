"""The arguments of `ohs openhands`: ours are taken out, the rest goes to the CLI as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from openhands_strategies.errors import UsageError
from openhands_strategies.openhands_cli.theirs import Theirs

OURS: Final = (
    ("--strategy", "REF", "The strategy; new conversations are started with it."),
    ("--param", "NAME=VALUE", "A parameter of the strategy; see ohs show REF."),
    ("--with", "REF", "A strategy to layer on top; may be given again."),
    ("--price", "[MODEL=]IN,OUT", "Dollars for a million tokens, so that budgets can count."),
    ("--debug", "", "Show tracebacks and the SDK's log."),
)
"""Option, what it takes, what it means."""

THEIR_TEXTS: Final = ("-t", "--task", "-f", "--file")
"""Options of the CLI whose next argument is the user's text, whatever it looks like."""

THEIRS_ALONE: Final = ("login", "logout", "mcp", "view")
"""Subcommands that have no conversation: what follows is for them and for nobody else."""

_VALUES: Final = {name: value for name, value, _ in OURS if value}
_IN_A_BROWSER: Final = (
    "in a browser there is ohs serve (extra server); here: ohs openhands --strategy REF"
)
_INSTEAD: Final = {
    "web": _IN_A_BROWSER,
    "serve": _IN_A_BROWSER,
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
        debug: Whether tracebacks and the SDK's log are shown.
        helps: Whether a help text is asked for that has our options in it.
        rest: Everything else, in order.
    """

    strategy: str | None
    params: tuple[str, ...]
    overlays: tuple[str, ...]
    prices: tuple[str, ...]
    debug: bool
    helps: bool
    rest: tuple[str, ...]

    @property
    def given(self) -> list[str]:
        """The options that say something about the strategy, as they are called."""
        named = {
            "--strategy": self.strategy,
            "--param": self.params,
            "--with": self.overlays,
            "--price": self.prices,
        }
        return [name for name, value in named.items() if value]


def parse_ours(arguments: Sequence[str]) -> Ours:
    """Take our options out.

    A text for one of the CLI's options is not ours, nor is anything behind a subcommand that
    has no conversation, or behind `--`.

    Raises:
        UsageError: `usage` when one of them has no value.
    """
    left, rest, command = list(arguments), list[str](), ""
    values: dict[str, list[str]] = {name: [] for name in _VALUES}
    debug = helps = False
    while left:
        one = left.pop(0)
        name, equals, value = one.partition("=")
        if name in values:
            values[name].append(value if equals else _value(name, left))
        elif one == "--debug" and command != "web":
            # `openhands web` has a --debug of its own.
            debug = True
        else:
            rest.append(one)
            helps = helps or one in ("-h", "--help")
            command = one if one == "web" else command
            taken = len(left) if one in THEIRS_ALONE or one == "--" else int(_takes_text(one))
            rest += left[:taken]
            del left[:taken]
    return Ours(
        strategy=next(reversed(values["--strategy"]), None),
        params=tuple(values["--param"]),
        overlays=tuple(values["--with"]),
        prices=tuple(values["--price"]),
        debug=debug,
        helps=helps,
        rest=tuple(rest),
    )


def _value(name: str, left: list[str]) -> str:
    if not left or left[0].startswith("-"):
        hint = "ohs openhands --help shows how"
        raise UsageError("usage", f"{name} has no value ({_VALUES[name]})", hint)
    return left.pop(0)


def _takes_text(one: str) -> bool:
    """The beginning of an option's name is the option to the CLI."""
    return one in THEIR_TEXTS or (
        len(one) > 2 and one.startswith("--") and any(name.startswith(one) for name in THEIR_TEXTS)
    )


def check_combination(ours: Ours, theirs: Theirs) -> None:
    """Refuse a strategy where the CLI has no place for one.

    Raises:
        UsageError: `strategy_unsupported`, `strategy_missing`.
    """
    if ours.given and not theirs.converses:
        mode = "acp --cloud" if theirs.command == "acp" else str(theirs.command)
        raise UsageError(
            "strategy_unsupported",
            f"openhands {mode} takes no {ours.given[0]}",
            _INSTEAD.get(mode, f"leave {ours.given[0]} out"),
        )
    if ours.strategy is None and theirs.resume is None and (ours.params or ours.overlays):
        raise UsageError(
            "strategy_missing",
            f"{ours.given[0]} without --strategy",
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
