"""Where a text stands in a file."""

from __future__ import annotations

import json
from pathlib import Path

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.files import read_text


def line_of(root: Path, file: str, *texts: str) -> int:
    """The first line with one of the texts, plain or as JSON has it; 1 when there is none."""
    try:
        lines = read_text(root, file).splitlines()
    except LoadError:
        return 1
    for text in texts:
        for number, line in enumerate(lines, 1):
            if text and (text in line or json.dumps(text)[1:-1] in line):
                return number
    return 1
