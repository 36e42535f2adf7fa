"""`ohs add REF`: bring a strategy into the project, or among the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.completion.values import complete_reference
from openhands_strategies.cli.entry import Entry, source_text
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.project_options import user_option, working
from openhands_strategies.cli.text import aligned, printable, say
from openhands_strategies.project.adding import Added, add
from openhands_strategies.project.changes import capability_lines
from openhands_strategies.project.project_file import project_to_write, user_file


@click.command("add")
@click.argument("reference", metavar="REF", shell_complete=complete_reference)
@click.option("--as", "name", metavar="NAME", help="What it is called here.")
@user_option
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, reference: str, name: str | None, user: bool) -> None:
    """Fetch a strategy, write it into the project's file and lock it.

    REF is a path, github:ORG/REPO@REVISION#subdirectory=PATH, git+https://…, git+ssh://…, or
    a name that is installed or stands in an index. Nothing of it is run.
    """
    frame = current_frame(context)
    with working(frame) as work:
        project = user_file(work.home) if user else project_to_write(Path.cwd())
        added = add(
            reference,
            project,
            work.home,
            base=Path.cwd(),
            name=name,
            fetching=work.fetching,
            warn=work.warnings.append,
        )
    entry = Entry(added.located, added.manifest, None)
    if frame.json:
        written = {"source": added.source, "file": str(added.project.path), "user": user}
        print_json({**entry.to_full_json(), "added": written, **work.to_json()})
        return
    click.echo("\n".join(_lines(added)))
    if not entry.trusted:
        say(f"hint: nothing of it has run; look at it and agree: ohs trust {added.name}")


def _lines(added: Added) -> Iterator[str]:
    yield f"added {added.name} to {printable(str(added.project.path), 1000)}"
    description = added.manifest.description
    rows = [
        ("source", source_text(added.located.source)),
        ("about", "computed" if description is None else description),
        *(
            (kind, line)
            for kind, lines in capability_lines(added.manifest.capabilities).items()
            for line in lines
        ),
    ]
    yield from aligned([(what, printable(text, 2000)) for what, text in rows if text], indent="  ")
