"""What the commands that work on a project's files share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from openhands_strategies.cli.fetch_progress import fetch_progress
from openhands_strategies.cli.frame import Frame
from openhands_strategies.cli.text import warn
from openhands_strategies.errors import StrategyError, UsageError
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import Home, find_home
from openhands_strategies.project.project_file import (
    DIRECTORY,
    FILE,
    ProjectFile,
    find_project,
    user_file,
)

user_option = click.option(
    "--user", is_flag=True, help="Your own strategies, which every project has, not the project's."
)


@dataclass
class Work:
    """One command at work on a project.

    Attributes:
        home: Where consents and the store are.
        fetching: How to fetch.
        warnings: What failed beside the point.
    """

    home: Home
    fetching: Fetching
    warnings: list[StrategyError] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """`{warnings}`, for the command's document."""
        return {"warnings": [warning.to_json() for warning in self.warnings]}


@contextmanager
def working(frame: Frame, *, offline: bool = False) -> Iterator[Work]:
    """Show progress meanwhile and warnings afterwards, also when the work fails."""
    warnings: list[StrategyError] = []
    try:
        with fetch_progress(frame) as progress:
            yield Work(find_home(), Fetching(offline=offline, progress=progress), warnings)
    finally:
        # The bar is gone by now, and nothing is drawn over them.
        for warning in () if frame.json else warnings:
            warn(warning)


def existing_project(user: bool) -> ProjectFile:
    """The nearest project file, or the user's own.

    Raises:
        UsageError: `project_missing` when there is none.
        FileError: `project_file_invalid`.
    """
    if user:
        return user_file(find_home())
    base = Path.cwd()
    project = find_project(base)
    if project is None:
        raise UsageError(
            "project_missing",
            f"no {DIRECTORY}/{FILE} in {base} or above it",
            "ohs add REF makes one; --user means your own strategies",
        )
    return project


def complete_entry(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of the project's entries, for the shell."""
    try:
        names = existing_project(bool(context.params.get("user"))).entries
    except StrategyError:  # a shell has no place for a message
        return []
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
