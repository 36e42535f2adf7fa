"""Docstrings with sections (`Args:`, `Attributes:`, `Raises:`, `Returns:`) as Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_SECTION = re.compile(r"(Args|Attributes|Raises|Returns):")
_ENTRY = re.compile(r"([A-Za-z_*][\w*, ]*): (.*)")


@dataclass
class Docstring:
    """A docstring in pieces.

    Attributes:
        text: What stands before the sections.
        sections: Title to its lines, without their indentation.
    """

    text: str = ""
    sections: dict[str, list[str]] = field(default_factory=dict)

    def entries(self, title: str) -> dict[str, str]:
        """`name: text` of a section, each text on one line."""
        found: dict[str, str] = {}
        name = ""
        for line in self.sections.get(title, []):
            match = None if line.startswith(" ") else _ENTRY.fullmatch(line)
            if match:
                name = match[1]
                found[name] = match[2]
            elif name:
                found[name] += f" {line.strip()}"
        return found


def parse(text: str | None) -> Docstring:
    """Split a docstring at its sections."""
    found = Docstring()
    before: list[str] = []
    lines = before
    for line in inspect.cleandoc(text or "").splitlines():
        match = _SECTION.fullmatch(line)
        if match:
            lines = found.sections.setdefault(match[1], [])
        elif lines is before:
            lines.append(line)
        elif line.strip() and not line.startswith(" "):
            lines = before
            lines.append(line)
        else:
            lines.append(line[4:])
    found.text = "\n".join(before).strip()
    return found


def cell(text: str) -> str:
    """A text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table of Markdown; nothing where there are no rows."""
    if not rows:
        return ""
    lines = [head, tuple("---" for _ in head), *(tuple(cell(one) for one in row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def remarks(docstring: Docstring) -> list[str]:
    """What it returns and what it raises, as paragraphs."""
    found = []
    if returns := " ".join(" ".join(docstring.sections.get("Returns", [])).split()):
        found.append(f"Returns: {returns}")
    raised = [f"`{name}`: {text}" for name, text in docstring.entries("Raises").items()]
    if raised:
        found.append("Raises " + " ".join(raised))
    return found
