"""Which run a conversation belongs to.

The SDK's task tool is given nothing but the conversation that calls it, so what the
run shares (its fleet, and the way to ask the user) is kept on that object itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation

    from openhands_strategies.runtime.fleet import Fleet

_ATTRIBUTE: Final = "_openhands_strategies"


@dataclass(frozen=True)
class Attachment:
    """A conversation's place in a run: the fleet, and its key there."""

    fleet: Fleet
    key: str


def attach(conversation: LocalConversation, attachment: Attachment) -> Attachment:
    """Make a conversation part of a run."""
    conversation.__dict__[_ATTRIBUTE] = attachment
    return attachment


def attachment_of(conversation: LocalConversation) -> Attachment | None:
    """The run a conversation is part of, if anybody attached it."""
    found = conversation.__dict__.get(_ATTRIBUTE)
    return found if isinstance(found, Attachment) else None
