"""The processes of a comparison: one at a time for each run, all of them stopped together."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Final

_TAIL: Final = 64 * 1024


class Stopped(Exception):
    """The comparison is being stopped, and nothing is started any more."""


@dataclass(frozen=True)
class Ended:
    """How one process ended.

    Attributes:
        exit_code: Negative for a signal; None when it was ended for taking too long.
        seconds: How long it ran.
        out: What it printed on stdout: all of it, or the end where `tail` was asked for.
        err: The end of what it printed on stderr.
    """

    exit_code: int | None
    seconds: float
    out: bytes
    err: bytes


@dataclass
class Children:
    """Starts processes in sessions of their own, from any thread, until it is stopped."""

    stopped: bool = False
    _live: dict[int, signal.Signals] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self,
        command: Sequence[str] | str,
        *,
        cwd: str,
        environ: Mapping[str, str],
        text: str = "",
        seconds: float | None = None,
        stop_with: signal.Signals = signal.SIGTERM,
        tail: bool = False,
    ) -> Ended:
        """Run a command to its end, and end what it leaves in its process group.

        Args:
            command: Arguments, or a line for the shell.
            cwd: Where it runs.
            environ: Its whole environment.
            text: What it reads on stdin.
            seconds: It is ended after so long.
            stop_with: What it gets when everything is stopped; with SIGINT only the
                process itself, which then ends its own children, else its group.
            tail: Whether only the end of stdout is wanted, with stderr in between.

        Raises:
            Stopped: Nothing was started.
            OSError: It cannot be started.
        """
        # Files without names: nobody else reads or fills them, and no pipe can run full.
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(text.encode())
            given.seek(0)
            begun = time.monotonic()
            with self._lock:
                if self.stopped:
                    raise Stopped
                process = subprocess.Popen(
                    command,
                    shell=isinstance(command, str),
                    cwd=cwd,
                    env=environ,
                    stdin=given,
                    stdout=out,
                    stderr=out if tail else err,
                    start_new_session=True,
                )
                self._live[process.pid] = stop_with
            try:
                code: int | None = process.wait(seconds)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                with self._lock:
                    # The group keeps its id as long as anything in it lives.
                    _signal_group(process.pid, signal.SIGKILL)
                    del self._live[process.pid]
                process.wait()
            took = time.monotonic() - begun
            return Ended(code, took, _read(out, _TAIL if tail else None), _read(err, _TAIL))

    def stop(self) -> None:
        """Start nothing any more, and ask every process to end."""
        with self._lock:
            self.stopped = True
            for pid, how in self._live.items():
                if how is signal.SIGINT:
                    with suppress(ProcessLookupError):
                        os.kill(pid, how)
                else:
                    _signal_group(pid, how)


def _signal_group(pid: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, how)


def _read(file: IO[bytes], tail: int | None) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(0 if tail is None else max(size - tail, 0))
    return file.read()
