"""What earlier processes wrote down about a run."""

from __future__ import annotations

from pathlib import Path

from openhands_strategies.runtime.fleet import RoleView
from openhands_strategies.runtime.table import walk_records


def views_of(conversation_dir: Path) -> list[RoleView]:
    """All tasks below a conversation, nested ones included; one left running was interrupted."""
    return [
        RoleView(
            key=key,
            role=record.role,
            label=record.label,
            model=record.model,
            state="interrupted" if record.state == "running" else record.state,
            seconds=record.seconds,
            started=record.started,
            usage=record.usage,
        )
        for key, record in walk_records(conversation_dir)
    ]
