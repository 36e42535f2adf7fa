"""What an event says a role is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openhands.sdk.event import Event


def activity_of(event: Event) -> str:
    """A few words on one line; empty when the event says nothing about it."""
    from openhands.sdk.event import ActionEvent, MessageEvent, ObservationBaseEvent

    if isinstance(event, ActionEvent):
        action = event.action
        detail = ""
        for name in ("command", "path", "description", "message"):
            value = getattr(action, name, None)
            if isinstance(value, str) and value:
                path = getattr(action, "path", None)
                detail = f"{value} {path}" if name == "command" and path else value
                break
        return " ".join(f"{event.tool_name} {detail}".split())[:200]
    if isinstance(event, MessageEvent) and event.source == "agent":
        return "answering"
    if isinstance(event, ObservationBaseEvent):
        return "thinking"
    return ""
