"""`ohs remove NAME`: take a strategy out of the project, or out of the user's own."""

from __future__ import annotations

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.project_options import complete_entry, existing_project, user_option
from openhands_strategies.cli.text import printable
from openhands_strategies.project.adding import remove
from openhands_strategies.project.home import find_home


@click.command("remove")
@click.argument("name", shell_complete=complete_entry)
@user_option
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, name: str, user: bool) -> None:
    """Take a strategy out of the project's files.

    That it was trusted is forgotten. Its code leaves the store with the next clean-up: ohs store gc
    """
    project = existing_project(user)
    remove(name, project, find_home())
    if current_frame(context).json:
        print_json({"removed": name, "file": str(project.path)})
    else:
        click.echo(f"removed {name} from {printable(str(project.path), 1000)}")
