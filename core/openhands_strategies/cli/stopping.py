"""Ctrl-C: the first one stops all agents and what they started, the second ends at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.cli.boundary import INTERRUPTED
from openhands_strategies.cli.processes import end, end_all, started_since
from openhands_strategies.errors import RunError
from openhands_strategies.runtime.report import Report, role_rows
from openhands_strategies.runtime.run_file import write_run
from openhands_strategies.runtime.usage import known_price

if TYPE_CHECKING:
    from openhands_strategies.runtime.run import Run

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Seconds: for commands to end by themselves, then for the agents to notice.
_GENTLE: Final = 2.5
_PATIENCE: Final = 5.0


@contextmanager
def certain_interrupt() -> Iterator[None]:
    """Let Ctrl-C count in this block even where a library swallows the exception.

    An interrupt that arrives in a finalizer or a callback, as it may during an import of
    ten seconds, would be printed and forgotten; here it ends the block at the latest.
    """
    seen = False

    def handle(_: int, __: FrameType | None) -> None:
        nonlocal seen
        seen = True
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if seen:
        raise KeyboardInterrupt


class Interrupts:
    """Handles signals of the terminal inside its `with` block (main thread only).

    Attributes:
        requested: Whether the user wants to stop.
        asking: Whether the main thread reads an answer; a signal then breaks that off.
    """

    def __init__(self, mark: str) -> None:
        """Args: mark: What all processes of this run carry."""
        self.requested = False
        self.asking = False
        self._mark = mark
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        for one in _SIGNALS:
            self._before[one] = signal.signal(one, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        if self.requested:
            # A second Ctrl-C may come as late as it likes.
            return
        for one, before in self._before.items():
            signal.signal(one, before)

    def _handle(self, _: int, __: FrameType | None) -> None:
        if self.requested:
            end_everything(self._mark)
            os._exit(INTERRUPTED)
        self.requested = True
        if self.asking:
            raise KeyboardInterrupt


def end_everything(mark: str) -> None:
    """Kill what is left of all that was started; what those start meanwhile, too."""
    end_all(lambda: started_since(mark))


def stop(run: Run, mark: str, done: threading.Event, wait: Callable[[float], None]) -> bool:
    """Stop all agents of a run and end their commands.

    Args:
        run: The run; its worker sets `done` when it has written everything down.
        mark: What all processes of this run carry.
        done: Set by the worker.
        wait: Waits some seconds, or until `done`, and draws meanwhile.

    Returns:
        Whether the worker ended. If not, it hangs in a model call: the process has to
        be left without it.
    """
    run.fleet.stop()
    begun = time.monotonic()
    asked: set[int] = set()
    while not done.is_set() and time.monotonic() - begun < _GENTLE:
        # A model call that ends now may still start a command. Interactive shells
        # ignore this signal, and are closed by their terminal.
        fresh = started_since(mark) - asked
        end(fresh, signal.SIGTERM)
        asked |= fresh
        wait(0.2)
    if not done.is_set():
        for conversation in run.fleet.conversations():
            threading.Thread(target=_close_tools, args=(conversation,), daemon=True).start()
        while not done.is_set() and time.monotonic() - begun < _PATIENCE:
            wait(0.2)
    end_everything(mark)
    return done.is_set()


def _close_tools(conversation: Any) -> None:
    """Close the tools of a conversation that cannot close itself, as it would."""
    for tool in list(conversation.agent.tools_map.values()):
        close = getattr(getattr(tool, "executor", None), "close", None)
        if close is not None:
            try:
                close()
            # Any tool may fail here; the others are closed all the same.
            except Exception:  # noqa: BLE001, S112
                continue


def interrupted_report(run: Run) -> Report:
    """The report of a run whose worker hangs; `run.json` says `interrupted` afterwards."""
    views = run.fleet.views()
    seconds = max((view.seconds for view in views if view.key == view.role), default=0.0)
    write_run(run.home, replace(run.file, status="interrupted"))
    return Report(
        status="interrupted",
        conversation_id=run.id,
        strategy=run.file.strategy,
        params=run.prepared.params,
        answer="",
        roles=role_rows(views, known_price(run.prepared.agent.llm)),
        seconds=seconds,
        error=RunError(
            "interrupted",
            "the run was stopped before all of its agents came to a halt",
            f"ohs run --resume {run.id}",
        ),
    )
