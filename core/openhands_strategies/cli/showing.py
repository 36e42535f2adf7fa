"""`ohs show REF`: what is known of one strategy without running it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.completion.values import complete_reference
from openhands_strategies.cli.entry import Entry, read_entry, source_text
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.project_options import working
from openhands_strategies.cli.text import aligned, error_lines, printable
from openhands_strategies.manifest.model import Capabilities, Manifest
from openhands_strategies.params import StrategyParam, allowed
from openhands_strategies.project.indexes import IndexSource
from openhands_strategies.registry.catalog import resolve, shadows
from openhands_strategies.registry.host import plugin_host
from openhands_strategies.sources.source import DistributionSource, Source


@click.command("show")
@click.argument("reference", metavar="REF", shell_complete=complete_reference)
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, reference: str) -> None:
    """Show what is known of a strategy without running it.

    REF is a name, a .py file, a file.py:Class, a directory with strategy.py or plugin
    files, or a git reference, which is fetched.
    """
    frame, host = current_frame(context), plugin_host()
    with working(frame) as work:
        located = resolve(reference, host=host, warn=work.warnings.append, fetching=work.fetching)
    entry = read_entry(located)
    hidden = shadows(located.name, host=host, warn=_told) if located.name else []
    hidden = [one for one in hidden if not _same(one, located.source)]
    if frame.json:
        document = entry.to_full_json()
        print_json({**document, "shadows": [one.to_json() for one in hidden]})
    else:
        click.echo("\n".join(_lines(entry, hidden)))


def _told(_: Exception) -> None:
    """Finding the strategy has told, or the index was not needed for it."""


def _same(one: Source | IndexSource, source: Source) -> bool:
    """Whether an index merely offers the distribution that is installed."""
    return (
        isinstance(one, IndexSource)
        and isinstance(source, DistributionSource)
        and one.offers == source.name
    )


def _lines(entry: Entry, hidden: list[Source | IndexSource]) -> Iterator[str]:
    manifest, located = entry.manifest, entry.located
    yield printable(f"{entry.name} {entry.version or ''}".strip())
    if manifest is not None:
        yield "  " + (
            "description: computed"
            if manifest.description is None
            else printable(manifest.description, 500)
        )
    asked = shlex.quote(located.name or located.reference)
    place = str(located.file)
    if manifest is not None:
        place = str(located.root / manifest.file)
        if manifest.line:
            place = f"{place}:{manifest.line} {manifest.attribute}"
    yield from aligned(
        [
            ("source", f"{source_text(located.source)} ({located.source.type})"),
            ("code", printable(place)),
            ("trusted", "yes" if entry.trusted else f"no; ohs trust {printable(asked, 500)}"),
            *(_kind_rows(manifest) if manifest is not None else ()),
            *(("shadows", source_text(one)) for one in hidden),
        ],
        indent="  ",
    )
    if entry.error is not None:
        yield ""
        yield from error_lines(entry.error)
    if manifest is not None:
        yield from _part_lines(manifest)
        yield ""
        yield from _param_lines(manifest.params)
        yield ""
        yield from _capability_lines(manifest.capabilities, parts=manifest.parts != {})
        for finding in manifest.findings:
            yield f"finding: {printable(finding.message)} [{finding.code}]"


def _kind_rows(manifest: Manifest) -> Iterator[tuple[str, str]]:
    if manifest.overlay:
        yield "overlay", "adds to another strategy, see --with; does no work alone"
    if manifest.replaces != ():
        replaces = "computed" if manifest.replaces is None else ", ".join(manifest.replaces)
        yield "replaces", printable(replaces, 500)


def _part_lines(manifest: Manifest) -> Iterator[str]:
    if manifest.parts is None:
        yield from ("", "parts: computed")
    elif manifest.parts:
        yield from ("", "parts")
        rows = [(printable(one, 60), printable(ref, 500)) for one, ref in manifest.parts.items()]
        yield from aligned(rows, indent="  ")


def _param_lines(params: tuple[StrategyParam, ...] | None) -> Iterator[str]:
    if params is None:
        yield "parameters: computed when it is built"
        return
    yield "parameters" if params else "parameters: none"
    yield from aligned(
        [
            (printable(one.name, 60), printable(_takes(one), 80), printable(one.description, 200))
            for one in params
        ],
        indent="  ",
    )


def _takes(param: StrategyParam) -> str:
    if param.required and param.default is None:
        return f"{allowed(param)}, required"
    if param.default is None:
        return allowed(param)
    shown = str(param.default).lower() if isinstance(param.default, bool) else param.default
    return f"{allowed(param)}, default {shown}"


def _capability_lines(can: Capabilities, *, parts: bool) -> Iterator[str]:
    rows = [
        ("tools", ", ".join(can.tools)),
        ("sub-agents", ", ".join(can.agents)),
        *(("hook", f"{one.event} {one.matcher}: {one.command} ({one.file})") for one in can.hooks),
        *(("MCP", f"{one.name}: {one.command or one.url or ''} ({one.file})") for one in can.mcp),
        *(("skill", f"{one.name}: {one.description}") for one in can.skills),
        *(
            ("skill runs", f"{command} ({one.file})")
            for one in can.skills
            for command in one.commands
        ),
        ("needs", ", ".join(can.dependencies)),
    ]
    rows = [(what, printable(text, 2000)) for what, text in rows if text]
    nothing = "nothing itself; see its parts" if parts else "nothing"
    yield "what it brings" if rows else f"what it brings: {nothing}"
    yield from aligned(rows, indent="  ")
