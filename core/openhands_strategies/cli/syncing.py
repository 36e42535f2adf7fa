"""`ohs sync`: bring exactly what is locked to this machine."""

from __future__ import annotations

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.entry import read_entry, source_text
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.project_options import existing_project, user_option, working
from openhands_strategies.cli.text import aligned, printable, say
from openhands_strategies.project.sync import sync


@click.command("sync")
@click.option("--frozen", is_flag=True, help="Fail when the lock file does not match (for CI).")
@click.option("--offline", is_flag=True, help="Touch no network; what is missing is an error.")
@user_option
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, frozen: bool, offline: bool, user: bool) -> None:
    """Bring every strategy of the project to this machine, as it is locked.

    What is not locked yet is locked first, unless --frozen. Nothing is run.
    """
    frame = current_frame(context)
    with working(frame, offline=offline) as work:
        project = existing_project(user)
        found = sync(project, work.home, work.fetching, frozen=frozen, warn=work.warnings.append)
    if frame.json:
        entries = [read_entry(located).to_json() for located in found]
        print_json({"file": str(project.path), "strategies": entries, **work.to_json()})
    elif found:
        rows = [(one.name or "", source_text(one.source, 1000)) for one in found]
        click.echo("\n".join(aligned(rows)))
    else:
        say(f"{printable(str(project.path), 1000)} names no strategy")
