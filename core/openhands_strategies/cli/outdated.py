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
from openhands_strategies.errors import StrategyError
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


def find_outdated(frame: Frame) -> tuple[list[Behind], list[StrategyError]]:
    """Ask for what the project and the user's own file have locked; nothing is fetched.

    Returns:
        What has moved on, and an `EntryError` for each repository that cannot be asked.

    Raises:
        FileError: `project_file_invalid` or `lock_file_invalid`.
    """
    behind: list[Behind] = []
    failed: list[StrategyError] = []
    with working(frame) as work:
        own, here = user_file(work.home), find_project(Path.cwd())
        for project in (here, own):
            if project is not None:
                states = outdated(project, work.home, work.fetching, warn=failed.append)
                behind += [Behind(project, state) for state in states]
    return behind, failed


def print_outdated(behind: Sequence[Behind], complete: bool) -> None:
    """Print a table, or that there is nothing to update.

    Args:
        behind: What has moved on.
        complete: Whether every repository could be asked.
    """
    if not behind:
        say(f"every {'' if complete else 'other '}locked strategy is up to date")
        return
    head = ("NAME", "REVISION", "LOCKED", "NEWEST", "UPDATE WITH")
    click.echo("\n".join(aligned([head, *map(_row, behind)])))


def _row(one: Behind) -> tuple[str, ...]:
    state = one.state
    # Only an index pins what can be outdated.
    pinned = state.requested == state.locked
    revision = "index" if pinned else printable(state.requested or "default", 60)
    command = f"ohs update {state.name}{' --user' if one.project.user else ''}"
    return state.name, revision, short(state.locked), short(state.newest), command
