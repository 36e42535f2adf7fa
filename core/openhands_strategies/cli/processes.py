"""The processes that agents started, wherever they went, and ending them.

A shell may be a child of this process, or of a tmux server that is nobody's child, and
what it started may have left it. So before the first agent works this process puts a
mark into its environment, which all of them inherit. Where there is /proc they are found by that
mark; elsewhere, and where a child got an environment of its own, by descent.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

VARIABLE: Final = "OHS_PROCESS_MARK"
_PROC: Final = Path("/proc")
_HAS_PROC: Final = (_PROC / "self" / "environ").exists()


def mark_children() -> str:
    """Mark what this process starts from now on, and return the mark.

    An `ohs` that an agent starts keeps the marks of the ones above it.
    """
    mark = uuid4().hex
    os.environ[VARIABLE] = marks_with(mark)
    return mark


def marks_with(mark: str) -> str:
    """The value of `VARIABLE` for a child that carries our own marks and one more."""
    return " ".join([*os.environ.get(VARIABLE, "").split(), mark])


def started_since(mark: str) -> set[int]:
    """Ids of the processes below this one and of those with the mark.

    A tmux server is left out: it may serve others, and ends with its last session.
    """
    own = os.getpid()
    parents = _parents()
    found = {pid for pid in parents if pid != own and _descends(pid, own, parents)}
    found |= _marked(mark)
    return {pid for pid in found if not _name(pid).startswith("tmux")}


def end_marked(mark: str) -> None:
    """Kill every other process with the mark, a tmux server too; see `end_all`.

    Without /proc nothing is found: there a process group has to do.
    """
    end_all(lambda: _marked(mark))


def end_all(find: Callable[[], Collection[int]]) -> None:
    """Kill what `find` finds; what those start meanwhile, too."""
    for _ in range(5):
        left = find()
        if not left:
            return
        end(left, signal.SIGKILL)
        time.sleep(0.02)


def end(pids: Collection[int], how: signal.Signals) -> None:
    """Send a signal to each; one that has gone already is fine."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, how)


def _marked(mark: str) -> set[int]:
    if not _HAS_PROC:
        return set()
    pids = {int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()} - {os.getpid()}
    return {pid for pid in pids if mark.encode() in _environment(pid)}


def _parents() -> dict[int, int]:
    """Process id to parent's id, of everything that is visible."""
    if _HAS_PROC:
        found = {}
        for entry in _PROC.iterdir():
            if entry.name.isdigit():
                # The name in parentheses may hold anything, also parentheses.
                fields = _read(entry / "stat").rpartition(b")")[2].split()
                if len(fields) > 1 and fields[0] != b"Z":
                    found[int(entry.name)] = int(fields[1])
        return found
    listing = subprocess.run(
        ["/bin/ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False
    )
    pairs = [line.split() for line in listing.stdout.splitlines()]
    return {int(pair[0]): int(pair[1]) for pair in pairs if len(pair) == 2}


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    seen = set()
    while pid in parents and pid not in seen:
        seen.add(pid)
        pid = parents[pid]
        if pid == ancestor:
            return True
    return False


def _environment(pid: int) -> bytes:
    prefix = f"{VARIABLE}=".encode()
    return next(
        (one for one in _read(_PROC / str(pid) / "environ").split(b"\0") if one.startswith(prefix)),
        b"",
    )


def _name(pid: int) -> str:
    if _HAS_PROC:
        return _read(_PROC / str(pid) / "comm").decode(errors="replace")
    listing = subprocess.run(
        ["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return Path(listing.stdout.strip()).name


def _read(path: Path) -> bytes:
    # A process may end, or belong to somebody else, between listing and reading.
    with suppress(OSError):
        return path.read_bytes()
    return b""
