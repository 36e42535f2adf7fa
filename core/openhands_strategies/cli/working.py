"""One run from start to report: agents in a worker thread, the terminal in this one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openhands_strategies.cli.confirming import Questions, can_ask
from openhands_strategies.cli.fetch_progress import fetch_progress
from openhands_strategies.cli.frame import Frame
from openhands_strategies.cli.preamble import preamble
from openhands_strategies.cli.processes import mark_children
from openhands_strategies.cli.screen import Lines, Screen, Silent
from openhands_strategies.cli.sdk import stdout_reserved
from openhands_strategies.cli.starting import Request, Surroundings, get_ready
from openhands_strategies.cli.stopping import (
    Interrupts,
    certain_interrupt,
    end_everything,
    interrupted_report,
    stop,
)
from openhands_strategies.cli.text import say, warn
from openhands_strategies.runtime.report import Report
from openhands_strategies.runtime.roles import MAIN

if TYPE_CHECKING:
    from rich.console import Console

    from openhands_strategies.runtime.run import Run

_TICK = 0.12


def run_request(request: Request, frame: Frame) -> Report:
    """Run what was asked for; everything but the result is shown on the way, on stderr.

    When agents still hang in a model call after a stop, `frame.last_act` is set.

    Raises:
        StrategyError: Nothing was started.
    """
    # Tools and strategies print where they like; the result is for stdout alone.
    with stdout_reserved():
        progress = _nothing if frame.json else say
        with certain_interrupt():
            ready = get_ready(
                request,
                Surroundings(
                    warn=warn,
                    progress=progress,
                    fetching=lambda: fetch_progress(frame),
                    debug=frame.debug,
                ),
            )
        from openhands_strategies.runtime.run import open_run

        asks = can_ask() and not frame.json
        resumed = request.resume is not None
        for line in preamble(ready, can_ask=asks, resumed=resumed):
            say(line)
        questions = Questions()
        mark = mark_children()
        with Interrupts(mark) as interrupts:
            run = open_run(
                ready.prepared,
                ready.file,
                ready.home,
                confirm=questions.ask if asks else None,
            )
            screen = _screen(frame, run)
            report = _Work(run, request.task, screen, questions, interrupts, mark).report()
            if report is None:
                report = interrupted_report(run)
                frame.last_act = lambda: end_everything(mark)
        return report


def stderr_console() -> Console:
    """A console for people. A pipe or a file gets lines that are not folded early."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 120
    return console


def _nothing(_: str) -> None:
    """Progress is for people."""


def _screen(frame: Frame, run: Run) -> Screen:
    if frame.json:
        return Silent()
    console = stderr_console()
    if not console.is_terminal or console.is_dumb_terminal or frame.debug:
        return Lines(earlier=[view for view in run.fleet.views() if view.key != MAIN])
    from openhands_strategies.cli.live import LiveTable

    return LiveTable(console)


@dataclass
class _Work:
    run: Run
    task: str | None
    screen: Screen
    questions: Questions
    interrupts: Interrupts
    mark: str
    done: threading.Event = field(default_factory=threading.Event)
    result: Report | None = None
    problem: BaseException | None = None
    warned: bool = False

    def report(self) -> Report | None:
        """Work until the end, or until the user stops it; None when the worker hangs."""
        threading.Thread(target=self._worker, name="ohs-run", daemon=True).start()
        with self.screen:
            while not self.done.is_set() and not self.interrupts.requested:
                self._wait(_TICK)
                if self.questions.pending:
                    self._answer()
            if not self.done.is_set():
                self._stop()
            self.screen.update(self.run.fleet.views())
            self._warn()
        if self.problem is not None:
            raise self.problem
        return self.result

    def _worker(self) -> None:
        from openhands_strategies.runtime.run import execute

        try:
            self.result = execute(self.run, self.task)
        # Whatever it is, the main thread raises it again.
        except BaseException as problem:  # noqa: BLE001
            self.problem = problem
        finally:
            self.done.set()

    def _wait(self, seconds: float) -> None:
        self.done.wait(seconds)
        self.screen.update(self.run.fleet.views())
        self._warn()

    def _warn(self) -> None:
        """Say once that most of the budget is spent."""
        warning = "" if self.warned else self.run.fleet.warning
        if warning:
            self.warned = True
            self.screen.note(f"warning: {warning}")

    def _answer(self) -> None:
        self.interrupts.asking = True
        try:
            with self.screen.paused():
                self.questions.answer_next()
        except KeyboardInterrupt:
            say()
        finally:
            self.interrupts.asking = False

    def _stop(self) -> None:
        self.screen.note("stopping all agents and their commands (again: end at once)")
        # First the fleet: a question that is refused now must not start a model call.
        self.run.fleet.stop()
        self.questions.close()
        stop(self.run, self.mark, self.done, self._wait)
