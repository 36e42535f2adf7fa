"""What changes in a lock file, in lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from openhands_strategies.cli.text import printable
from openhands_strategies.project.lock_change import Change, state_of
from openhands_strategies.project.lock_file import Locked, LockedGit

_FILES: Final = 20


def change_lines(changes: Iterable[Change]) -> Iterator[str]:
    """Commits or versions, then files, then every capability that came or went."""
    for change in changes:
        yield f"{change.name}: {_state(change.old)} -> {_state(change.new)}"
        if change.files is not None:
            yield from _file_lines("+", change.files.added)
            yield from _file_lines("-", change.files.removed)
            yield from _file_lines("~", change.files.changed)
        can = change.capabilities
        for word, found in (("can now", can.added), ("can no longer", can.removed)):
            for kind, lines in found.items():
                yield from (f"  {word}: {kind}: {line}" for line in lines)


def short(commit: str) -> str:
    """A commit id as people quote it."""
    return commit[:12]


def _state(locked: Locked | None) -> str:
    if isinstance(locked, LockedGit):
        return short(locked.commit)
    return printable(state_of(locked) or "nothing", 80)


def _file_lines(sign: str, files: Sequence[str]) -> Iterator[str]:
    yield from (f"  {sign} {printable(path, 500)}" for path in files[:_FILES])
    if len(files) > _FILES:
        yield f"  {sign} and {len(files) - _FILES} files more; --json names them"
