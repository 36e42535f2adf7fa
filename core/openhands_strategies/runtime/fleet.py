"""The live state of one run: who works, what it costs, and whether it must stop.

Every conversation of a run, the main one and each sub-agent's, reports its events
here. The fleet adds up their dollars and model calls while they work and pauses a
conversation when a bound is reached, its own, that of a task it works for, or the fleet's,
or when the user wants to stop. That works on every SDK, whether or not it knows budgets.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from openhands_strategies.runtime.activity import activity_of
from openhands_strategies.runtime.history import read_views, write_views
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.usage import Usage, grown, own_cost, own_usage

if TYPE_CHECKING:
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation
    from openhands.sdk.event import ActionEvent, Event

ConfirmHandler = Callable[[str, "list[ActionEvent]"], bool]
StopReason = Literal["budget", "fleet_budget", "steps", "outer", "stop"]


@dataclass
class _Live:
    """A conversation that is open, and what its statistics said when it was opened."""

    conversation: LocalConversation
    begun: float
    budget: float | None
    steps: int | None
    prices: dict[str, bool]
    start: dict[str, Usage]
    start_cost: float
    spent_before: float = 0.0
    calls_before: int = 0
    reason: StopReason | None = None

    @property
    def cost(self) -> float:
        """Dollars since it was opened."""
        return own_cost(self.conversation.conversation_stats) - self.start_cost


@dataclass
class Fleet:
    """All conversations of one run.

    Attributes:
        budget: Dollars of the whole fleet; None means no bound.
        steps: Model calls of the whole fleet; None means no bound.
        warn_at: Share of the budget at which `warning` is set; None warns of nothing.
        confirm: Asks the user about pending actions; None means nobody can answer.
        directory: Of the main conversation; the account is kept there. None keeps none.
    """

    budget: float | None = None
    steps: int | None = None
    warn_at: float | None = None
    confirm: ConfirmHandler | None = None
    directory: Path | None = None
    _views: dict[str, RoleView] = field(default_factory=dict)
    _live: dict[str, _Live] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _ended_at: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take over what earlier processes spent in this run."""
        if self.directory is not None:
            self._views = {view.key: view for view in read_views(self.directory)}

    def enter(
        self,
        view: RoleView,
        conversation: LocalConversation,
        *,
        budget: float | None,
        prices: dict[str, bool],
        steps: int | None = None,
    ) -> None:
        """Add a conversation that starts, or goes on, now.

        Args:
            view: Its role; a restored or earlier view of the same key is continued.
            conversation: The conversation, its earlier costs restored.
            budget: Dollars for this run of it and everything below it.
            prices: Model name to whether its price is known.
            steps: Model calls for this run of it and everything below it.
        """
        with self._lock:
            earlier = self._views.get(view.key, view)
            self._views[view.key] = replace(
                view,
                state="working",
                started=earlier.started or time.time(),
                seconds=earlier.seconds,
                usage=earlier.usage,
            )
            self._live[view.key] = _Live(
                conversation=conversation,
                begun=time.monotonic(),
                budget=budget,
                steps=steps,
                prices=prices,
                start=own_usage(conversation.conversation_stats, prices),
                start_cost=own_cost(conversation.conversation_stats),
            )
            # What it and those below it had used in earlier runs.
            live = self._live[view.key]
            live.spent_before = self._spent(view.key)
            live.calls_before = self._calls(view.key)
            self._write()

    def leave(self, key: str, state: str) -> RoleView:
        """Close a conversation's account and return its last view."""
        with self._lock:
            view = replace(self._current(key), state=state, activity="")
            self._views[key] = view
            self._live.pop(key, None)
            self._write()
            return view

    def observer(self, key: str) -> Callable[[Event], None]:
        """The callback for the conversation `key`."""

        def on_event(event: Event) -> None:
            from openhands.sdk.event import ActionEvent, MessageEvent, ObservationBaseEvent

            with self._lock:
                view = self._views.get(key)
                if view is not None:
                    self._views[key] = replace(view, activity=activity_of(event) or view.activity)
            from_model = isinstance(event, (ActionEvent, MessageEvent)) and event.source == "agent"
            if from_model:
                with self._lock:
                    self._write()
            if from_model or isinstance(event, ObservationBaseEvent):
                self._check(key)

        return on_event

    def _check(self, key: str) -> None:
        """Pause the conversation `key` when a bound is reached.

        Runs in the conversation's own thread, which holds its state lock.
        """
        with self._lock:
            live = self._live.get(key)
            if live is None or live.reason is not None:
                return
            live.reason = self._reason(key)
            if live.reason is None:
                return
        live.conversation.pause()

    def _reason(self, key: str) -> StopReason | None:
        if self._stop.is_set():
            return "stop"
        if self.over_budget:
            return "fleet_budget"
        if self.over_steps:
            return "steps"
        for outer in _way_up(key):
            live = self._live.get(outer)
            if live is None:
                continue
            if live.budget is not None and self._spent(outer) - live.spent_before >= live.budget:
                return "budget" if outer == key else "outer"
            if live.steps is not None and self._calls(outer) - live.calls_before >= live.steps:
                return "steps" if outer == key else "outer"
        return None

    def _spent(self, key: str) -> float:
        """Dollars of a conversation and everything below it, in all its runs."""
        written = sum(view.cost_usd for one, view in self._views.items() if _is_below(one, key))
        return written + sum(live.cost for one, live in self._live.items() if _is_below(one, key))

    def _calls(self, key: str) -> int:
        """Model calls of a conversation and everything below it, in all its runs."""
        keys = [one for one in self._views if _is_below(one, key)]
        return sum(usage.calls for one in keys for usage in self._current(one).usage)

    def reason(self, key: str) -> StopReason | None:
        """Why the conversation `key` was paused, if a bound did it."""
        with self._lock:
            live = self._live.get(key)
            return live.reason if live else None

    @property
    def spent(self) -> float:
        """Dollars of all conversations so far."""
        with self._lock:
            return self._spent(MAIN)

    @property
    def over_budget(self) -> bool:
        return self.budget is not None and self.spent >= self.budget

    @property
    def over_steps(self) -> bool:
        """Whether all conversations together have made as many model calls as they may."""
        if self.steps is None:
            return False
        with self._lock:
            return self._calls(MAIN) >= self.steps

    @property
    def warning(self) -> str:
        """One line once the share `warn_at` of the budget is spent; empty before."""
        if self.budget is None or self.warn_at is None:
            return ""
        spent = self.spent
        if spent < self.budget * self.warn_at:
            return ""
        return f"${spent:.4f} of the budget of ${self.budget:g} are spent"

    def end_at(self, key: str, alias: str, state: str) -> None:
        """Write down that the delegation of `key` ended at a task that did not complete."""
        with self._lock:
            self._ended_at[key] = (alias, state)

    def ended_at(self, key: str) -> tuple[str, str] | None:
        """The alias and the state of the task that ended the delegation of `key`."""
        with self._lock:
            return self._ended_at.get(key)

    def go_on(self, key: str) -> None:
        """Forget where the delegation of `key` ended: the user has said something new."""
        with self._lock:
            self._ended_at.pop(key, None)

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask every conversation to pause after what it does now, and end its tools.

        May be called from any thread. A model call in flight is not cut off.
        """
        self._stop.set()
        with self._lock:
            conversations = [live.conversation for live in self._live.values()]
        for conversation in conversations:
            token = getattr(conversation, "cancel_token", None)
            if token is not None:
                token.cancel()

    def conversations(self) -> list[LocalConversation]:
        """The conversations that are open now."""
        with self._lock:
            return [live.conversation for live in self._live.values()]

    def views(self) -> list[RoleView]:
        """All conversations, main first, in the order in which they started."""
        with self._lock:
            keys = sorted(self._views, key=lambda key: (key != MAIN, self._views[key].started, key))
            return [self._current(key) for key in keys]

    def _current(self, key: str) -> RoleView:
        view = self._views[key]
        live = self._live.get(key)
        if live is None:
            return view
        now = own_usage(live.conversation.conversation_stats, live.prices)
        seconds = view.seconds + time.monotonic() - live.begun
        return replace(view, usage=grown(view.usage, live.start, now), seconds=seconds)

    def _write(self) -> None:
        if self.directory is not None:
            write_views(self.directory, [self._current(key) for key in self._views])


def _is_below(key: str, above: str) -> bool:
    """Whether `key` is the conversation `above`, or works for it."""
    return above in (MAIN, key) or key.startswith(f"{above}/")


def _way_up(key: str) -> list[str]:
    """The conversation, then the tasks it works for, innermost first; not the main one."""
    if key == MAIN:
        return []
    pieces = key.split("/")
    return ["/".join(pieces[:count]) for count in range(len(pieces), 0, -1)]
