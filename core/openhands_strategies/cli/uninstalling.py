"""`ohs uninstall`: distributions out of the environment that runs `ohs`."""

from __future__ import annotations

import importlib.metadata
import re
from typing import Final

import click

from openhands_strategies.cli.completion.values import complete_distribution
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.installer import change_environment, check_value, report
from openhands_strategies.errors import UsageError
from openhands_strategies.project.locate import normalised
from openhands_strategies.sources.distribution import installed
from openhands_strategies.sources.source import DistributionSource

_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


@click.command("uninstall")
@click.argument(
    "names",
    metavar="NAME...",
    nargs=-1,
    required=True,
    shell_complete=complete_distribution,
)
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, names: tuple[str, ...]) -> None:
    """Remove distributions from the environment that runs ohs.

    NAME is a distribution, or a strategy that an installed distribution offers.
    """
    distributions = list(dict.fromkeys(_distribution(name) for name in names))
    _, gone = change_environment("uninstall", distributions)
    report(current_frame(context), "uninstalled", distributions, gone)


def _distribution(name: str) -> str:
    check_value(name, "name")
    if not _NAME.fullmatch(name):
        raise UsageError("name_invalid", f"{name!r} is no name of a distribution", "ohs list")
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        pass
    else:
        return normalised(name)
    offering = {
        one.source.name
        for one in installed()[0]
        if one.name == name and isinstance(one.source, DistributionSource)
    }
    if not offering:
        raise UsageError(
            "not_installed",
            f"{name!r} is neither an installed distribution nor a strategy of one",
            "ohs list shows what is installed",
        )
    if len(offering) > 1:
        raise UsageError(
            "name_ambiguous",
            f"{name!r} is offered by {', '.join(sorted(offering))}",
            "name the distribution",
        )
    return normalised(offering.pop())
