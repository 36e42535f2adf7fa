"""What is different for a task that works in a worktree of its own."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from openhands_strategies.errors import StrategyError, describe
from openhands_strategies.runtime.entries import Entry
from openhands_strategies.runtime.fleet import Fleet
from openhands_strategies.runtime.outcome import TaskEnding
from openhands_strategies.runtime.table import TaskRecord
from openhands_strategies.runtime.worktrees.attempts import Attempts
from openhands_strategies.runtime.worktrees.worktree import put_away_all

_log: Final = logging.getLogger(__name__)


def remove_worktrees(directory: Path) -> None:
    """Remove the worktrees of a conversation's tasks, and of those of their tasks.

    A worktree that cannot be removed is logged; its task's files say where it is.
    """
    put_away_all(directory, lambda error: _log.warning("a worktree stays: %s", error.message))


def moved(message: str, home: Path, base: Path) -> str:
    """A message for a worktree: paths of the parent's workspace lead into the worktree."""
    own = re.sub(rf"{re.escape(str(home))}(?![\w.-])", lambda _: str(base), message)
    return (
        f"{own}\n\nYou work in {base}, a git worktree of your own. Change files only there. Do not"
        " commit, and make no branch, tag or stash."
    )


def with_changes(
    attempts: Attempts,
    record: TaskRecord,
    entry: Entry,
    fleet: Fleet,
    state: TaskEnding,
    text: str,
) -> tuple[TaskEnding, str]:
    """Keep and judge what a task did in its worktree, and add that to what is told."""
    check = state != "interrupted" and not fleet.stopping
    try:
        changes = attempts.finish(record, entry, check=check, stopping=lambda: fleet.stopping)
    except (StrategyError, OSError) as error:
        lost = "failed" if state == "completed" else state
        return lost, f"{text}\n\nIts changes could not be kept: {describe(error)}"
    return state, f"{text}\n\n{changes}"


def have_worktrees(entries: Mapping[str, Entry]) -> bool:
    return any(one.worktree or have_worktrees(one.agents) for one in entries.values())
