"""`ohs index`: the indexes that names are looked up in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.cataloguing import command as _catalogue
from openhands_strategies.cli.cataloguing import index_place
from openhands_strategies.cli.completion.values import (
    complete_directory,
    complete_file,
    complete_index,
)
from openhands_strategies.cli.fetch_progress import fetch_progress
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.text import aligned, error_lines, printable, warn
from openhands_strategies.errors import StrategyError
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import find_home
from openhands_strategies.project.index_check import index_check
from openhands_strategies.project.index_edit import (
    add_index,
    list_indexes,
    remove_index,
    update_index,
)
from openhands_strategies.project.indexes import BUNDLED, open_indexes
from openhands_strategies.project.indexes_file import UserIndex
from openhands_strategies.project.toml_file import FileError


@click.group("index", invoke_without_command=True)
@debug_option
@click.pass_context
def command(context: click.Context) -> None:
    """Add, update, list, check, show and remove indexes of strategies."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@command.command("add")
@click.argument("reference", metavar="REF", shell_complete=complete_directory)
@click.option("--as", "name", metavar="NAME", help="What it is called; else as its repository.")
@json_option
@debug_option
@click.pass_context
def _add(context: click.Context, reference: str, name: str | None) -> None:
    """Add a repository or a directory with registry.toml at its root."""
    frame, home = current_frame(context), find_home()
    with fetch_progress(frame) as progress:
        fetching = Fetching(progress=progress)
        index = add_index(reference, home, base=Path.cwd(), name=name, fetching=fetching)
    if frame.json:
        print_json({"index": asdict(index)})
    else:
        click.echo(f"added index {_told(index)}")


@command.command("remove")
@click.argument("name", shell_complete=complete_index)
@json_option
@debug_option
@click.pass_context
def _remove(context: click.Context, name: str) -> None:
    """Remove an index; what was added from it stays."""
    remove_index(name, find_home())
    if current_frame(context).json:
        print_json({"removed": name})
    else:
        click.echo(f"removed index {printable(name, 80)}")


@command.command("list")
@json_option
@debug_option
@click.pass_context
def _list(context: click.Context) -> None:
    """List the indexes in the order in which names are looked up."""
    home = find_home()
    warnings: list[StrategyError] = []
    records = {index.name: index for index in list_indexes(home)}
    opened = {index.name: index for index in open_indexes(home, warnings.append)}
    names = [*records, *(name for name in opened if name not in records)]
    if current_frame(context).json:
        documents: list[dict[str, Any]] = []
        for name in names:
            about = asdict(records[name]) if name in records else {"name": name}
            count = len(opened[name].offers) if name in opened else None
            documents.append({**about, "strategies": count, "bundled": name == BUNDLED})
        print_json({"indexes": documents, "warnings": [warning.to_json() for warning in warnings]})
        return
    for warning in warnings:
        warn(warning)
    rows = [("NAME", "STRATEGIES", "COMMIT", "SOURCE")]
    for name in names:
        record = records.get(name)
        count_shown = str(len(opened[name].offers)) if name in opened else "broken"
        commit = (record.commit if record else None) or "-"
        where = str(record) if record else opened[name].where
        rows.append((printable(name, 60), count_shown, commit[:12], printable(where, 2000)))
    click.echo("\n".join(aligned(rows)))


@command.command("update")
@click.argument("name", required=False, shell_complete=complete_index)
@json_option
@debug_option
@click.pass_context
def _update(context: click.Context, name: str | None) -> int:
    """Fetch one index, or all of them, as they are now.

    One that cannot be fetched does not keep the others from it; the exit code tells of it.
    """
    frame, home = current_frame(context), find_home()
    before = {index.name: index for index in list_indexes(home)}
    updated: list[UserIndex] = []
    failed: dict[str, StrategyError] = {}
    with fetch_progress(frame) as progress:
        fetching = Fetching(progress=progress)
        for one in before if name is None else [name]:
            try:
                updated.append(update_index(one, home, fetching))
            except StrategyError as error:
                failed[one] = error
    first = next(iter(failed.values()), None)
    if first is not None and not updated and len(failed) == 1:
        raise first
    if frame.json:
        document: dict[str, Any] = {
            "indexes": [
                {**asdict(index), "changed": index != before.get(index.name)} for index in updated
            ]
        }
        if first is not None:
            document["error"] = first.to_json()
            document["failed"] = {one: error.to_json() for one, error in failed.items()}
        print_json(document)
        return 0 if first is None else first.exit_code
    for index in updated:
        changed = "updated" if index != before.get(index.name) else "no change in"
        click.echo(f"{changed} index {_told(index)}")
    for problem in [*failed.values()][1:]:
        warn(problem)
    if first is not None:
        raise first
    return 0


command.add_command(_catalogue)


@command.command("check")
@click.argument("path", metavar="PATH", shell_complete=complete_file)
@json_option
@debug_option
@click.pass_context
def _check(context: click.Context, path: str) -> int:
    """Fetch and read every entry of a registry.toml; nothing of it runs.

    PATH is the file or its directory. The exit code is 1 when something is wrong.
    """
    frame, home, place = current_frame(context), find_home(), index_place(path)
    with fetch_progress(frame) as progress:
        fetching = Fetching(progress=progress)
        findings = index_check(place, home, fetching)
    if frame.json:
        print_json(
            {
                **_about_check(place, findings),
                "findings": [
                    {**finding.to_json(), "file": str(finding.file), "line": finding.line}
                    for finding in findings
                ],
            }
        )
    else:
        for finding in findings:
            click.echo("\n".join(error_lines(finding, kind="finding")))
        if not findings:
            click.echo(f"{printable(path, 2000)}: every entry is as it should be")
    return 1 if findings else 0


def _about_check(place: Path, findings: Sequence[FileError]) -> dict[str, Any]:
    """When it was checked, with what, and how many findings each entry has."""
    from openhands_strategies.cli.catalogue.reading import index_entries, pin_of, tree_of_entry

    try:
        entries = index_entries(place)
    except FileError:  # a finding already
        entries = {}
    counts = Counter(finding.line for finding in findings)
    return {
        "checked": datetime.now(UTC).isoformat(timespec="seconds"),
        "ohs": version("openhands-strategies"),
        "sdk": version("openhands-sdk"),
        "strategies": [
            {
                "name": name,
                "source": pin_of(entry),
                "tree": tree_of_entry(place, entry),
                "findings": counts[entry.line],
            }
            for name, entry in entries.items()
        ],
    }


def _told(index: UserIndex) -> str:
    commit = f" at commit {index.commit}" if index.commit else ""
    return printable(f"{index.name}: {index}{commit}", 2000)
