"""Drive one conversation to its end; the same for a main agent and a sub-agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from openhands_strategies.runtime.fleet import Fleet, StopReason

if TYPE_CHECKING:
    from openhands.sdk.conversation.base import BaseConversation
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation

NO_ANSWER: Final = "nobody can confirm actions in this run, so it was rejected"
_LIMIT_CODES: Final = frozenset({"MaxIterationsReached", "MaxBudgetReached"})


@dataclass(frozen=True)
class Ending:
    """How a run of a conversation ended.

    Attributes:
        kind: `finished`, `limit` (of the SDK), `failed`, or why the fleet paused it.
        answer: The agent's last words; also those before a stop.
        detail: What the SDK says about a stop.
    """

    kind: Literal["finished", "limit", "failed"] | StopReason
    answer: str
    detail: str = ""


def run_until_done(conversation: LocalConversation, fleet: Fleet, who: str) -> None:
    """Run, and ask about each action that the policy wants confirmed.

    Args:
        conversation: An open conversation.
        fleet: Knows how to ask, and whether the run is to stop.
        who: Names the role when the user is asked.
    """
    from openhands.sdk.conversation.state import ConversationExecutionStatus

    waiting = ConversationExecutionStatus.WAITING_FOR_CONFIRMATION
    # To run a conversation that waits is to say yes: a resumed one is asked about first.
    if conversation.state.execution_status != waiting:
        _run(conversation)
    while (
        conversation.state.execution_status == waiting
        and not fleet.stopping
        and _answered(conversation, fleet, who)
    ):
        _run(conversation)


def _answered(conversation: LocalConversation, fleet: Fleet, who: str) -> bool:
    """Have pending actions allowed or rejected; False when the user stops the run meanwhile."""
    from openhands.sdk.conversation.state import ConversationState

    pending = ConversationState.get_unmatched_actions(conversation.state.events)
    if pending and fleet.confirm is None:
        conversation.reject_pending_actions(NO_ANSWER)
    elif pending and fleet.confirm is not None:
        yes = fleet.confirm(who, pending)
        if fleet.stopping:
            return False
        if not yes:
            conversation.reject_pending_actions("the user said no")
    return True


def _run(conversation: BaseConversation) -> None:
    # The SDK's tracing decorator hides the signature on the subclass.
    conversation.run()


def send(conversation: BaseConversation, text: str, sender: str | None = None) -> None:
    """Give a conversation a user message."""
    conversation.send_message(text, sender=sender)


def ending_of(conversation: LocalConversation, fleet: Fleet, key: str) -> Ending:
    """Judge from the conversation's state, never from its last words."""
    from openhands.sdk.conversation.response_utils import get_agent_final_response
    from openhands.sdk.conversation.state import ConversationExecutionStatus

    events = list(conversation.state.events)
    status = conversation.state.execution_status
    answer = get_agent_final_response(events)
    if status == ConversationExecutionStatus.FINISHED:
        return Ending("finished", answer)
    reason = fleet.reason(key)
    if reason is not None:
        return Ending(reason, answer)
    if fleet.stopping:
        return Ending("stop", answer)
    # 1.21 has the event class in another module; its name is the same.
    error = next(
        (event for event in reversed(events) if type(event).__name__ == "ConversationErrorEvent"),
        None,
    )
    detail = str(getattr(error, "detail", "")) or f"It stopped in the state {status.value!r}."
    limit = getattr(error, "code", "") in _LIMIT_CODES
    return Ending("limit" if limit else "failed", answer, detail)


def has_user_message(conversation: LocalConversation) -> bool:
    """Whether anybody has given this conversation its task yet."""
    return user_messages(conversation) > 0


def user_messages(conversation: LocalConversation) -> int:
    """How often the user, or the delegating agent, has said something."""
    from openhands.sdk.event import MessageEvent

    return sum(
        isinstance(event, MessageEvent) and event.source == "user"
        for event in conversation.state.events
    )
