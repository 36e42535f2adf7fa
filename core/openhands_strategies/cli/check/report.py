"""What people read: findings by file, then one line that sums up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from openhands_strategies.cli.text import printable

_BOUNDS_ONLY = ("generated parameters", "bounds")
_WORDS = ("error", "warning", "note")


def shown_path(root: Path, file: str) -> str:
    """A file of the strategy as one would type it from the current directory."""
    path = root / file
    try:
        return str(path.relative_to(Path.cwd().resolve()))
    except (ValueError, OSError):
        return file


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a check's document."""
    strategy, findings, checks = document["strategy"], document["findings"], document["checks"]
    root = Path(strategy["root"])
    for file, group in groupby(findings, key=lambda one: str(one["file"])):
        for one in group:
            place = printable(shown_path(root, file), 500) if file else printable(strategy["name"])
            at = f"{place}:{one['line']}" if file and one["line"] else place
            message = printable(one["message"], 2000)
            yield f"{at}: {one['severity']} {one['code']}: {message}"
            if one["hint"]:
                yield f"    {printable(one['hint'], 2000)}"
        yield ""
    if any((row["name"], row["detail"]) == _BOUNDS_ONLY for row in checks):
        yield "parameters were tried at their bounds only: hypothesis draws more values,"
        yield "    pip install 'openhands-strategies[check]' brings it"
        yield ""
    counted = Counter(one["severity"] for one in findings)
    told = [
        f"{counted[word]} {word}{'s' * (counted[word] > 1)}" for word in _WORDS if counted[word]
    ]
    states = Counter(row["status"] for row in checks)
    seconds = sum(row["seconds"] for row in checks)
    done = states["passed"] + states["failed"]
    skipped = f", {states['skipped']} skipped" if states["skipped"] else ""
    sdk = f" with SDK {document['sdk']}" if document["sdk"] else ""
    yield (
        f"{printable(strategy['name'], 100)}: {', '.join(told) or 'nothing found'};"
        f" {done} {'check' if done == 1 else 'checks'}{skipped} in {seconds:.1f} s{sdk}"
    )


def failed(document: Mapping[str, Any]) -> bool:
    """Whether the exit code is 1: an error was found."""
    return any(one["severity"] == "error" for one in document["findings"])
