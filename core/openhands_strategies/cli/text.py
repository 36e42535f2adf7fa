"""Plain text for terminals: aligned, and safe whatever a stranger wrote."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from openhands_strategies.errors import StrategyError
from openhands_strategies.manifest.files import printable

__all__ = ["aligned", "error_lines", "many_lines", "printable", "say", "warn"]


def aligned(rows: Iterable[Sequence[str]], *, indent: str = "", gap: str = "  ") -> list[str]:
    """Lay rows out in columns; the last column is as long as it is."""
    table = [list(row) for row in rows]
    widths = [
        max((len(row[column]) for row in table if column < len(row) - 1), default=0)
        for column in range(max((len(row) for row in table), default=0))
    ]
    return [
        (
            indent
            + gap.join(
                cell if column == len(row) - 1 else cell.ljust(widths[column])
                for column, cell in enumerate(row)
            )
        ).rstrip()
        for row in table
    ]


def many_lines(text: str) -> str:
    """A text of several lines without control characters (escapes, bells, returns)."""
    return "\n".join(
        "".join(
            char if char.isprintable() or char == "\t" else char.encode("unicode_escape").decode()
            for char in line
        )
        for line in text.replace("\r\n", "\n").split("\n")
    )


def error_lines(error: StrategyError, *, kind: str = "error") -> list[str]:
    """`error: message [code]` and, when there is one, `hint: …`."""
    lines = [f"{kind}: {printable(error.message, 2000)} [{error.code}]"]
    if error.hint:
        lines.append(f"hint: {printable(error.hint, 2000)}")
    return lines


def say(text: str = "") -> None:
    """Print a line for people, on stderr."""
    print(text, file=sys.stderr, flush=True)


def warn(error: StrategyError) -> None:
    """Print what failed beside the point, on stderr; the command goes on."""
    for line in error_lines(error, kind="warning"):
        say(line)
