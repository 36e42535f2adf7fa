"""The table at the end of a run: each role and model, and what delegation saved."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from openhands_strategies.cli.screen import dollars
from openhands_strategies.cli.text import printable
from openhands_strategies.runtime.report import Report, RoleRow


def print_summary(report: Report, console: Console) -> None:
    """Print the table of a report, and below it the comparison with the main model."""
    if not report.roles:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_footer=True)
    table.add_column("role", "total")
    table.add_column("model", overflow="fold")
    rows = report.roles
    for name, footer in (
        ("tasks", ""),
        ("calls", sum(row.calls for row in rows)),
        ("input", sum(row.input_tokens for row in rows)),
        ("cached", sum(row.cached_tokens for row in rows)),
        ("output", sum(row.output_tokens for row in rows)),
        ("seconds", f"{report.seconds:.1f}"),
        ("dollars", dollars(report.cost_usd)),
    ):
        table.add_column(name, str(footer), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, _cells(row)))
    console.print(table)
    for line in comparison(rows):
        console.print(Text(line))


def _cells(row: RoleRow) -> tuple[str, ...]:
    return (
        printable(row.role, 40),
        printable(row.model, 80),
        str(row.tasks),
        str(row.calls),
        str(row.input_tokens),
        str(row.cached_tokens),
        str(row.output_tokens),
        f"{row.seconds:.1f}",
        dollars(row.cost_usd),
    )


def comparison(rows: Sequence[RoleRow]) -> list[str]:
    """What the sub-agents' tokens would have cost at the main model's price."""
    compared = [row for row in rows[1:] if row.calls]
    if not compared:
        return []
    own = [row.cost_usd for row in compared]
    main = [row.at_main_price_usd for row in compared]
    at_main = None if None in main else sum(cost for cost in main if cost is not None)
    spent = None if None in own else sum(cost for cost in own if cost is not None)
    if at_main is None or spent is None:
        whose = "the main model" if at_main is None else "a sub-agent's model"
        return [f"saved by delegating: unknown, because the price of {whose} is unknown"]
    line = (
        f"The sub-agents' tokens cost {dollars(spent)}; at the main model's price it would have"
        f" been {dollars(at_main)}"
    )
    if dollars(at_main) == dollars(spent):
        return [line + "."]
    share = abs(at_main - spent) / at_main
    word = "saved" if spent < at_main else "more"
    return [f"{line}: {dollars(abs(at_main - spent))} ({share:.0%}) {word}."]
