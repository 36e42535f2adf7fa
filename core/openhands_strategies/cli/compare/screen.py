"""What is shown while strategies are compared, and the table at the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from openhands_strategies.cli.compare.result import Result
from openhands_strategies.cli.text import printable, say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_STYLES: Final = {
    "copying": "cyan",
    "working": "cyan",
    "checking": "cyan",
    "finished": "green",
    "limit": "yellow",
    "failed": "red",
    "error": "red",
    "interrupted": "red",
}


@dataclass(frozen=True)
class Row:
    """How one run stands.

    Attributes:
        strategy: Name of the contender.
        number: From 1.
        state: `waiting`, `copying`, `working`, `checking` or the status of the result.
        begun: Reading of the monotonic clock at its start.
        result: Once there is one.
    """

    strategy: str
    number: int
    state: str = "waiting"
    begun: float | None = None
    result: Result | None = None


class Screen(Protocol):
    """Shows rows; used by the main thread only, as a context manager."""

    def __enter__(self) -> Screen: ...
    def __exit__(self, *_: object) -> None: ...
    def update(self, rows: Sequence[Row]) -> None: ...
    def note(self, text: str) -> None: ...


class Silent:
    """Shows nothing: stdout takes one JSON document."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, rows: Sequence[Row]) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""


class Lines(Silent):
    """One line on stderr when a run starts and one when it ends."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, int], str] = {}

    def update(self, rows: Sequence[Row]) -> None:
        for row in rows:
            who, before = (row.strategy, row.number), self._told.get((row.strategy, row.number))
            if row.state == "waiting" or before == "ended":
                continue
            if before is None:
                say(f"{row.strategy} #{row.number} started")
            ended = row.state not in ("copying", "working", "checking")
            if ended:
                say(f"{row.strategy} #{row.number} {row.state}{_figures(row.result)}")
            self._told[who] = "ended" if ended else "started"

    def note(self, text: str) -> None:
        say(text)


class LiveTable:
    """A table on a terminal, a line for each run; drawn over what it drew before."""

    def __init__(self, console: Console) -> None:
        """Args: console: A terminal, not stdout."""
        from rich.live import Live

        self._console = console
        self._live = Live(
            console=console,
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

    def update(self, rows: Sequence[Row]) -> None:
        self._live.update(_live_table(rows, self._console.height - 3), refresh=True)

    def note(self, text: str) -> None:
        self._console.print(printable(text))


def _live_table(rows: Sequence[Row], height: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim")
    for name in ("strategy", "#", "state", "check", "s", "$"):
        table.add_column(name, no_wrap=True, justify="right" if name in "#s$" else "left")
    # Where the screen is too small, what works now and what comes next counts most.
    order = sorted(rows, key=lambda row: (row.result is not None, row.state == "waiting"))
    shown = set(map(id, order[: max(height, 1)]))
    for row in rows:
        if id(row) in shown:
            table.add_row(
                Text(row.strategy),
                Text(str(row.number)),
                Text(row.state, style=_STYLES.get(row.state, "dim")),
                Text(_verdict(row.result)),
                Text(_seconds(row)),
                Text("" if row.result is None else _cost(row.result)),
            )
    ended = sum(1 for row in rows if row.result is not None)
    table.add_row(Text("total", style="bold"), Text(""), Text(f"{ended} of {len(rows)} ended"))
    return table


def final_table(document: dict[str, Any]) -> Table:
    """The table of all strategies: means over their runs, and how many succeeded."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("strategy", overflow="fold")
    for name in ("success", "dollars", "seconds", "input", "cached", "output"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("runs", overflow="fold")
    for row in document["results"]:
        table.add_row(*map(Text, _cells(row)))
    return table


def role_lines(document: dict[str, Any]) -> list[str]:
    """Who spends what, for every strategy that has more than one role."""
    return [
        f"{row['name']}: "
        + ", ".join(
            f"{printable(one['role'], 40)} {money(one['cost_usd'])}" for one in row["roles"]
        )
        for row in document["results"]
        if len(row["roles"]) > 1
    ]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    seconds = row["seconds"]["mean"]
    return (
        row["name"],
        "-" if row["success_rate"] is None else f"{row['succeeded']}/{row['checked']}",
        money(row["cost_usd"]["mean"], row["carried_out"]),
        "-" if seconds is None else f"{seconds:.1f}",
        whole(row["input_tokens"]["mean"]),
        percent(row["cached_share"]),
        whole(row["output_tokens"]["mean"]),
        ", ".join(f"{count} {status}" for status, count in row["statuses"].items()) or "none",
    )


def money(amount: float | None, runs: int = 1) -> str:
    """`$0.0123`, `unknown`, or `-` where there is no run."""
    return "-" if not runs else "unknown" if amount is None else f"${amount:.4f}"


def percent(share: float | None) -> str:
    """`42%` or `-`."""
    return "-" if share is None else f"{share:.0%}"


def whole(number: float | None) -> str:
    """A mean without its fraction, or `-`."""
    return "-" if number is None else f"{number:,.0f}"


def _figures(result: Result | None) -> str:
    if result is None:
        return ""
    if result.report is None:
        return "" if result.error is None else f": {printable(result.error['message'], 500)}"
    verdict = _verdict(result)
    return f"{f', check {verdict}' if verdict else ''}: {_agent_seconds(result)} s, {_cost(result)}"


def _verdict(result: Result | None) -> str:
    if result is None or result.check is None:
        return ""
    if result.check.exit_code is None:
        return "took too long"
    return "passed" if result.success else f"failed ({result.check.exit_code})"


def _cost(result: Result) -> str:
    return "" if result.report is None else money(result.report.get("cost_usd"))


def _agent_seconds(result: Result) -> str:
    return f"{(result.report or {}).get('seconds', 0.0):.1f}"


def _seconds(row: Row) -> str:
    if row.result is not None:
        return _agent_seconds(row.result) if row.result.report else ""
    return "" if row.begun is None else f"{time.monotonic() - row.begun:.0f}"
