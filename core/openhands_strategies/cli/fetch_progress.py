"""A bar on stderr while git fetches: on a terminal only, and only when git has work."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from openhands_strategies.cli.frame import Frame
from openhands_strategies.cli.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from openhands_strategies.sources.git_place import Progress


@contextmanager
def fetch_progress(frame: Frame) -> Iterator[Progress | None]:
    """Give a `Fetching` whom to tell; what was drawn is gone afterwards.

    Yields:
        None where nobody looks: stderr is no terminal, or stdout takes a document.
    """
    if frame.json or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    with ExitStack() as stack:
        bars: list[Bar] = []

        def tell(stage: str, done: int | None, total: int | None) -> None:
            if not bars:
                # What is in the store already never pays for the import.
                bars.append(stack.enter_context(_bar()))
                bars[0].add_task("", total=None)
            bar, task = bars[0], bars[0].tasks[0]
            if task.description != stage:
                # Without a reset the new stage keeps the old one's total and time.
                bar.reset(task.id, total=total, description=printable(stage, 60))
            bar.update(task.id, total=total, completed=done or 0)

        yield tell


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=console.is_dumb_terminal,
        redirect_stdout=False,
        redirect_stderr=False,
    )
