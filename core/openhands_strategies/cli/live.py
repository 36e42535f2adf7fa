"""The live table on a terminal: a line for each role and task, and the total."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from openhands_strategies.cli.screen import cost_of, dollars, state_of
from openhands_strategies.cli.text import printable
from openhands_strategies.runtime.roles import RoleView
from openhands_strategies.runtime.usage import total

_STYLES: Final = {
    "working": "cyan",
    "done": "green",
    "escalated": "yellow",
    "limit": "yellow",
    "failed": "red",
    "interrupted": "red",
}


class LiveTable:
    """Draws on stderr, over what it drew before; text of models is never markup."""

    def __init__(self, console: Console) -> None:
        """Args: console: A terminal, not stdout."""
        self._console = console
        self._views: Sequence[RoleView] = ()
        self._live = self._new_live()

    def _new_live(self) -> Live:
        # stdout and stderr stay as they are: nothing else prints during a run.
        return Live(
            console=self._console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def update(self, views: Sequence[RoleView]) -> None:
        """Draw the table anew."""
        self._views = views
        self._live.update(_table(views, self._console.height - 3), refresh=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to somebody else, then draw below."""
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._new_live()
            self._live.start()
            self.update(self._views)

    def note(self, text: str) -> None:
        """Print a line above the table."""
        self._console.print(Text(printable(text)))


def _table(views: Sequence[RoleView], rows: int) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim", expand=True)
    for name, ratio in (("role", None), ("task", 2), ("state", None), ("now", 3)):
        table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=ratio)
    for name in ("s", "calls", "tokens", "$"):
        table.add_column(name, no_wrap=True, justify="right")
    # Where the screen is too small, the main agent and the newest tasks are shown.
    shown = views if len(views) <= rows else [*views[:1], *views[len(views) - max(rows - 1, 1) :]]
    for view in shown:
        table.add_row(*_row(view))
    usage = total(one for view in views for one in view.usage)
    seconds = max((view.seconds for view in views), default=0.0)
    table.add_row(
        Text("total", style="bold"),
        Text("" if len(shown) == len(views) else f"{len(views) - len(shown)} more"),
        Text(""),
        Text(""),
        Text(f"{seconds:.0f}"),
        Text(str(usage.calls)),
        Text(_short(usage.input_tokens + usage.output_tokens)),
        Text(dollars(cost_of(views)), style="bold"),
    )
    return table


def _row(view: RoleView) -> tuple[Text, ...]:
    usage, state = total(view.usage), state_of(view)
    return (
        Text(printable(view.role, 40)),
        Text(printable(view.label, 100)),
        Text(state, style=_STYLES.get(state, "")),
        Text(printable(view.activity, 200), style="dim"),
        Text(f"{view.seconds:.0f}"),
        Text(str(usage.calls)),
        Text(_short(usage.input_tokens + usage.output_tokens)),
        Text(dollars(cost_of([view]))),
    )


def _short(tokens: int) -> str:
    return str(tokens) if tokens < 10_000 else f"{tokens / 1000:.1f}k"
