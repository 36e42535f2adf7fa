"""Which task a call of the `task` tool is: a new one, an earlier one, or none."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING
from uuid import uuid4

from openhands_strategies.runtime.entries import Entry
from openhands_strategies.runtime.fleet import Fleet
from openhands_strategies.runtime.outcome import (
    Outcome,
    TaskEnding,
    fleet_budget_text,
    refused,
    told,
)
from openhands_strategies.runtime.table import TaskRecord, TaskTable, prompt_digest

if TYPE_CHECKING:
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation


class Admission:
    """Gives each call its task, within the rounds of its alias; safe for parallel calls.

    Args:
        table: The conversation's tasks.
        parent: The conversation; its events say which answers have reached it.
    """

    def __init__(self, table: TaskTable, parent: LocalConversation) -> None:
        self._table = table
        self._lock = threading.Lock()
        records = table.all()
        self._asked = Counter({record.role: 0 for record in records})
        for record in records:
            self._asked[record.role] += max(record.runs, 1)
        reached = _answers_in(parent) if records else set()
        # Killed between the end of a task and the end of the calls beside it.
        self._lost = [
            record
            for record in records
            if record.state in ("completed", "escalated", "limit") and record.id not in reached
        ]

    def lost_answer(self, alias: str, prompt: str) -> TaskRecord | None:
        """A task of a dead process that ended without its parent learning of it, once."""
        with self._lock:
            for record in self._lost:
                if (record.role, record.prompt_digest) == (alias, prompt_digest(prompt)):
                    self._lost.remove(record)
                    return record
        return None

    def admit(
        self, alias: str, entry: Entry, prompt: str, resume: str | None, label: str | None
    ) -> TaskRecord | Outcome:
        """Return the task to run, or why there is none."""
        with self._lock:
            known = self._table.get(resume) if resume else None
            if resume and known is None:
                ids = ", ".join(record.id for record in self._table.all()) or "none yet"
                return refused(alias, f"There is no task {resume!r}. Tasks: {ids}.")
            if known is not None and known.role != alias:
                return refused(alias, f"Task {resume} belongs to {known.role!r}, not to {alias!r}.")
            digest = prompt_digest(prompt)
            # What a dead process left half done was counted when it began.
            if known is None:
                interrupted = self._table.take_interrupted(alias, digest)
                if interrupted is not None:
                    return interrupted
            if entry.rounds is not None and self._asked[alias] >= entry.rounds:
                return refused(alias, _all_rounds(alias, entry.rounds))
            self._asked[alias] += 1
            return known or self._table.add(
                TaskRecord(
                    id="",
                    role=alias,
                    conversation_id=uuid4().hex,
                    prompt_digest=digest,
                    label=label or "",
                    started=time.time(),
                    runs=0,
                )
            )


def refusal_of(alias: str, missing: str, fleet: Fleet) -> Outcome | None:
    """Why no task of an alias may start now."""
    if missing:
        return refused(alias, f"{alias!r} can start only after {missing!r} has completed.")
    if fleet.over_budget:
        return refused(alias, fleet_budget_text(fleet), state="limit")
    if fleet.over_steps:
        return refused(alias, f"All {fleet.steps} model calls of the run are made.", state="limit")
    if fleet.stopping:
        return refused(alias, "The run is being stopped.", state="interrupted")
    return None


def told_again(record: TaskRecord, entry: Entry) -> Outcome:
    """The outcome of a task that had ended before its process died."""
    state: TaskEnding = "failed" if record.state == "running" else record.state
    text = told(state, record.result, record, stops=entry.stops)
    return Outcome(record.id, record.role, state, text)


def _answers_in(parent: LocalConversation) -> set[str]:
    """Ids of the tasks whose answers stand in a conversation."""
    found: set[str] = set()
    for event in parent.state.events:
        task_id = getattr(getattr(event, "observation", None), "task_id", None)
        if isinstance(task_id, str):
            found.add(task_id)
    return found


def _all_rounds(alias: str, rounds: int) -> str:
    return f"{alias!r} was asked {rounds} times, as often as it may be. Decide without it."
