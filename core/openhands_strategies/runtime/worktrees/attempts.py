"""Tasks that work in worktrees of their own: what they leave, and whose is taken over."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from openhands_strategies.errors import RunError, StrategyError
from openhands_strategies.runtime.entries import Entry
from openhands_strategies.runtime.json_file import write_json
from openhands_strategies.runtime.table import TaskRecord, TaskTable
from openhands_strategies.runtime.worktrees.applying import apply_patch, is_applied
from openhands_strategies.runtime.worktrees.checking import Verdict, run_check
from openhands_strategies.runtime.worktrees.worktree import (
    PATCH,
    Changes,
    Worktree,
    open_worktree,
    read_worktree,
    take_changes,
)

APPLIED: Final = "applied.json"
_LOG: Final = "check.log"


class Attempts:
    """Worktrees of the tasks of one conversation.

    Args:
        table: The tasks.
    """

    def __init__(self, table: TaskTable) -> None:
        self._table = table
        self._applying = threading.Lock()

    def open(self, record: TaskRecord, workspace: Path) -> Path:
        """Return the directory in which a task works, with the changes it made before.

        Raises:
            UsageError: `workspace_not_git` or `workspace_submodules`.
            RunError: `git_failed`.
        """
        return open_worktree(workspace, self._keep(record)).workspace

    def finish(
        self, record: TaskRecord, entry: Entry, *, check: bool, stopping: Callable[[], bool]
    ) -> str:
        """Keep what a task changed, judge it, and say both as the delegating model reads it.

        Args:
            record: The task.
            entry: Its check.
            check: Whether the check is to run now.
            stopping: Whether the run is to end.

        Raises:
            RunError: `git_failed`.
        """
        keep = self._keep(record)
        worktree = read_worktree(keep)
        if worktree is None:
            raise RunError("worktree_unreadable", f"{record.id} has no worktree any more")
        # The patch comes first: what the check writes is no part of it.
        changes = take_changes(worktree, keep)
        verdict = None
        if check and entry.check is not None:
            verdict = run_check(entry.check, worktree.workspace, keep / _LOG, stopping=stopping)
        return _told(record, changes, worktree.workspace, entry.check, verdict)

    def apply(self, task_id: str) -> tuple[bool, str]:
        """Bring one task's changes into the parent's working tree.

        Returns:
            Whether it went well, and what to tell the delegating model.
        """
        record = self._table.get(task_id)
        if record is None:
            ids = ", ".join(one.id for one in self._table.all()) or "none yet"
            return False, f"There is no task {task_id!r}. Tasks: {ids}."
        with self._applying, self._table.lock(task_id):
            try:
                return self._apply(self._table.get(task_id) or record)
            except StrategyError as error:
                return False, (
                    f"{error.message} ({error.code}). Your workspace is as before. The patch of"
                    f" {task_id} is {self._keep(record) / PATCH}."
                )

    def _apply(self, record: TaskRecord) -> tuple[bool, str]:
        keep = self._keep(record)
        worktree = read_worktree(keep)
        if worktree is None:
            return False, f"{record.id} has no worktree: it worked in your own workspace."
        if record.state != "completed":
            return False, f"{record.id} is not completed but {record.state}: nothing is applied."
        winner, done = self._winner()
        if winner is not None and winner != record.id and (done or self._is_in(winner, worktree)):
            return False, f"{winner} is applied already, and only one of the tasks can be."
        patch, top = keep / PATCH, Path(worktree.top)
        if not patch.stat().st_size:
            return True, f"{record.id} changed nothing, so there is nothing to apply."
        if winner == record.id and (done or is_applied(top, patch)):
            self._set_winner(record.id, done=True)
            return True, f"{record.id} is applied already."
        # A process that is killed now finds out later how far it came.
        self._set_winner(record.id, done=False)
        apply_patch(top, patch)
        self._set_winner(record.id, done=True)
        return True, (
            f"The changes of {record.id} are in your workspace now, not committed:\n"
            f"{_stat_of(record)}\nVerify them there."
        )

    def _is_in(self, task_id: str, worktree: Worktree) -> bool:
        """Whether a task is applied, although its process was killed meanwhile."""
        record = self._table.get(task_id)
        return record is not None and is_applied(Path(worktree.top), self._keep(record) / PATCH)

    def _winner(self) -> tuple[str | None, bool]:
        path = self._table.directory / APPLIED
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            return str(said["task"]), bool(said["done"])
        except FileNotFoundError:
            return None, False
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RunError("tasks_unreadable", f"{path} cannot be read: {error}") from error

    def _set_winner(self, task_id: str, *, done: bool) -> None:
        write_json(self._table.directory / APPLIED, {"task": task_id, "done": done})

    def _keep(self, record: TaskRecord) -> Path:
        """The task's directory: that of its conversation."""
        keep = self._table.directory / record.conversation_id
        keep.mkdir(parents=True, exist_ok=True)
        return keep


_HEADING: Final = "# Changes of "


def _told(
    record: TaskRecord,
    changes: Changes,
    workspace: Path,
    command: str | None,
    verdict: Verdict | None,
) -> str:
    lines = [f"{_HEADING}{record.id} (in a worktree of its own; nothing is applied)"]
    if changes.empty:
        lines.append("It changed no file.")
    else:
        lines += [changes.stat, f"Patch: {changes.patch}", f"Worktree: {workspace}"]
    if verdict is not None and command is not None:
        lines += ["", _verdict_line(command, verdict)]
        if verdict.tail:
            lines += ["The end of what the check printed:", verdict.tail]
    return "\n".join(lines)


def _verdict_line(command: str, verdict: Verdict) -> str:
    took = f"{verdict.seconds:.1f} s"
    if verdict.stopped:
        return f"Check `{command}`: not known, the run was stopped before it ended."
    if verdict.exit_code is None:
        return f"Check `{command}`: FAILED, it was ended after {took}."
    word = "PASSED" if verdict.passed else "FAILED"
    return f"Check `{command}`: {word} (exit code {verdict.exit_code}, {took})."


def _stat_of(record: TaskRecord) -> str:
    """The statistics out of what was told about a task."""
    told = record.result.rpartition(_HEADING)[2]
    return told.partition("\n")[2].partition("\nPatch: ")[0]
