"""Ctrl-C during a remote run: the first one stops it, the second one leaves."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from openhands_strategies.cli.boundary import INTERRUPTED

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stops:
    """Handles the terminal's signals inside its `with` block (main thread only).

    Args:
        waiting: Called at a first signal that has to wait for the present request.
        leaving: Called at the second signal, before the process ends.

    Attributes:
        requested: Whether the user wants to stop.
    """

    def __init__(self, waiting: Callable[[], None], leaving: Callable[[], None]) -> None:
        self.requested = False
        self._breaks = False
        self._waiting, self._leaving = waiting, leaving
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stops:
        for one in _SIGNALS:
            self._before[one] = signal.signal(one, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for one, before in self._before.items():
            signal.signal(one, before)

    @contextmanager
    def breaking(self) -> Iterator[None]:
        """Let the first signal end this block at once, also in the middle of a request.

        Raises:
            KeyboardInterrupt: The user wants to stop, now or already.
        """
        self._breaks = True
        try:
            if self.requested:
                raise KeyboardInterrupt
            yield
        finally:
            self._breaks = False

    def _handle(self, _: int, __: FrameType | None) -> None:
        if self.requested:
            self._leaving()
            os._exit(INTERRUPTED)
        self.requested = True
        if self._breaks:
            raise KeyboardInterrupt
        self._waiting()
