"""Start and resume sub-agents for one conversation's task tool.

This is the only code of ours that runs after a conversation has started. It keeps its
own table of aliases and tasks, so nothing is ever registered with the SDK's global
registry, and the SDK's own task manager is not involved.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from openhands_strategies.errors import StrategyError, describe
from openhands_strategies.runtime.admission import Admission, refusal_of, told_again
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
    refused,
    task_ending,
    told,
)
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.spawn import build_subagent, open_conversation
from openhands_strategies.runtime.table import SUBAGENTS_DIR, TaskRecord, TaskTable
from openhands_strategies.runtime.usage import TASK_PREFIX, known_price
from openhands_strategies.runtime.worktrees.apart import (
    have_worktrees,
    moved,
    remove_worktrees,
    with_changes,
)
from openhands_strategies.runtime.worktrees.attempts import Attempts

if TYPE_CHECKING:
    from openhands.sdk import Agent
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation

_DEFAULT_ALIAS: Final = "general-purpose"


class Delegation:
    """Sub-agents of one conversation.

    Args:
        scope: Aliases and everything needed to make them.
        kept: Where the conversation keeps its files; None keeps none.
    """

    def __init__(self, scope: Scope, *, kept: Path | None = None) -> None:
        self._scope = scope
        self._kept = kept
        self._lock = threading.Lock()
        self._table: TaskTable | None = None
        self._admission: Admission | None = None
        self._attempts: Attempts | None = None
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
        table, admission, attempts, attachment = self._attached(parent)
        if self._ended(parent, attachment):
            return refused(alias, ended_text(*self._end_of(attachment)))
        lost = None if resume else admission.lost_answer(alias, prompt)
        if lost is not None:
            outcome = told_again(lost, entry)
        else:
            earlier, missing = self._earlier_results(entry, table)
            refusal = refusal_of(alias, missing, attachment.fleet)
            if refusal is not None:
                return refusal
            record = admission.admit(alias, entry, prompt, resume, label)
            if isinstance(record, Outcome):
                return record
            message = prompt if resume else entry.prompt.replace("{task}", f"{earlier}{prompt}")
            with table.lock(record.id):
                try:
                    outcome = self._run_task(
                        parent, attachment, table, attempts, record, entry, message
                    )
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

    def apply(self, parent: LocalConversation, task_id: str) -> tuple[bool, str]:
        """Take over what a task did in its worktree; whether it went well, and what to say."""
        return self._attached(parent)[2].apply(task_id)

    def _attached(
        self, parent: LocalConversation
    ) -> tuple[TaskTable, Admission, Attempts, Attachment]:
        """Open the table on first use and find the run that this conversation is part of."""
        with self._lock:
            if self._table is None or self._admission is None or self._attempts is None:
                self._table = TaskTable(self._directory(parent))
                self._admission = Admission(self._table, parent)
                self._attempts = Attempts(self._table)
            attachment = attachment_of(parent)
            if attachment is None:
                attachment = self._join(parent)
            return self._table, self._admission, self._attempts, attachment

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

    def _run_task(
        self,
        parent: LocalConversation,
        attachment: Attachment,
        table: TaskTable,
        attempts: Attempts,
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
        # Going on is no new run.
        runs = record.runs + (not unfinished)
        record = replace(record, state="running", model=agent.llm.model, runs=runs)
        table.put(record)
        base: Path | None = None
        if entry.worktree:
            home = Path(parent.state.workspace.working_dir).resolve()
            base = attempts.open(record, home)
            message = moved(message, home, base)
        conversation = open_conversation(
            agent,
            parent,
            entry=entry,
            directory=table.directory,
            conversation_id=UUID(record.conversation_id),
            label=record.label or f"{record.role} {record.id}",
            callback=fleet.observer(key),
            base=base,
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
            if not (unfinished and _has_finished(conversation)):
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
        if entry.worktree:
            state, text = with_changes(attempts, record, entry, fleet, state, text)
        if entered:
            fleet.leave(key, state)
        table.put(replace(record, state=state, result=text))
        return Outcome(record.id, record.role, state, told(state, text, record, stops=entry.stops))

    def _failed(self, table: TaskTable, record: TaskRecord, text: str) -> Outcome:
        table.put(replace(record, state="failed", result=text))
        return Outcome(record.id, record.role, "failed", text)

    def close(self) -> None:
        """Remove the worktrees, and what was kept only for this process."""
        kept = self._kept / SUBAGENTS_DIR if self._kept is not None else self._temporary
        if kept is not None and have_worktrees(self._scope.agents):
            remove_worktrees(kept)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)


def _sender(parent: LocalConversation) -> str | None:
    return getattr(parent._visualizer, "_name", None)


def _has_finished(conversation: LocalConversation) -> bool:
    """Whether only what comes after the agent's last step is missing."""
    from openhands.sdk.conversation.state import ConversationExecutionStatus

    return conversation.state.execution_status == ConversationExecutionStatus.FINISHED
