"""Whether the CLI made conversations somewhere else than where we hold it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from openhands_strategies.openhands_cli.changed import changed
from openhands_strategies.openhands_cli.record import STATE
from openhands_strategies.runtime.run_file import FILE


def kept(directory: Path) -> dict[str, int]:
    """Name of each conversation that is kept, to the time of its last change in nanoseconds."""
    return {path.parent.name: path.stat().st_mtime_ns for path in directory.glob(f"*/{STATE}")}


def check_made_here(before: Mapping[str, int], directory: Path, resumed: str | None) -> None:
    """Say that a strategy was left out; for a process that was asked for no conversation.

    Args:
        before: What `kept` gave before the CLI ran.
        directory: Where conversations are kept.
        resumed: Name of the one that was to be resumed.

    Raises:
        LoadError: `openhands_cli_changed` when there is a conversation all the same.
    """
    for name, at in kept(directory).items():
        # What has a record was made by another process of ours.
        made = name not in before and not (directory / name / FILE).exists()
        if made or (name == resumed and before.get(name) != at):
            raise changed(
                f"conversations made by openhands_cli.setup.Conversation, but {name} was made"
                " elsewhere and WITHOUT the strategy"
            )
