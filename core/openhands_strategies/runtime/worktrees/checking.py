"""Run the command that judges what a task has left, and keep the end of its output."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHECK_SECONDS: Final = 900.0
"""After which a check counts as failed."""

_TAIL: Final = 2000
_TICK: Final = 0.1


@dataclass(frozen=True)
class Verdict:
    """How a check went.

    Attributes:
        exit_code: None when it was ended.
        stopped: Whether it was ended because the run is being stopped, not by its time.
        seconds: How long it ran.
        tail: The end of what it printed, at most 2000 characters.
    """

    exit_code: int | None
    seconds: float
    tail: str
    stopped: bool = False

    @property
    def passed(self) -> bool:
        return self.exit_code == 0


def run_check(
    command: str,
    workspace: Path,
    log: Path,
    *,
    stopping: Callable[[], bool],
    seconds: float = CHECK_SECONDS,
) -> Verdict:
    """Run a shell command in a directory; exit code 0 is a pass.

    Args:
        command: For `/bin/sh`.
        workspace: Where it runs.
        log: File that takes all it prints.
        stopping: Whether the run is to end now.
        seconds: After which it is ended, with all that it started.
    """
    begun = time.monotonic()
    # Git variables of the caller's would lead a check that uses git elsewhere.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = _wait(process, begun + seconds, stopping)
        finally:
            # What it left running in the background would go on in a removed directory.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    stopped = code is None and stopping()
    return Verdict(code, time.monotonic() - begun, _tail(log), stopped)


def _wait(
    process: subprocess.Popen[bytes], last: float, stopping: Callable[[], bool]
) -> int | None:
    while True:
        try:
            return process.wait(_TICK)
        except subprocess.TimeoutExpired:
            if time.monotonic() > last or stopping():
                return None


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 4 * _TAIL))
        text = file.read().decode("utf-8", "replace").strip()
    return text if len(text) <= _TAIL else "…" + text[-_TAIL:]
