"""How a task ended, and how the delegating model is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from openhands_strategies.runtime.driving import Ending
from openhands_strategies.runtime.entries import Entry
from openhands_strategies.runtime.fleet import Fleet
from openhands_strategies.runtime.table import TaskRecord

TaskEnding = Literal["completed", "escalated", "limit", "failed", "interrupted"]


@dataclass(frozen=True)
class Outcome:
    """What the delegating model is told.

    Attributes:
        task_id: Id to resume the task with; `none` when it never started.
        role: Alias.
        state: How the run ended.
        text: The sub-agent's answer, or what went wrong and what to do now.
    """

    task_id: str
    role: str
    state: TaskEnding
    text: str

    @property
    def is_error(self) -> bool:
        return self.state not in ("completed", "escalated")


def refused(alias: str, text: str, *, state: TaskEnding = "failed") -> Outcome:
    """A task that never started; `none` stands for its id."""
    return Outcome("none", alias, state, text)


def task_ending(ending: Ending, entry: Entry, fleet: Fleet) -> tuple[TaskEnding, str]:
    """How a task ended, and what there is to say about it."""
    if ending.kind == "finished":
        if not ending.answer.strip():
            return "failed", "It finished without an answer."
        escalated = bool(entry.escalation) and ending.answer.lstrip().startswith(entry.escalation)
        return ("escalated" if escalated else "completed"), ending.answer
    partial = f"\nLast words before the stop:\n{ending.answer}" if ending.answer else ""
    if ending.kind == "stop":
        return "interrupted", "It was stopped by the user."
    if ending.kind == "budget":
        return "limit", f"It was stopped by its budget of ${entry.budget:g}.{partial}"
    if ending.kind == "fleet_budget":
        return "limit", fleet_budget_text(fleet) + partial
    if ending.kind == "steps":
        steps = fleet.steps if fleet.over_steps else entry.steps
        return "limit", f"It was stopped after {steps} model calls in all.{partial}"
    if ending.kind == "outer":
        return "limit", f"It was stopped by a limit of the task that it works for.{partial}"
    return ending.kind, f"{ending.detail}{partial}"


def fleet_budget_text(fleet: Fleet) -> str:
    return f"The budget of the whole run (${fleet.budget:g}) is spent (${fleet.spent:.4f})."


def told(state: TaskEnding, text: str, record: TaskRecord, *, stops: bool = False) -> str:
    """The outcome as the delegating model reads it.

    Args:
        stops: Whether a task that does not complete ends the whole delegation.
    """
    if stops and state not in ("completed", "interrupted"):
        return f"{text}\n\n{ended_text(record.role, state)}"
    again = f"resume='{record.id}'"
    if state == "escalated":
        return f"{text}\n\n{record.role} hands this back: do it yourself, do not delegate it again."
    if state == "limit":
        return f"{text}\n\nGo on yourself, or give it another slice with {again}."
    if state == "interrupted":
        return f"{text}\n\nContinue it with {again}."
    return text


def ended_text(alias: str, state: str) -> str:
    """Why no further task is accepted."""
    return (
        f"{alias} {how_it_ended(state)}, and the work ends there: no further task is accepted."
        " Finish with what was done until then, what is missing, and why."
    )


def how_it_ended(state: str) -> str:
    """The end of a task that did not complete, as a verb."""
    return {"escalated": "handed the work back", "limit": "was stopped by a limit"}.get(
        state, state
    )
