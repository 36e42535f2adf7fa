"""`ohs lock`: write the lock file; what is locked and still fits stays."""

from __future__ import annotations

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.change_text import change_lines
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.project_options import existing_project, user_option, working
from openhands_strategies.cli.text import say
from openhands_strategies.project.sync import lock


@click.command("lock")
@user_option
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, user: bool) -> None:
    """Write the project's lock file, and show what changed.

    What is locked and still fits stays as it is; ohs update asks for newer commits.
    """
    frame = current_frame(context)
    with working(frame) as work:
        project = existing_project(user)
        changes = lock(project, work.home, work.fetching, warn=work.warnings.append)
    if frame.json:
        document = {"changes": [change.to_json() for change in changes], **work.to_json()}
        print_json({"file": str(project.lock_path), **document})
    elif changes:
        click.echo("\n".join(change_lines(changes)))
    else:
        say("the lock file is up to date")
