"""The part of `ohs list --outdated` that asks repositories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from openhands_strategies.cli.change_text import short
from openhands_strategies.cli.frame import Frame
from openhands_strategies.cli.project_options import working
from openhands_strategies.cli.text import aligned, printable, say
from openhands_strategies.project.project_file import ProjectFile, find_project, user_file
from openhands_strategies.project.sync import Outdated, outdated


@dataclass(frozen=True)
class Behind:
    """A strategy whose revision has moved on, and the file that names it."""

    project: ProjectFile
    state: Outdated

    def to_json(self) -> dict[str, Any]:
        """An element of `outdated` in `list --outdated --json`."""
        return {
            "name": self.state.name,
            "file": str(self.project.path),
            "user": self.project.user,
            "requested_revision": self.state.requested,
            "commit": self.state.locked,
            "newest_commit": self.state.newest,
        }


def find_outdated(frame: Frame) -> list[Behind]:
    """Ask for what the project and the user's own file have locked; nothing is fetched.

    Raises:
        EntryError: A repository that cannot be asked.
        FileError: `project_file_invalid` or `lock_file_invalid`.
    """
    with working(frame) as work:
        own, here = user_file(work.home), find_project(Path.cwd())
        return [
            Behind(project, state)
            for project in (here, own)
            if project is not None
            for state in outdated(project, work.home, work.fetching)
        ]


def print_outdated(behind: Sequence[Behind]) -> None:
    """Print a table, or that there is nothing to update."""
    if not behind:
        say("every locked strategy is up to date")
        return
    head = ("NAME", "REVISION", "LOCKED", "NEWEST", "UPDATE WITH")
    click.echo("\n".join(aligned([head, *map(_row, behind)])))


def _row(one: Behind) -> tuple[str, ...]:
    state = one.state
    revision = printable(state.requested or "default", 60)
    command = f"ohs update {state.name}{' --user' if one.project.user else ''}"
    return state.name, revision, short(state.locked), short(state.newest), command
