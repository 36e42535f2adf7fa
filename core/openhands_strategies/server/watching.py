"""The main agent of a server's conversation, as part of its fleet.

A local run gives its conversation callbacks and keeps it in hand. On the server the
conversation is made by upstream, again after each restart, and all that ever reaches us
is its state, when the agent makes its tools. The state's `append_event` is where every
event passes, so there the main agent is watched: what it does, what it spends, and
whether it must stop.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from openhands_strategies.runtime.fleet import Fleet
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.usage import known_price

if TYPE_CHECKING:
    from openhands.sdk.conversation.conversation_stats import ConversationStats
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation
    from openhands.sdk.conversation.state import ConversationState
    from openhands.sdk.event import Event

    from openhands_strategies.runtime.entries import Scope

_ATTRIBUTE: Final = "_openhands_strategies_watch"
_SHADOWED: Final = "append_event"
# Status of a conversation to how its role's last run ended.
_ENDINGS: Final = {
    "finished": "finished",
    "paused": "interrupted",
    "waiting_for_confirmation": "waiting",
    "idle": "interrupted",
}


class _Main:
    """What a fleet needs of a conversation, from its state alone."""

    def __init__(self, state: ConversationState) -> None:
        self._state = state

    @property
    def conversation_stats(self) -> ConversationStats:
        return self._state.stats

    def pause(self) -> None:
        """Stop after the present step.

        The step that calls this holds the state's lock, perhaps in another thread, so the
        lock is not taken here.
        """
        from openhands.sdk.conversation.state import ConversationExecutionStatus as Status

        if self._state.execution_status in (Status.IDLE, Status.RUNNING):
            self._state.execution_status = Status.PAUSED


class Watch:
    """Follows one conversation from its state.

    Attributes:
        fleet: The run's live state; a new one after a stop, so that it can go on.
    """

    def __init__(self, state: ConversationState, scope: Scope) -> None:
        self._state = state
        self._scope = scope
        self._lock = threading.RLock()
        self._working = False
        self.fleet = self._new_fleet()

    def _new_fleet(self) -> Fleet:
        kept = self._state.persistence_dir
        return Fleet(
            budget=self._scope.budget,
            steps=self._scope.steps,
            warn_at=self._scope.warn_at,
            directory=Path(kept) if kept else None,
        )

    def on_event(self, event: Event) -> None:
        """Take notice of an event that was just stored."""
        from openhands.sdk.event import ConversationStateUpdateEvent

        if not isinstance(event, ConversationStateUpdateEvent):
            self.fleet.observer(MAIN)(event)
        elif event.key == "execution_status":
            self._on_status(str(getattr(event.value, "value", event.value)))

    def _on_status(self, status: str) -> None:
        with self._lock:
            if status == "running":
                self._begin()
            elif self._working:
                self._working = False
                reason = self.fleet.reason(MAIN)
                by_bound = reason in ("budget", "fleet_budget", "steps") and status == "paused"
                self.fleet.leave(MAIN, "limit" if by_bound else _ENDINGS.get(status, "failed"))
                if status == "paused" and not by_bound:
                    # Somebody stopped the main agent: its sub-agents stop as well.
                    self.fleet.stop()

    def _begin(self) -> None:
        if self._working:
            return
        self._working = True
        if self.fleet.stopping:
            self.fleet = self._new_fleet()
        agent = self._state.agent
        self.fleet.enter(
            RoleView(key=MAIN, role=MAIN, model=agent.llm.model),
            cast("LocalConversation", _Main(self._state)),
            budget=None,
            prices={llm.model: known_price(llm) is not None for llm in agent.get_all_llms()},
        )


def watch(state: ConversationState, scope: Scope) -> Watch:
    """Watch the conversation of this state; a second call returns the same watch.

    Args:
        state: State of a conversation that runs in this process.
        scope: Of its task tool set; the bounds of the whole fleet stand there.
    """
    found = state.__dict__.get(_ATTRIBUTE)
    if isinstance(found, Watch):
        return found
    made = Watch(state, scope)
    append = state.append_event

    def append_and_tell(event: Event) -> Any:
        number = append(event)
        made.on_event(event)
        return number

    # pydantic neither checks nor writes out what stands beside a model's fields.
    state.__dict__[_ATTRIBUTE] = made
    state.__dict__[_SHADOWED] = append_and_tell
    return made
