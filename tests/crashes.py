"""Kill -9 at every step: a child dies before its nth change of the file system.

The steps are found by an audit hook, so that no code under test knows of it: every file
that is opened for writing, every rename, removal, directory, link and mode is one.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_CHANGES = (
    *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod"),
    *("os.symlink", "os.link", "os.truncate", "os.utime"),
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def killed_at_every_step(
    prepare: Callable[[int], object],
    action: Callable[[], object],
    check: Callable[[], object],
    *,
    below: str,
    limit: int = 400,
) -> int:
    """Run `action` in a child again and again, killed one step later each time.

    Args:
        prepare: Called with the number before each run, to make the ground as it was.
        action: What is killed; runs in a child.
        check: Called after each kill; raises when what is left is not sound.
        below: Only changes below this directory are steps.
        limit: Most steps.

    Returns:
        After how many steps the action was done.
    """
    for number in range(1, limit):
        prepare(number)
        child = os.fork()
        if child == 0:
            try:
                with _dying_at(number, below):
                    action()
            except BaseException as error:  # noqa: BLE001 (a child of a test must not go on)
                print(f"step {number}: {error!r}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, f"step {number}: the action failed by itself"
            return number - 1
        assert os.WTERMSIG(status) == signal.SIGKILL
        check()
    raise AssertionError(f"not done after {limit} steps")


@contextmanager
def _dying_at(number: int, below: str) -> Iterator[None]:
    left = number

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event == "open":
            flags = arguments[2]
            if not isinstance(flags, int) or not flags & _WRITING:
                return
        elif event not in _CHANGES:
            return
        path = arguments[0]
        if isinstance(path, (str, bytes, os.PathLike)) and not os.fsdecode(path).startswith(below):
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    yield
