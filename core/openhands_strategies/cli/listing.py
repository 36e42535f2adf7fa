"""`ohs list`: every strategy that has a name."""

from __future__ import annotations

from collections.abc import Iterable

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.entry import Entry, read_entry, source_text
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.outdated import find_outdated, print_outdated
from openhands_strategies.cli.text import aligned, printable, say, warn
from openhands_strategies.errors import StrategyError
from openhands_strategies.project.home import find_home
from openhands_strategies.project.trust_file import TrustFile, read_trust
from openhands_strategies.registry.catalog import list_all
from openhands_strategies.sources.source import Located


@click.command("list")
@click.option(
    "--outdated", is_flag=True, help="Ask the repositories which strategies have newer commits."
)
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, outdated: bool) -> None:
    """List the strategies that have names.

    Nothing of a strategy is run. A file or a directory needs no name: ohs show ./dir
    """
    frame = current_frame(context)
    listing = list_all()
    behind, failed = find_outdated(frame) if outdated else ([], [])
    consents, problems = _consents(listing.entries)
    entries = [read_entry(located, consents) for located in listing.entries]
    warnings = [*listing.warnings, *problems]
    # What may not even be asked was told of by the listing already.
    told = {(one.code, one.message) for one in warnings}
    warnings += [one for one in failed if (one.code, one.message) not in told]
    if frame.json:
        document = {
            "strategies": [entry.to_json() for entry in entries],
            "warnings": [warning.to_json() for warning in warnings],
        }
        found = {"outdated": [one.to_json() for one in behind]} if outdated else {}
        print_json({**document, **found})
        return
    for warning in warnings:
        warn(warning)
    if outdated:
        print_outdated(behind, not failed)
    elif entries:
        rows = [("NAME", "VERSION", "SOURCE", "DESCRIPTION"), *map(_row, entries)]
        click.echo("\n".join(aligned(rows)))
    else:
        say("no strategy is installed; pip install 'openhands-strategies[plugins]' brings some")


def _consents(found: Iterable[Located]) -> tuple[TrustFile, list[StrategyError]]:
    """All consents, read once; where they cannot be read there are none, and it is said why."""
    if all(located.source.type == "distribution" for located in found):
        return TrustFile(), []
    try:
        return read_trust(find_home()), []
    except StrategyError as error:
        return TrustFile(), [error]


def _row(entry: Entry) -> tuple[str, str, str, str]:
    if entry.error is not None:
        about = f"broken: {printable(entry.error.message)} [{entry.error.code}]"
    else:
        known = entry.manifest.description if entry.manifest else None
        about = "computed" if known is None else printable(known, 100)
        if entry.manifest is not None and entry.manifest.overlay:
            about = f"overlay: {about}"
    source = source_text(entry.located.source, 120)
    return printable(entry.name, 60), printable(entry.version or "-", 20), source, about
