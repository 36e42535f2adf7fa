"""TOML as text: the line that names a key, and strings as they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?")
NAME: Final = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+"""
_KEY: Final = re.compile(rf"\s*({NAME}(?:\.[ \t]*{NAME})*)=")
_PART: Final = re.compile(r"""[\w-]+|"([^"]*)"|'([^']*)'""")


def line_of(text: str, at: Sequence[str | int]) -> int:
    """The line that names a key, or the nearest enclosing one; 1 when there is none."""
    current: tuple[str | int, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    best, found = 0, 1
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.fullmatch(line):
            parts = _parts(header[2])
            current = parts
            if header[1] == "[[":
                counts[parts] = counts.get(parts, -1) + 1
                current = (*parts, counts[parts])
            full = current
        elif key := _KEY.match(line):
            full = (*current, *_parts(key[1]))
        else:
            continue
        same = 0
        while same < min(len(full), len(at)) and full[same] == at[same]:
            same += 1
        if same > best and same == len(full):
            best, found = same, number
    return found


def toml_string(text: str) -> str:
    """A TOML string on one line; what UTF-8 cannot hold is written as an escape."""
    return json.dumps(portable(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def portable(text: str) -> str:
    """`text` as it is after it was written and read again."""
    return text.encode("utf-8", "backslashreplace").decode()


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part[1] or part[2] or part[0] for part in _PART.finditer(dotted))
