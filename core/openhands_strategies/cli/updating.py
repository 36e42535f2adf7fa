"""`ohs update [NAME]`: lock what branches, tags and indexes mean now, and show what changes."""

from __future__ import annotations

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.change_text import change_lines
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.project_options import (
    complete_entry,
    existing_project,
    user_option,
    working,
)
from openhands_strategies.cli.text import say
from openhands_strategies.project.sync import update


@click.command("update")
@click.argument("name", required=False, shell_complete=complete_entry)
@click.option("--dry-run", is_flag=True, help="Show what would change, and lock nothing.")
@user_option
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, name: str | None, dry_run: bool, user: bool) -> None:
    """Lock newer commits, and show what changes by that.

    Branches, tags and indexes are asked what they mean now; shown are commits, files and
    capabilities. NAME is one entry of the project; all of them by default. New code is not
    run before you agree to it.
    """
    frame = current_frame(context)
    with working(frame) as work:
        project = existing_project(user)
        changes = update(
            project,
            work.home,
            name,
            work.fetching,
            write=not dry_run,
            warn=work.warnings.append,
        )
    if frame.json:
        document = {"changes": [change.to_json() for change in changes], **work.to_json()}
        print_json({"file": str(project.lock_path), "written": not dry_run, **document})
        return
    if changes:
        click.echo("\n".join(change_lines(changes)))
    else:
        say("everything is up to date")
    if changes and dry_run:
        say("nothing was locked; leave out --dry-run to do so")
