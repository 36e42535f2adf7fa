"""The tasks of one conversation, on disk: which id is which sub-agent, and how it went.

One file `tasks.json` beside the sub-agents' conversations, written atomically, so that
a restarted process knows every task and never gives an id twice.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from openhands_strategies.errors import RunError, describe
from openhands_strategies.runtime.json_file import read_json, write_json

FILE: Final = "tasks.json"
SUBAGENTS_DIR: Final = "subagents"
_RESULT_LIMIT: Final = 100_000

State = Literal["running", "completed", "escalated", "limit", "failed", "interrupted"]


@dataclass(frozen=True)
class TaskRecord:
    """One task.

    Attributes:
        id: `task_00000001`, unique in its conversation.
        role: Alias of the sub-agent.
        conversation_id: Hex id of its own conversation.
        state: How it stands; `running` in a file of a dead process means interrupted.
        prompt_digest: Which prompt it was started with.
        label: Short description for people.
        model: Model name.
        result: Last answer, or why it stopped.
        started: Unix time of the first run.
        runs: How often it ran.
    """

    id: str
    role: str
    conversation_id: str
    state: State = "running"
    prompt_digest: str = ""
    label: str = ""
    model: str = ""
    result: str = ""
    started: float = 0.0
    runs: int = 1

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "result": self.result[:_RESULT_LIMIT]}


def prompt_digest(prompt: str) -> str:
    """Short digest of a prompt, to recognise an interrupted task."""
    return hashlib.sha256(prompt.encode()).hexdigest()[:32]


class TaskTable:
    """Records of one conversation's tasks; safe for parallel tool calls."""

    def __init__(self, directory: Path) -> None:
        """Read the table of `directory`, where the tasks' conversations are kept too."""
        self.directory = directory
        self._lock = threading.RLock()
        self._task_locks: dict[str, threading.Lock] = {}
        self._records = {
            record.id: replace(record, state="interrupted") if record.state == "running" else record
            for record in read_records(directory)
        }

    def all(self) -> list[TaskRecord]:
        with self._lock:
            return list(self._records.values())

    def get(self, task_id: str) -> TaskRecord | None:
        with self._lock:
            return self._records.get(task_id)

    def lock(self, task_id: str) -> threading.Lock:
        """The lock under which this task runs: its conversation is open only once."""
        with self._lock:
            return self._task_locks.setdefault(task_id, threading.Lock())

    def add(self, make: TaskRecord) -> TaskRecord:
        """Store a new record under the next free id, and return it."""
        with self._lock:
            last = max((int(task_id[5:], 16) for task_id in self._records), default=0)
            record = replace(make, id=f"task_{last + 1:08x}")
            self._records[record.id] = record
            self._write()
            return record

    def put(self, record: TaskRecord) -> None:
        with self._lock:
            self._records[record.id] = record
            self._write()

    def take_interrupted(self, role: str, digest: str) -> TaskRecord | None:
        """Claim a task that a dead process left running with the same prompt."""
        with self._lock:
            for record in self._records.values():
                if (record.state, record.role, record.prompt_digest) == (
                    "interrupted",
                    role,
                    digest,
                ):
                    claimed = replace(record, state="running")
                    self._records[record.id] = claimed
                    self._write()
                    return claimed
        return None

    def _write(self) -> None:
        data = {"version": 1, "tasks": [record.to_json() for record in self._records.values()]}
        write_json(self.directory / FILE, data)


def read_records(directory: Path) -> list[TaskRecord]:
    """Read `tasks.json` of a conversation; no file means no tasks.

    Raises:
        RunError: `tasks_unreadable` when the file is not what we write.
    """
    path = directory / FILE
    try:
        data = read_json(path)
        return [TaskRecord(**task) for task in data["tasks"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(
            "tasks_unreadable", f"{path} cannot be read: {describe(error)}", "start a new run"
        ) from error
