"""A running git: its output, its progress, its limits, and its end."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Final

from openhands_strategies.errors import ResolveError
from openhands_strategies.sources.git_place import GitPlace, Progress

_TICK: Final = 0.25
_STAGE: Final = re.compile(r"(?:remote: )?([A-Z][a-z]+ [a-z ]+):\s+\d+% \((\d+)/(\d+)\)")


class Output:
    """Passes stdout on, or holds it up to the limit."""

    def __init__(self, place: GitPlace, sink: Callable[[bytes], None] | None) -> None:
        self.held = bytearray()
        self._place = place
        self._sink = sink

    def feed(self, chunk: bytes) -> None:
        if self._sink is not None:
            self._sink(chunk)
            return
        self.held += chunk
        if len(self.held) > self._place.limits.output:
            raise ResolveError(
                "git_output_too_large",
                f"{self._place.url}: git printed over {self._place.limits.output} bytes",
                "the repository has too many files or branches for a strategy's",
            )


class Lines:
    """Splits stderr into progress, which is told, and lines, of which the last are kept."""

    def __init__(self, progress: Progress | None) -> None:
        self.kept: list[str] = []
        self._progress = progress
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        *whole, rest = re.split(rb"[\r\n]", self._rest + chunk)
        self._rest = rest[-4096:]
        for raw in whole:
            self._line(raw)

    def finish(self) -> None:
        self._line(self._rest)
        self._rest = b""

    def _line(self, raw: bytes) -> None:
        line = raw[:4096].decode("utf-8", "replace")
        stage = _STAGE.match(line)
        if stage is None:
            if line.strip():
                self.kept = [*self.kept[-99:], line]
        elif self._progress is not None:
            self._progress(stage[1].lower(), int(stage[2]), int(stage[3]))


def pump(process: subprocess.Popen[bytes], output: Output, lines: Lines, place: GitPlace) -> None:
    """Read what git writes until it has ended.

    Raises:
        ResolveError: `git_timeout`, `git_download_too_large`, or what a reader raises.
    """
    assert process.stdout is not None and process.stderr is not None  # noqa: S101, PT018
    last = time.monotonic() + place.limits.seconds
    weighed = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, output.feed)
        selector.register(process.stderr, selectors.EVENT_READ, lines.feed)
        while selector.get_map():
            ended = process.poll() is not None
            ready = selector.select(0 if ended else _TICK)
            # A helper or ssh master that lives on may hold the pipes open for ever.
            if ended and not ready:
                break
            for key, _ in ready:
                chunk = os.read(key.fd, 1 << 16)
                if chunk:
                    key.data(chunk)
                else:
                    selector.unregister(key.fileobj)
            now = time.monotonic()
            if now > last:
                raise _timeout(place)
            if now - weighed > _TICK:
                weighed = now
                _weigh(place)
    try:
        process.wait(max(0.0, last - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise _timeout(place) from error
    _weigh(place)
    lines.finish()


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill git and all that it started, unless it is done."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _weigh(place: GitPlace) -> None:
    size = 0
    for directory, _, names in place.directory.walk():
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # git renames what it has written
                size += (directory / name).lstat().st_size
    if size > place.limits.download:
        raise ResolveError(
            "git_download_too_large",
            f"{place.url}: git fetched over {place.limits.download >> 20} MB",
            "a repository of strategies is small; ask its server to allow filters",
        )


def _timeout(place: GitPlace) -> ResolveError:
    return ResolveError(
        "git_timeout",
        f"{place.url}: git did not finish within {place.limits.seconds:g} seconds",
        "the server does not answer; try again later",
    )
