"""A run on the server, looked at until it stands, and stopped when the user says so."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from openhands_strategies.cli.remote.answers import SaidRun, accepted, refusal, run_in
from openhands_strategies.cli.remote.client import Client, NoAnswerError
from openhands_strategies.cli.remote.confirming import (
    NOBODY,
    REFUSED,
    answer,
    ask,
    go_on,
    pending_actions,
)
from openhands_strategies.cli.remote.signals import Stops
from openhands_strategies.cli.screen import Screen
from openhands_strategies.cli.text import printable
from openhands_strategies.errors import RunError, StrategyError

WAITS: Final = "waiting_for_confirmation"
_WORKS: Final = ("running", "idle")
# Seconds.
_TICK: Final = 0.5
_LOST: Final = 60.0
_SLOWEST: Final = 8.0
_IDLE: Final = 5.0
_STOPPING: Final = 10.0
_SETTLING: Final = 10.0
_ASK_AGAIN: Final = 2.0


def report_on(
    client: Client, run: str, note: Callable[[str], None], seconds: float = _LOST
) -> SaidRun:
    """The report of a run; a server that was restarted knows it again.

    Args:
        client: Talks to the server.
        run: Id of the run.
        note: Takes a line for people.
        seconds: How long an answer is waited for.

    Raises:
        RunError: `server_lost` after so many seconds without an answer.
        StrategyError: What the server refuses.
    """
    begun, pause = time.monotonic(), _TICK
    while True:
        problem: StrategyError
        try:
            said = client.get(f"/api/strategies/runs/{run}")
            if said.status not in (502, 503, 504):
                return run_in(said)
            problem = refusal(said, "report on the run")
        except NoAnswerError as error:
            problem = error
        if time.monotonic() - begun + pause > seconds:
            raise RunError(
                "server_lost",
                f"run {run} may go on, but there was no word of it for {seconds:.0f} seconds:"
                f" {problem.message}",
                client.server.again(run),
            )
        if pause == _TICK:
            note(f"{printable(problem.message, 500)}; trying again for {seconds:.0f} seconds")
        time.sleep(pause)
        pause = min(2 * pause, _SLOWEST)


@dataclass
class Followed:
    """One run that is looked at.

    Attributes:
        asks: Whether somebody can be asked about actions.
        last: What the server said last.
        unstopped: Why the server did not stop it, where it was asked to.
    """

    client: Client
    run: str
    screen: Screen
    stops: Stops
    asks: bool
    last: SaidRun
    unstopped: str = field(default="", init=False)
    _asked: tuple[list[Any], float] = field(default=([], 0.0), init=False)

    def until_it_stands(self) -> SaidRun:
        """Follow the run until it ends, or until the user stops it.

        Returns:
            What the server said last.

        Raises:
            RunError: `server_lost` after a minute without an answer.
            StrategyError: The server refuses; the run is unknown or was deleted.
        """
        with self.screen:
            try:
                with self.stops.breaking():
                    self._follow()
            except KeyboardInterrupt:
                self._stop()
        return self.last

    def _follow(self) -> None:
        idle_since: float | None = None
        while True:
            said = self.last = report_on(self.client, self.run, self.screen.note)
            self.screen.update(said.views())
            if said.status not in (*_WORKS, WAITS):
                return
            idle_since = (idle_since or time.monotonic()) if said.status == "idle" else None
            # The next look waits for a server that is gone.
            with contextlib.suppress(NoAnswerError):
                if said.status == WAITS:
                    self._answer()
                elif idle_since is not None and time.monotonic() - idle_since > _IDLE:
                    # Somebody else refused an action, and nobody has let the run go on. To
                    # run one that waits for a yes would be to say yes.
                    if not pending_actions(self.client, self.run):
                        go_on(self.client, self.run)
                    idle_since = None
            time.sleep(_TICK)

    def _answer(self) -> None:
        actions = pending_actions(self.client, self.run)
        ids = [one.get("id") for one in actions]
        asked, when = self._asked
        if not ids or (ids == asked and time.monotonic() - when < _SETTLING):
            # Answered already, here or elsewhere; the next look tells what came of it.
            return
        yes, reason = False, NOBODY
        if self.asks:
            with self.screen.paused():
                yes, reason = ask(actions), REFUSED
            # Another person may have answered meanwhile: a yes is for what was shown only.
            if ids != [one.get("id") for one in pending_actions(self.client, self.run)]:
                self.screen.note("somebody else has answered already")
                return
        self._asked = (ids, time.monotonic())
        answer(self.client, self.run, yes=yes, reason=reason)

    def _stop(self) -> None:
        self.screen.note("stopping the run on the server (again: leave at once)")
        begun, asked = time.monotonic(), -_ASK_AGAIN
        self.unstopped = "it still works"
        while (passed := time.monotonic() - begun) < _STOPPING:
            try:
                if passed - asked >= _ASK_AGAIN:
                    asked = passed
                    self._interrupt()
                self.last = run_in(self.client.get(f"/api/strategies/runs/{self.run}", 5.0))
                self.screen.update(self.last.views())
                if self.last.status not in _WORKS:
                    self.unstopped = ""
                    return
                self.unstopped = "it still works"
            except StrategyError as error:
                self.unstopped = error.message
            time.sleep(0.2)

    def _interrupt(self) -> None:
        said = self.client.post(f"/api/conversations/{self.run}/interrupt", seconds=5.0)
        # One that has ended meanwhile cannot be interrupted; the report tells.
        with contextlib.suppress(StrategyError):
            accepted(said, "stop the run")
