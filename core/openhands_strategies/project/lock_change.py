"""What changes for one entry when a lock file is written anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.changes import (
    CapabilityLines,
    Difference,
    FileChanges,
    capability_difference,
    capability_lines,
    file_changes,
)
from openhands_strategies.project.home import Home
from openhands_strategies.project.lock_file import Locked, LockedDistribution, LockedGit
from openhands_strategies.sources.entry import entry_of
from openhands_strategies.sources.store import get_tree


@dataclass(frozen=True)
class Change:
    """What changes for one entry of a lock file.

    Attributes:
        name: The entry.
        old: What was locked; None when it is new.
        new: What is locked now; None when it is no longer.
        capabilities: What it can do now and could not before, and the other way round.
        files: Files that differ; None when the old tree is not in the store.
    """

    name: str
    old: Locked | None
    new: Locked | None
    capabilities: Difference = field(default_factory=Difference)
    files: FileChanges | None = None

    def to_json(self) -> dict[str, Any]:
        """`{name, old, new, capabilities, files}`; old and new are commits or versions."""
        return {
            "name": self.name,
            "old": state_of(self.old),
            "new": state_of(self.new),
            "capabilities": self.capabilities.to_json(),
            "files": None if self.files is None else self.files.to_json(),
        }


def state_of(locked: Locked | None) -> str | None:
    """The commit id or the version that is locked."""
    if locked is None:
        return None
    return locked.version if isinstance(locked, LockedDistribution) else locked.commit


def change_of(name: str, old: Locked | None, new: Locked | None, home: Home) -> Change:
    """Compare what was locked with what is, as far as the store has the trees.

    Raises:
        LoadError: The new code cannot be read.
    """
    before, after = _tree(old, home), _tree(new, home)
    if after is None:
        return Change(name, old, new)
    can = _capabilities(after)
    if before is None:
        return Change(name, old, new, capability_difference({}, can))
    try:
        could = _capabilities(before)
    except LoadError:  # it could not run either
        could = {}
    return Change(name, old, new, capability_difference(could, can), file_changes(before, after))


def _tree(locked: Locked | None, home: Home) -> Path | None:
    return get_tree(home.store, locked.tree) if isinstance(locked, LockedGit) else None


def _capabilities(root: Path) -> CapabilityLines:
    return capability_lines(read_manifest(root, entry_of(root) or "").capabilities)
