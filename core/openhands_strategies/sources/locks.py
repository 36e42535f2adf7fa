"""Locks between processes, as files that a killed process cannot leave locked.

A lock file is empty and means nothing by itself: the kernel holds the lock and lets go of
it when the process ends, however it ends. Whoever removes a lock file does so while it
holds the lock alone; whoever waited then sees that its file is no longer the one at that
path, and starts again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from openhands_strategies.errors import LoadError

LOCK_SECONDS: Final = 120.0
_PAUSE: Final = 0.01


@contextmanager
def locked(
    path: Path,
    *,
    shared: bool = False,
    remove: bool = False,
    seconds: float = LOCK_SECONDS,
    code: str = "lock_busy",
    waiting: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Hold a lock.

    Args:
        path: Lock file; it and its directory are made when missing.
        shared: Whether others may hold it as well, as long as they share it too.
        remove: Whether the lock file goes when the lock is let go of; only for a lock
            that nobody shares.
        seconds: How long to wait for others.
        code: Of the error when that is not long enough.
        waiting: Called once before waiting.

    Raises:
        LoadError: `code` when others hold it for too long.
        OSError: The lock file cannot be made.
    """
    end = time.monotonic() + seconds
    handle = _take(path, shared)
    if handle is None:
        if waiting is not None:
            waiting()
        while handle is None:
            if time.monotonic() >= end:
                raise LoadError(
                    code,
                    f"another process has held {path} for {seconds:.0f} seconds",
                    "wait for it, or end it",
                )
            time.sleep(_PAUSE)
            handle = _take(path, shared)
    try:
        yield
    finally:
        if remove and not shared:
            path.unlink(missing_ok=True)
        os.close(handle)


def _take(path: Path, shared: bool) -> int | None:
    """One try: a descriptor that holds the lock, or None when it is another's."""
    import fcntl  # here, so that reading works where there is none

    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        handle = os.open(path, flags, 0o666)
    except FileNotFoundError:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, flags, 0o666)
        except FileNotFoundError:  # whoever held it is removing the directory
            return None
        except FileExistsError as error:
            if os.path.lexists(error.filename) and not Path(error.filename).is_dir():
                raise
            return None
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        if _is_same(handle, path):
            return handle
    except BlockingIOError:
        pass
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _is_same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False
