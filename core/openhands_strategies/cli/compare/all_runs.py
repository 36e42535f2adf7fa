"""Carries out the runs of a comparison, some at a time, and stops them when the user says so."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from openhands_strategies.cli.compare.children import Children
from openhands_strategies.cli.compare.one_run import Settings, carry_out
from openhands_strategies.cli.compare.results import Directory
from openhands_strategies.cli.compare.screen import Row, Screen
from openhands_strategies.cli.processes import mark_children
from openhands_strategies.cli.stopping import Interrupts, end_everything

_TICK: Final = 0.12
# Seconds that `ohs run` may take to stop its agents and their commands; see stopping.py.
_PATIENCE: Final = 12.0


def run_all(
    directory: Directory,
    wanted: Sequence[tuple[str, int]],
    screen: Screen,
    *,
    base_url: str | None,
    jobs: int,
    keep: bool,
) -> bool:
    """Carry out some runs; each result is on disk as soon as there is one.

    Args:
        directory: The comparison.
        wanted: Name and number of each run.
        screen: Shows how they stand.
        base_url: The model's server, in full.
        jobs: How many at a time.
        keep: Whether copies are kept.

    Returns:
        False when the user stopped it, or else True.

    Raises:
        StrategyError: The workspace cannot be copied or a result not written; the other
            runs were stopped.
    """
    mark = mark_children()
    children = Children()
    work = _Work(directory, Settings(children, base_url, keep), wanted)
    with Interrupts(mark) as interrupts, screen:
        threads = [
            threading.Thread(target=work.go_on, name=f"ohs-compare-{number}", daemon=True)
            for number in range(min(jobs, len(wanted)))
        ]
        for thread in threads:
            thread.start()
        end: float | None = None
        while any(thread.is_alive() for thread in threads):
            if end is None and (interrupts.requested or work.problems):
                screen.note("stopping all runs and their commands (again: end at once)")
                children.stop()
                end = time.monotonic() + _PATIENCE
            if end is not None and time.monotonic() > end:
                end_everything(mark)
                end = time.monotonic() + 1
            screen.update(work.rows())
            time.sleep(_TICK)
        if children.stopped:
            end_everything(mark)
        screen.update(work.rows())
    if work.problems:
        raise work.problems[0]
    return not children.stopped and not interrupts.requested


@dataclass
class _Work:
    directory: Directory
    settings: Settings
    wanted: Sequence[tuple[str, int]]
    problems: list[BaseException] = field(default_factory=list)
    _rows: dict[tuple[str, int], Row] = field(default_factory=dict)
    _todo: queue.SimpleQueue[tuple[str, int]] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        for one in self.wanted:
            self._rows[one] = Row(*one)
            self._todo.put(one)

    def rows(self) -> list[Row]:
        return list(self._rows.values())

    def go_on(self) -> None:
        """Work in this thread until nothing is left, or all is stopped."""
        contenders = {one.name: one for one in self.directory.question.contenders}
        while not self.settings.children.stopped:
            try:
                one = self._todo.get_nowait()
            except queue.Empty:
                return
            try:
                self._rows[one] = Row(*one, "copying", time.monotonic())
                result = carry_out(
                    self.directory,
                    contenders[one[0]],
                    one[1],
                    self.settings,
                    partial(self._tell, one),
                )
                if result is not None:
                    self.directory.write(result)
                state = "interrupted" if result is None else result.status
                self._rows[one] = replace(self._rows[one], state=state, result=result)
            # Whatever it is, the main thread raises it again.
            except BaseException as problem:  # noqa: BLE001
                self.problems.append(problem)
                return

    def _tell(self, one: tuple[str, int], state: str) -> None:
        self._rows[one] = replace(self._rows[one], state=state)
