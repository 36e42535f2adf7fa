"""Start and resume sub-agents for one conversation's task tool.

This is the only code of ours that runs after a conversation has started. It keeps its
own table of aliases and tasks, so nothing is ever registered with the SDK's global
registry, and the SDK's own task manager is not involved.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from openhands_strategies.errors import StrategyError, describe
from openhands_strategies.runtime.attachment import Attachment, attach, attachment_of
from openhands_strategies.runtime.driving import (
    ending_of,
    has_user_message,
    run_until_done,
    send,
    user_messages,
)
from openhands_strategies.runtime.entries import Entry, Scope
from openhands_strategies.runtime.fleet import Fleet
from openhands_strategies.runtime.llms import redacted
from openhands_strategies.runtime.outcome import (
    Outcome,
    ended_text,
    fleet_budget_text,
    refused,
    task_ending,
    told,
)
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.spawn import build_subagent, open_conversation
from openhands_strategies.runtime.table import (
    SUBAGENTS_DIR,
    TaskRecord,
    TaskTable,
    prompt_digest,
)
from openhands_strategies.runtime.usage import TASK_PREFIX, known_price

if TYPE_CHECKING:
    from openhands.sdk import Agent
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation

_DEFAULT_ALIAS: Final = "general-purpose"


class Delegation:
    """Sub-agents of one conversation.

    Args:
        scope: Aliases and everything needed to make them.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._lock = threading.Lock()
        self._table: TaskTable | None = None
        self._temporary: Path | None = None
        # How often the user had spoken when the delegation ended.
        self._said = 0

    def run(
        self,
        parent: LocalConversation,
        *,
        alias: str,
        prompt: str,
        resume: str | None = None,
        label: str | None = None,
    ) -> Outcome:
        """Run one task to its end and say how it ended; never raises for a task's failure."""
        alias = self._alias(alias, resume)
        entry = self._scope.agents.get(alias)
        if entry is None:
            names = ", ".join(self._scope.agents)
            return refused(alias, f"There is no sub-agent {alias!r}. Available: {names}.")
        table, attachment = self._attached(parent)
        if self._ended(parent, attachment):
            return refused(alias, ended_text(*self._end_of(attachment)))
        if entry.rounds is not None and _asked(table, alias) >= entry.rounds:
            return refused(alias, _all_rounds(alias, entry.rounds))
        earlier, missing = self._earlier_results(entry, table)
        if missing:
            return refused(alias, f"{alias!r} can start only after {missing!r} has completed.")
        if attachment.fleet.over_budget:
            return refused(alias, fleet_budget_text(attachment.fleet), state="limit")
        if attachment.fleet.over_steps:
            steps = attachment.fleet.steps
            return refused(alias, f"All {steps} model calls of the run are made.", state="limit")
        if attachment.fleet.stopping:
            return refused(alias, "The run is being stopped.", state="interrupted")
        record = self._record(table, alias, prompt, resume, label)
        if isinstance(record, Outcome):
            return record
        message = entry.prompt.replace("{task}", f"{earlier}{prompt}") if not resume else prompt
        with table.lock(record.id):
            try:
                outcome = self._run_task(parent, attachment, table, record, entry, message)
            except StrategyError as error:
                outcome = self._failed(table, record, f"{error.message} ({error.code})")
        if entry.stops and outcome.state not in ("completed", "interrupted"):
            attachment.fleet.end_at(attachment.key, alias, outcome.state)
            self._said = user_messages(parent)
        return outcome

    def _ended(self, parent: LocalConversation, attachment: Attachment) -> bool:
        """Whether a task that had to complete did not, and the user has not spoken since."""
        if attachment.fleet.ended_at(attachment.key) is None:
            return False
        if user_messages(parent) > self._said:
            attachment.fleet.go_on(attachment.key)
            return False
        return True

    @staticmethod
    def _end_of(attachment: Attachment) -> tuple[str, str]:
        return attachment.fleet.ended_at(attachment.key) or ("a task", "failed")

    def _alias(self, alias: str, resume: str | None) -> str:
        """The alias meant, where the model left it out."""
        if alias not in self._scope.agents and alias in ("", _DEFAULT_ALIAS):
            record = self._table.get(resume) if resume and self._table else None
            if record is not None:
                return record.role
            if len(self._scope.agents) == 1:
                return next(iter(self._scope.agents))
        return alias

    def _attached(self, parent: LocalConversation) -> tuple[TaskTable, Attachment]:
        """Open the table on first use and find the run that this conversation is part of."""
        with self._lock:
            if self._table is None:
                self._table = TaskTable(self._directory(parent))
            attachment = attachment_of(parent)
            if attachment is None:
                attachment = self._join(parent)
            return self._table, attachment

    def _directory(self, parent: LocalConversation) -> Path:
        """Beside the parent's own files, or for this process only where it keeps none."""
        base = parent.state.persistence_dir
        if base is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="ohs_tasks_"))
            return self._temporary
        directory = Path(base) / SUBAGENTS_DIR
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def _join(self, parent: LocalConversation) -> Attachment:
        """A conversation that nobody attached (a server's): it becomes its own run."""
        kept = parent.state.persistence_dir
        fleet = Fleet(
            budget=self._scope.budget,
            steps=self._scope.steps,
            warn_at=self._scope.warn_at,
            directory=Path(kept) if kept else None,
        )
        llm = parent.agent.llm
        view = RoleView(key=MAIN, role=MAIN, model=llm.model)
        prices = {llm.model: known_price(llm) is not None}
        fleet.enter(view, parent, budget=None, prices=prices)
        return attach(parent, Attachment(fleet=fleet, key=MAIN))

    def _earlier_results(self, entry: Entry, table: TaskTable) -> tuple[str, str]:
        """Results of the aliases before this one, as text, and the first one missing."""
        parts: list[str] = []
        for alias in entry.after:
            done = [r for r in table.all() if r.role == alias and r.state == "completed"]
            if not done:
                return "", alias
            parts.append(f"# Result of {alias}\n\n{done[-1].result}\n\n")
        return "".join(parts) + ("# Your task\n\n" if parts else ""), ""

    def _record(
        self, table: TaskTable, alias: str, prompt: str, resume: str | None, label: str | None
    ) -> TaskRecord | Outcome:
        if resume:
            known = table.get(resume)
            if known is None:
                ids = ", ".join(record.id for record in table.all()) or "none yet"
                return refused(alias, f"There is no task {resume!r}. Tasks: {ids}.")
            if known.role != alias:
                return refused(alias, f"Task {resume} belongs to {known.role!r}, not to {alias!r}.")
            return known
        digest = prompt_digest(prompt)
        interrupted = table.take_interrupted(alias, digest)
        if interrupted is not None:
            return interrupted
        return table.add(
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

    def _run_task(
        self,
        parent: LocalConversation,
        attachment: Attachment,
        table: TaskTable,
        record: TaskRecord,
        entry: Entry,
        message: str,
    ) -> Outcome:
        """Open the task's conversation, run it, write down how it went, close it."""
        # Another call may have run this task while this one waited for its lock.
        record = table.get(record.id) or record
        # A claimed task of a dead process goes on where it was: its prompt is there.
        unfinished = record.state == "running" and record.runs > 0
        fleet = attachment.fleet
        key = record.id if attachment.key == MAIN else f"{attachment.key}/{record.id}"
        parent_agent: Agent = parent.agent  # type: ignore[assignment]
        agent = build_subagent(record.role, self._scope, parent_agent)
        record = replace(record, state="running", model=agent.llm.model, runs=record.runs + 1)
        table.put(record)
        conversation = open_conversation(
            agent,
            parent,
            entry=entry,
            directory=table.directory,
            conversation_id=UUID(record.conversation_id),
            label=record.label or f"{record.role} {record.id}",
            callback=fleet.observer(key),
        )
        attach(conversation, Attachment(fleet=fleet, key=key))
        prices = {llm.model: known_price(llm) is not None for llm in agent.get_all_llms()}
        entered = False
        try:
            # Initialising the agent restores what it had spent before.
            conversation._ensure_agent_ready()
            fleet.enter(
                RoleView(
                    key=key,
                    role="/".join((*self._scope.path, record.role)),
                    label=record.label,
                    model=agent.llm.model,
                    started=record.started,
                ),
                conversation,
                budget=entry.budget,
                prices=prices,
                steps=entry.steps,
            )
            entered = True
            if not (unfinished and has_user_message(conversation)):
                send(conversation, message, _sender(parent))
            run_until_done(conversation, fleet, f"{record.role} {record.id}")
            state, text = task_ending(ending_of(conversation, fleet, key), entry, fleet)
            if state == "completed" and fleet.ended_at(key) is not None:
                # It finished with an account of why its own delegation did not.
                state = "failed"
        except Exception as error:  # noqa: BLE001  whatever ends a task, its parent goes on
            cause = getattr(error, "original_exception", error)
            state, text = "failed", redacted(describe(cause), agent.llm)
        finally:
            parent.conversation_stats.usage_to_metrics[f"{TASK_PREFIX}{record.id}"] = (
                conversation.conversation_stats.get_combined_metrics()
            )
            conversation.close()
        if entered:
            fleet.leave(key, state)
        table.put(replace(record, state=state, result=text))
        return Outcome(record.id, record.role, state, told(state, text, record, stops=entry.stops))

    def _failed(self, table: TaskTable, record: TaskRecord, text: str) -> Outcome:
        table.put(replace(record, state="failed", result=text))
        return Outcome(record.id, record.role, "failed", text)

    def close(self) -> None:
        """Remove what was kept only for this process."""
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)


def _sender(parent: LocalConversation) -> str | None:
    return getattr(parent._visualizer, "_name", None)


def _asked(table: TaskTable, alias: str) -> int:
    """How often a sub-agent was asked, corrections included."""
    return sum(record.runs for record in table.all() if record.role == alias)


def _all_rounds(alias: str, rounds: int) -> str:
    return f"{alias!r} was asked {rounds} times, as often as it may be. Decide without it."
