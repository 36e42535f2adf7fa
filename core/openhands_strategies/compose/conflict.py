"""What stands in the way of putting two parts together."""

from __future__ import annotations

from openhands_strategies.errors import BuildError


class MergeConflict(BuildError):
    """Two parts bring the same item, and they differ."""


def merge_conflict(kind: str, name: str, one: str, other: str, *, why: str = "") -> MergeConflict:
    """The error for an item that two parts bring.

    Args:
        kind: `tool`, `skill`, `subagent`, `mcp`, `tag`.
        name: Of the item.
        one: Label of the part that has it.
        other: Label of the part that brings another one.
    """
    return MergeConflict(
        "merge_conflict",
        f"{one!r} and {other!r} both bring the {kind} {name!r}{why}",
        f"rename one of them, or let {other!r} say that it replaces '{kind}:{name}'",
    )
