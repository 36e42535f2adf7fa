"""Words and commands of a shell, as they stand in its source.

Runs with any Python >= 3.8 and the standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, Tuple, Union  # noqa: UP035  the aliases below run on 3.8


@dataclass(frozen=True)
class Piece:
    """A part of a word: `text` as it stands, a `var` to be expanded, or `code` to be run."""

    kind: str
    text: str
    quoted: bool = False


Word = Tuple[Piece, ...]  # noqa: UP006  run on 3.8
Token = Union[str, Word]  # noqa: UP007


@dataclass
class Command:
    """One simple command.

    Attributes:
        words: Program and arguments, not expanded.
        redirections: Operator and target.
        pipeline: Number of the pipeline that it belongs to.
        scope: Subshells that it runs in, outermost first, as numbers.
        documents: Bodies of its here-documents.
        piped: Whether a pipe leads into it, or into what it stands in.
    """

    pipeline: int
    scope: Tuple[int, ...]  # noqa: UP006
    words: List[Word] = field(default_factory=list)  # noqa: UP006
    redirections: List[Tuple[str, Word]] = field(default_factory=list)  # noqa: UP006
    documents: List[str] = field(default_factory=list)  # noqa: UP006
    piped: bool = False


def plain(word: Word) -> str:
    """The word's own text; what only running it would tell is left out."""
    return "".join(piece.text for piece in word if piece.kind == "text")
