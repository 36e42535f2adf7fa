"""`ohs` on a real terminal: what it draws, and what a person types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Terminal:
    """A process whose stdin and stderr are a terminal; stdout is a pipe."""

    process: subprocess.Popen[bytes]
    master: int
    seen: str = ""
    _read: int = field(default=0, repr=False)

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """Read until the text comes, after what was waited for before."""
        deadline = time.monotonic() + seconds
        while text not in self.seen[self._read :]:
            assert time.monotonic() < deadline, self.seen
            if not self._more():
                assert text in self.seen[self._read :], self.seen
        start = self._read
        self._read = self.seen.index(text, start) + len(text)
        return self.seen[start : self._read]

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self, seconds: float = 60) -> tuple[int, str]:
        """Wait for the end; exit code and stdout."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.seen
            self._more()
        while self._more():
            pass
        assert self.process.stdout is not None
        return self.process.returncode, self.process.stdout.read().decode()

    def _more(self) -> bool:
        if not select.select([self.master], [], [], 0.1)[0]:
            return self.process.poll() is None
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)


@contextmanager
def terminal(cwd: Path, *arguments: str, **environ: str) -> Iterator[Terminal]:
    """Run `ohs ARGUMENTS` on a terminal of 120 by 30."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "openhands_strategies", *arguments],
        cwd=cwd,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "30", **environ},
        stdin=slave,
        stderr=slave,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        os.close(slave)
        try:
            yield Terminal(process, master)
        finally:
            process.kill()
            os.close(master)
