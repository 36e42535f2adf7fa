"""A conversation of the OpenHands CLI that follows a strategy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openhands.sdk.conversation.impl.local_conversation import LocalConversation
from openhands.sdk.conversation.state import ConversationExecutionStatus
from openhands.sdk.llm import Message, TextContent
from openhands.sdk.security.confirmation_policy import AlwaysConfirm, ConfirmRisky, NeverConfirm

from openhands_strategies.runtime.attachment import Attachment, attach
from openhands_strategies.runtime.driving import NO_ANSWER, has_user_message
from openhands_strategies.runtime.fleet import Fleet
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.usage import known_price

if TYPE_CHECKING:
    from openhands.sdk import Agent
    from openhands.sdk.event import Event
    from openhands.sdk.security.confirmation_policy import ConfirmationPolicyBase

    from openhands_strategies.runtime.prepare import Prepared

_WAITING: Final = ConversationExecutionStatus.WAITING_FOR_CONFIRMATION
# The fleet's bound on model calls and on dollars.
_BOUNDS: Final = {"steps": "StepsSpent", "budget": "BudgetSpent", "fleet_budget": "BudgetSpent"}


class StrategyConversation(LocalConversation):
    """A local conversation with a strategy's prompt, limits, budget and confirmation.

    The OpenHands CLI drives it as any other: it sends messages, runs, pauses, and sets the
    confirmation policy.

    Args:
        prepared: The strategy.
        agent: Its agent in the user's surroundings.
        headless: Whether nobody can be asked; what would be asked about is then rejected.
        floor: Confirmation that stays when the CLI asks for less.
        notes: Lines about what does not hold, for who is shown none at the start.
        given: Arguments that the CLI makes the conversation with.
    """

    def __init__(
        self,
        *,
        prepared: Prepared,
        agent: Agent,
        headless: bool,
        floor: str | None,
        notes: tuple[str, ...],
        **given: Any,
    ) -> None:
        self.prepared = prepared
        self.headless = headless
        self._floor = floor
        self.notes = notes
        directory = Path(given["persistence_dir"]) / given["conversation_id"].hex
        limits = prepared.limits
        self.fleet = Fleet(
            budget=limits.budget, steps=limits.steps, warn_at=limits.warn_at, directory=directory
        )
        self.tell: Callable[[str], None] = _on_stderr
        self._warned = False
        callbacks = [*(given.pop("callbacks", None) or []), self._observe]
        tags = {**(given.pop("tags", None) or {}), **prepared.blueprint.tags}
        tags["strategy"] = prepared.loaded.name[:256]
        if prepared.limits.iterations is not None:
            given["max_iteration_per_run"] = prepared.limits.iterations
        super().__init__(agent=agent, callbacks=callbacks, tags=tags, **given)
        attach(self, Attachment(fleet=self.fleet, key=MAIN))

    def _observe(self, event: Event) -> None:
        self.fleet.observer(MAIN)(event)

    # The SDK's tracing decorator hides the signatures that are overridden.
    def send_message(  # type: ignore[override]
        self, message: str | Message, sender: str | None = None
    ) -> None:
        """Send a user message; the first one stands in the strategy's prompt."""
        if not has_user_message(self):
            message = self._first(message)
        # What ended the delegation before is not the end of what the user wants now.
        self.fleet.go_on(MAIN)
        parent: Any = super()
        parent.send_message(message, sender)

    def _first(self, message: str | Message) -> str | Message:
        blueprint = self.prepared.blueprint
        if isinstance(message, str):
            return blueprint.first_message(message)
        texts = [part.text for part in message.content if isinstance(part, TextContent)]
        task = "\n\n".join(texts)
        first = blueprint.first_message(task)
        if first == task:
            return message
        others = [part for part in message.content if not isinstance(part, TextContent)]
        return message.model_copy(update={"content": [TextContent(text=first), *others]})

    def run(self) -> None:  # type: ignore[override]
        """Work until the agent finishes, asks, is paused or meets a bound."""
        self._ensure_agent_ready()
        if self.fleet.stopping:
            self._renew_fleet()
        if self.fleet.over_budget or self.fleet.over_steps:
            self._stop_at("fleet_budget" if self.fleet.over_budget else "steps")
            return
        llms = list(self.agent.get_all_llms())
        self.fleet.enter(
            RoleView(key=MAIN, role=MAIN, model=self.agent.llm.model),
            self,
            budget=None,
            prices={llm.model: known_price(llm) is not None for llm in llms},
        )
        parent: Any = super()
        step: Callable[[], None] = parent.run
        try:
            step()
            while self.headless and self.state.execution_status == _WAITING:
                self.reject_pending_actions(NO_ANSWER)
                step()
        finally:
            reason = self.fleet.reason(MAIN)
            self.fleet.leave(MAIN, str(self.state.execution_status.value))
        if reason in _BOUNDS:
            self._stop_at(reason)
        elif (ended := self.fleet.ended_at(MAIN)) is not None:
            self._end("PhaseFailed", f"{ended[0]!r} did not complete: {ended[1]}")
        if self.fleet.warning and not self._warned:
            self._warned = True
            self.tell(f"{self._name()}: {self.fleet.warning}")

    def pause(self) -> None:
        """Pause the main agent and every sub-agent after what they do now."""
        # The main agent holds its lock while it waits for its sub-agents.
        if len(self.fleet.conversations()) > 1:
            self.fleet.stop()
        super().pause()

    def _renew_fleet(self) -> None:
        """Go on after a pause: a fleet that was stopped stays so."""
        old = self.fleet
        self.fleet = Fleet(
            budget=old.budget,
            steps=old.steps,
            warn_at=old.warn_at,
            confirm=old.confirm,
            directory=old.directory,
        )
        attach(self, Attachment(fleet=self.fleet, key=MAIN))

    def _name(self) -> str:
        return f"strategy {self.prepared.loaded.name!r}"

    def _stop_at(self, reason: str) -> None:
        fleet = self.fleet
        if reason == "steps":
            used = f"all {fleet.steps} model calls are made"
        else:
            used = f"${fleet.spent:.4f} of ${fleet.budget or 0:g} are spent"
        # Nobody is asked about an action that would not run, and the CLI does not go on.
        if self.state.execution_status == _WAITING:
            self.reject_pending_actions(f"{used}, so it was not run")
        super().pause()
        self._end(_BOUNDS[reason], f"stopped: {used}")

    def _end(self, code: str, detail: str) -> None:
        """Say why the work ended, as the SDK says it of its own limits."""
        from openhands.sdk.event.conversation_error import ConversationErrorEvent

        text = f"{self._name()}: {detail}"
        with self._state:
            self._on_event(ConversationErrorEvent(source="environment", code=code, detail=text))
        # An editor is not shown these events.
        if self._visualizer is None:
            self.tell(text)

    def set_confirmation_policy(self, policy: ConfirmationPolicyBase) -> None:
        """Set the policy, or the strategy's where that asks more and nobody chose less."""
        super().set_confirmation_policy(_stricter(policy, self._floor))


def _on_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _stricter(policy: ConfirmationPolicyBase, floor: str | None) -> ConfirmationPolicyBase:
    if floor == "always":
        return AlwaysConfirm()
    if floor == "risky" and isinstance(policy, NeverConfirm):
        return ConfirmRisky()
    return policy
