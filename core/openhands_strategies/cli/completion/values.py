"""What the shell offers for an argument or the value of an option; callbacks for click.

What finds strategies is imported only where they are offered: commands import this module.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from openhands_strategies.errors import StrategyError
from openhands_strategies.manifest.files import printable
from openhands_strategies.params import StrategyParam, allowed
from openhands_strategies.project.home import find_home

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

UNFINISHED: Final = "part"
"""Type of an item that something must follow: the shell puts no space behind it."""

_RUN: Final = re.compile(r"[0-9a-f]{32}")
_RUNS: Final = 50
_PROFILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HELP: Final = 80


def complete_reference(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of strategies; a path is completed by the shell itself."""
    return _references(incomplete, overlays=None)


def complete_strategy(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of strategies that work on their own, that is without overlays."""
    return _references(incomplete, overlays=False)


def complete_overlay(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of overlays."""
    return _references(incomplete, overlays=True)


def complete_strategies(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The last of several names with commas between them."""
    before, comma, last = incomplete.rpartition(",")
    taken = set(before.split(","))
    found = [one for one in _references(last, overlays=False) if one.value not in taken]
    if any(one.type == "file" for one in found):
        return found if not comma else []
    return [CompletionItem(f"{before}{comma}{one.value}", help=one.help) for one in found]


def complete_param(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """`name=` for each parameter of the strategy that stands before, then its values."""
    from openhands_strategies.cli.completion.references import params_of_run

    reference = context.params.get("reference") or next(iter(context.args), None)
    if not reference:
        return []
    params = params_of_run(reference, context.params.get("overlays") or ())
    given = {text.partition("=")[0] for text in context.params.get("params") or ()}
    return _param_items(params, incomplete, given)


def complete_compared_param(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """`strategy.name=` for each strategy that is compared, then the values."""
    from openhands_strategies.cli.completion.references import params_of_run

    params: dict[str, StrategyParam] = {}
    for text in context.params.get("strategies") or ():
        for one in filter(None, (piece.strip() for piece in text.split(","))):
            name, equals, reference = one.partition("=")
            found = params_of_run(reference if equals else one)
            params |= {f"{name}.{key}": param for key, param in found.items()}
    given = {text.partition("=")[0] for text in context.params.get("params") or ()}
    return _param_items(params, incomplete, given)


def complete_passed_on(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Values of `ohs openhands`'s own options, among arguments that another program reads."""
    from openhands_strategies.cli.completion.references import params_of_run

    before: tuple[str, ...] = context.params.get("arguments") or ()
    chosen = [value for option, value in pairwise(before) if option == "--strategy"]
    match before[-1:]:
        case ("--strategy",):
            return complete_strategy(context, parameter, incomplete)
        case ("--with",):
            return complete_overlay(context, parameter, incomplete)
        case ("--param",) if chosen:
            laid_over = [value for option, value in pairwise(before) if option == "--with"]
            return _param_items(params_of_run(chosen[-1], laid_over), incomplete, set())
    return []


def complete_run(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of runs, the newest first."""
    wanted = incomplete.replace("-", "")
    try:
        found = [
            (place.stat().st_mtime, place)
            for place in find_home().runs.iterdir()
            if _RUN.fullmatch(place.name) and place.name.startswith(wanted)
        ]
    except OSError:
        return []
    newest = [place for _, place in sorted(found, reverse=True)[:_RUNS]]
    return [CompletionItem(place.name, help=_run_help(place)) for place in newest]


def complete_profile(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of saved LLM profiles: the files that the SDK keeps, none of them read."""
    home = os.environ.get("OH_PERSISTENCE_DIR") or "~/.openhands"
    place = Path(home).expanduser() / "profiles"
    try:
        found = sorted(file.stem for file in place.glob("*.json"))
    except OSError:
        return []
    return _plain(name for name in found if _PROFILE.fullmatch(name) and _fits(name, incomplete))


def complete_index(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the user's own indexes."""
    from openhands_strategies.project.indexes_file import read_indexes

    try:
        found = [one.name for one in read_indexes(find_home())]
    except StrategyError:  # a shell has no place for a message
        return []
    return _plain(name for name in sorted(found) if _fits(name, incomplete))


def complete_distribution(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of installed distributions that bring strategies."""
    from openhands_strategies.sources.distribution import installed
    from openhands_strategies.sources.source import DistributionSource

    found, _broken = installed(store=find_home().store)
    sources = (one.source for one in found)
    brought = {one.name for one in sources if isinstance(one, DistributionSource)}
    return _plain(name for name in sorted(brought) if _fits(name, incomplete))


def one_of(*choices: str) -> Complete:
    """Make a callback that offers these values."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return _plain(one for one in choices if _fits(one, incomplete))

    return complete


def some_of(*choices: str) -> Complete:
    """Make a callback that offers the last of several values with commas between them."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        taken = before.split(",")
        left = (one for one in choices if one not in taken and _fits(one, last))
        return _plain(f"{before}{comma}{one}" for one in left)

    return complete


def complete_file(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """A path; the shell looks."""
    return [CompletionItem(incomplete, type="file")]


def complete_directory(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """A directory; the shell looks."""
    return [CompletionItem(incomplete, type="dir")]


def _references(incomplete: str, overlays: bool | None) -> list[CompletionItem]:
    from openhands_strategies.cli.completion.references import names

    found = [] if incomplete.startswith((".", "/", "~")) else names(incomplete)
    items = [
        CompletionItem(name, help=printable(manifest.description or "", _HELP) if manifest else "")
        for name, manifest in found
        if overlays is None or manifest is None or manifest.overlay is overlays
    ]
    return items or [CompletionItem(incomplete, type="file")]


def _param_items(
    params: dict[str, StrategyParam], incomplete: str, given: set[str]
) -> list[CompletionItem]:
    name, equals, value = incomplete.partition("=")
    if not equals:
        return [
            CompletionItem(f"{key}=", type=UNFINISHED, help=_param_help(param))
            for key, param in params.items()
            if _fits(key, incomplete) and key not in given
        ]
    param = params.get(name)
    values = [] if param is None else _values(param)
    return _plain(f"{name}={one}" for one in values if _fits(one, value))


def _values(param: StrategyParam) -> list[str]:
    if param.secret:
        return sorted(os.environ)
    if param.type == "boolean":
        return ["true", "false"]
    return [str(choice) for choice in param.choices]


def _param_help(param: StrategyParam) -> str:
    return printable(param.description or allowed(param), _HELP)


def _run_help(place: Path) -> str:
    try:
        data: Any = json.loads((place / "run.json").read_text(encoding="utf-8"))
        return printable(f"{data['strategy']['name']}, {data['status']}", _HELP)
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _fits(text: str, beginning: str) -> bool:
    """Whether it continues what was typed, and can stand on a command line."""
    return text.startswith(beginning) and text.isprintable()


def _plain(values: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(value) for value in values]
