"""Kill -9 at every step, and a disk that is full from every step on.

The steps are found by an audit hook in a child, so that no code under test knows of it: every
file that is opened for writing, every rename, removal, directory, link and mode is one.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable

_GROWING = ("os.rename", "os.mkdir", "os.symlink", "os.link")
_CHANGES = (*_GROWING, "os.remove", "os.rmdir", "os.chmod", "os.truncate", "os.utime")
# Where these events carry the directory that a relative path starts from, -1 for none.
_DIRECTORY = {"os.remove": 1, "os.rmdir": 1, "os.mkdir": 2}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

Strike = Callable[[str, bool], None]
"""Called at a step with its path and whether it lies inside a tree that is being removed."""


def killed_at_every_step(
    prepare: Callable[[int], object],
    action: Callable[[], object],
    check: Callable[[], object],
    *,
    below: str,
    inside: int = 10,
) -> int:
    """Run `action` in a child again and again, killed one step later each time.

    Args:
        prepare: Called with the number before each run, to make the ground as it was.
        action: What is killed; runs in a child.
        check: Called after each kill; raises when what is left is not sound.
        below: Only changes below this directory are steps.
        inside: Most kills inside trees that are being removed, where one step is much like
            the next: evenly spread over them. All other steps are taken one by one.

    Returns:
        How many steps the action has, those between included.
    """
    prepare(0)
    kinds = _kinds(action, below)
    removals = [number for number, removing in enumerate(kinds, 1) if removing]
    chosen = set(range(1, len(kinds) + 1)).difference(removals)
    chosen.update(removals[:: -(-len(removals) // inside) or 1])
    for number in sorted(chosen):
        prepare(number)
        left = number

        def strike(path: str, removing: bool) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        status, _ = _in_child(action, strike, below, _CHANGES)
        assert os.WIFSIGNALED(status), f"step {number} of {len(kinds)}: {os.WEXITSTATUS(status)}"
        assert os.WTERMSIG(status) == signal.SIGKILL
        check()
    return len(kinds)


def full_from_every_step(
    prepare: Callable[[int], object],
    action: Callable[[], str],
    check: Callable[[str, str], object],
    *,
    below: str,
) -> int:
    """Run `action` in a child again and again, the disk full one step later each time.

    From that step on whatever needs space fails with ENOSPC: opening a file for writing, a
    directory, a link, a rename. Removing goes on working.

    Args:
        prepare: Called with the number before each run, to make the ground as it was.
        action: Runs in a child; returns what it failed with, "" for nothing.
        check: Called after each run with that, and with the first path that was refused.
        below: Only what lies below this directory is on the full disk.

    Returns:
        How many steps the action has.
    """
    number = 0
    while True:
        number += 1
        prepare(number)
        left, first = number, ""

        def strike(path: str, removing: bool) -> None:
            nonlocal left, first
            if not path:
                return  # a file that is open already
            left -= 1
            if left <= 0:
                first = first or path
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

        status, said = _in_child(lambda: f"{action()}\n{first}", strike, below, _GROWING)  # noqa: B023
        assert status == 0, f"step {number}: the action ended with {status}"
        code, _, refused = said.partition("\n")
        if not refused:
            assert not code
            return number - 1
        check(code, refused)


def _kinds(action: Callable[[], object], below: str) -> list[bool]:
    """Which of all steps lie inside trees that are being removed."""
    kinds = []

    def counted() -> str:
        action()
        return "".join("r" if kind else "." for kind in kinds)

    status, said = _in_child(
        counted, lambda path, removing: kinds.append(removing), below, _CHANGES
    )
    assert status == 0, "the action failed by itself"
    return [kind == "r" for kind in said]


def _in_child(
    action: Callable[[], object], strike: Strike, below: str, events: Iterable[str]
) -> tuple[int, str]:
    """Run the action in a child; return its status and what it returned."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            sys.addaudithook(_hook(strike, below, frozenset(events)))
            os.write(writing, str(action()).encode())
        except BaseException:  # noqa: BLE001 (a child of a test must not go on)
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        said = stream.read()
    return os.waitpid(child, 0)[1], said


def _hook(
    strike: Strike, below: str, events: frozenset[str]
) -> Callable[[str, tuple[object, ...]], None]:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            flags = arguments[2]
            if not isinstance(flags, int) or not flags & _WRITING:
                return
        elif event not in events:
            return
        given = arguments[0]
        path = os.fsdecode(given) if isinstance(given, (str, bytes, os.PathLike)) else ""
        # A tree is removed by names relative to open directories.
        at = _DIRECTORY.get(event)
        removing = at is not None and arguments[at] != -1 and not path.startswith("/")
        if removing or not path or path.startswith(below):
            strike(path, removing)

    return hook
