"""`ohs list`: every strategy that has a name."""

from __future__ import annotations

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.entry import Entry, read_entry
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.text import aligned, printable, say, warn
from openhands_strategies.registry.catalog import list_all


@click.command("list")
@json_option
@debug_option
@click.pass_context
def command(context: click.Context) -> None:
    """List the strategies that have names.

    Nothing of a strategy is run. A file or a directory needs no name: ohs show ./dir
    """
    listing = list_all()
    entries = [read_entry(located) for located in listing.entries]
    if current_frame(context).json:
        print_json(
            {
                "strategies": [entry.to_json() for entry in entries],
                "warnings": [warning.to_json() for warning in listing.warnings],
            }
        )
        return
    for warning in listing.warnings:
        warn(warning)
    if entries:
        rows = [("NAME", "VERSION", "SOURCE", "DESCRIPTION"), *map(_row, entries)]
        click.echo("\n".join(aligned(rows)))
    else:
        say("no strategy is installed; pip install 'openhands-strategies[plugins]' brings some")


def _row(entry: Entry) -> tuple[str, str, str, str]:
    if entry.error is not None:
        about = f"broken: {printable(entry.error.message)} [{entry.error.code}]"
    else:
        known = entry.manifest.description if entry.manifest else None
        about = "computed" if known is None else printable(known, 100)
    source = printable(str(entry.located.source), 80)
    return printable(entry.name, 60), printable(entry.version or "-", 20), source, about
