"""The blocks of code of a page, and the files that it tells its reader to write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"( *)(`{3,})(\S*)")
_NAMED = re.compile(r"`([\w./-]+\.(?:json|md|py|toml|yml))`[^`]*:$")
_FIRST = re.compile(r"# ([\w./-]+\.py)$")


@dataclass(frozen=True)
class Block:
    """One block.

    Attributes:
        language: What stands behind the fence; empty for none.
        text: Its lines, each with its end.
        line: Line of the fence, from 1.
        file: File that the reader is to write, when the line before names one in code and
            ends with a colon, or when Python begins with its name as a comment.
    """

    language: str
    text: str
    line: int
    file: str | None = None

    def commands(self) -> Iterator[str]:
        """The commands of a shell's block; one goes on after a backslash or in open quotes."""
        line = ""
        for piece in self.text.replace("\\\n", " ").splitlines():
            line = f"{line}\n{piece}" if line else piece
            if line.count("'") % 2 or line.count('"') % 2:
                continue
            if line.strip() and not line.startswith("#"):
                yield line
            line = ""
        if line:
            raise ValueError(f"quotes stay open: {line}")


def blocks(page: str) -> list[Block]:
    """All blocks of a page's Markdown, in order."""
    found = []
    lines = page.splitlines(keepends=True)
    number, before = 0, ""
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence is None:
            before = lines[number].strip() or before
            number += 1
            continue
        end = next(
            index
            for index in range(number + 1, len(lines))
            if lines[index].startswith(fence[1] + fence[2])
        )
        text = "".join(line.removeprefix(fence[1]) for line in lines[number + 1 : end])
        named = _FIRST.match(text.partition("\n")[0]) or _NAMED.search(before)
        file = named[1] if named and fence[3] not in ("sh", "text", "") else None
        found.append(Block(fence[3], text, number + 1, file))
        number, before = end + 1, ""
    return found


def mentioned(page: str) -> list[str]:
    """Commands that the text names in passing, such as `ohs list`."""
    text = re.sub(r"^ *(`{3,}).*?^ *\1", "", page, flags=re.DOTALL | re.MULTILINE)
    return [" ".join(one.split()) for one in re.findall(r"`(ohs [^`]+)`", text)]
