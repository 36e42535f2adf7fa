"""`ohs canvas`: the page of the server inside OpenHands Canvas."""

from __future__ import annotations

from pathlib import Path

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.canvas_bundle import canvas_extension
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.text import printable
from openhands_strategies.errors import UsageError, describe


@click.group("canvas", invoke_without_command=True)
@debug_option
@click.pass_context
def command(context: click.Context) -> None:
    """Write the strategies page as an OpenHands Canvas extension."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@command.command("export")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@json_option
@debug_option
@click.pass_context
def _export(context: click.Context, directory: Path) -> None:
    """Write the extension into DIR, which is new, empty or an earlier export."""
    made = canvas_extension()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        others = sorted(one.name for one in directory.iterdir() if one.name not in made)
        if others:
            raise UsageError(
                "directory_not_empty",
                f"{directory} holds other files: {', '.join(others[:3])}",
                "name a new directory",
            )
        for name, text in made.items():
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "directory_unwritable", f"{directory} cannot be written: {describe(error)}", ""
        ) from error
    if current_frame(context).json:
        print_json({"directory": str(directory.resolve()), "files": sorted(made)})
    else:
        path = printable(str(directory.resolve()), 200)
        click.echo(f"wrote {path}; install it in Canvas: Customize, Extensions")
