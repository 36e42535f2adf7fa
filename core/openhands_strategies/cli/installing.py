"""`ohs install`: distributions into the environment that runs `ohs`."""

from __future__ import annotations

import click

from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.installer import change_environment, check_value, report


@click.command("install")
@click.argument("requirements", metavar="REQUIREMENT...", nargs=-1, required=True)
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, requirements: tuple[str, ...]) -> None:
    """Install strategies into the environment that runs ohs, with pip or uv.

    REQUIREMENT is what pip takes: a name, name==version, a wheel, a directory or a URL.
    What is installed is trusted by that.
    """
    for text in requirements:
        check_value(text, "requirement")
    came, _ = change_environment("install", requirements)
    report(current_frame(context), "installed", requirements, came)
