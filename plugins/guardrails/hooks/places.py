"""What words of a command mean as paths, and which paths may be written.

Runs with any Python >= 3.8 and the standard library only.
"""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple  # noqa: UP035  fields below run on 3.8

from words import Word

# Private characters that stand in an expanded word for what is no plain text.
GLOBS = {"*": "\ue000", "?": "\ue001", "[": "\ue002"}
SPACE = "\ue003"
UNKNOWN = "\ue004"
_OPEN = re.compile(f"[\ue000-\ue002{UNKNOWN}]")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_VARIABLE = re.compile(r"(\w+)(?::?[-=](.*))?", re.DOTALL)
_MANY = 64
HARMLESS_DEVICES = re.compile(r"/dev/(null|zero|stdin|stdout|stderr|tty|fd/\d+|pts/\d+)")


@dataclass(frozen=True)
class Target:
    """A path that a command touches.

    Attributes:
        path: Absolute and without links, up to the first part that is not known.
        whole: Whether `path` is all of it; else something below it is meant.
        everything: Whether all that lies in `path` is meant: `dir/*`.
    """

    path: str
    whole: bool = True
    everything: bool = False

    def covers(self, place: str) -> bool:
        """Whether `place` is meant, or lies below what is meant."""
        return (self.whole or self.everything) and within(place, self.path)


@dataclass
class Places:
    """Where a command runs and what may be written.

    Attributes:
        workspace: The agent's working directory.
        allowed: Further directories that may be written.
        cwd: Where relative paths start now; None when that is not known.
        values: Variables to the values that they may have.
    """

    workspace: str
    allowed: Tuple[str, ...]  # noqa: UP006
    cwd: Optional[str]  # noqa: UP045
    values: Dict[str, List[str]]  # noqa: UP006

    def copy(self) -> Places:
        """The same in a subshell: what changes there does not change here."""
        return Places(self.workspace, self.allowed, self.cwd, dict(self.values))

    @property
    def protected(self) -> tuple[str, ...]:
        """What no recursive command may have as its target."""
        home = os.path.realpath(Path("~").expanduser())
        return ("/", self.workspace, home, *self.allowed)

    def writable(self, target: Target) -> bool:
        """Whether a target lies in the workspace or an allowed directory."""
        if HARMLESS_DEVICES.fullmatch(target.path):
            return True
        return any(within(target.path, place) for place in (self.workspace, *self.allowed))

    def target(self, text: str, *, follow: bool = True) -> Target | None:
        """The path that an expanded word means, None when it is not known.

        Args:
            text: One of the results of `expand`.
            follow: Whether a link at its end is followed; removing one does not.
        """
        if not text:
            return None
        known = _OPEN.search(text)
        base = text[: known.start()].rpartition("/")[0] + "/" if known else text
        if known and "/" not in text[: known.start()]:
            base = "."
            if text[known.start()] == UNKNOWN and known.start() == 0:
                return None
        if ".." in (text[known.start() :] if known else "").split("/"):
            return None
        if not base.startswith("/"):
            if self.cwd is None:
                return None
            base = f"{self.cwd}/{base}"
        if follow or known or base.endswith(("/", "/.", "/..")):
            path = os.path.realpath(base)
        else:
            above, _, name = base.rpartition("/")
            path = f"{os.path.realpath(above or '/').rstrip('/')}/{name}"
        rest = text[known.start() :] if known else ""
        before = text[: known.start()].rpartition("/")[2] if known else ""
        everything = bool(rest) and before in ("", ".") and set(rest) <= {*GLOBS.values(), ".", "/"}
        return Target(path, whole=not known, everything=everything)

    def expand(self, word: Word) -> list[str]:
        """The words that one word becomes, with marks for what is not plain text."""
        choices: list[list[str]] = []
        for number, piece in enumerate(word):
            if piece.kind == "text":
                text = piece.text
                if not piece.quoted:
                    text = "".join(GLOBS.get(letter, letter) for letter in text)
                    if number == 0 and text == "~":
                        text = _home(word)
                choices.append([text])
            elif piece.kind == "code":
                here = piece.text.strip() == "pwd" and self.cwd is not None
                choices.append([str(self.cwd) if here else UNKNOWN])
            else:
                values = self._value(piece.text)
                if not piece.quoted:
                    values = [re.sub(r"\s+", SPACE, value) for value in values]
                    values = ["".join(GLOBS.get(c, c) for c in value) for value in values]
                choices.append(values)
        if _product(choices) > _MANY:
            return [UNKNOWN]
        texts = ["".join(parts) for parts in itertools.product(*choices)]
        if not any(piece.quoted for piece in word):
            texts = [one for text in texts for one in _braces(text)]
        return [one for text in texts for one in text.split(SPACE)]

    def _value(self, expression: str) -> list[str]:
        """The values that a variable may have; its default where it has none."""
        found = _VARIABLE.fullmatch(expression)
        if found is None:
            return [UNKNOWN]
        name, default = found.groups()
        if name == "PWD" and self.cwd is not None:
            return [self.cwd]
        if name in self.values:
            return self.values[name]
        if name in os.environ:
            return [os.environ[name]]
        known = default is not None and not set(default) & set("$`")
        return [default if known else UNKNOWN]


def as_code(text: str) -> str:
    """An expanded word as shell code again."""
    for letter, mark in GLOBS.items():
        text = text.replace(mark, letter)
    return text.replace(UNKNOWN, "${?}")


def within(path: str, place: str) -> bool:
    """Whether `path` is `place` or lies below it."""
    return path == place or path.startswith(place.rstrip("/") + "/")


def _home(word: Word) -> str:
    """`~` as it is at the beginning of a word; somebody else's home is not known."""
    following = word[1] if len(word) > 1 else None
    if following is None or (following.kind == "text" and following.text.startswith("/")):
        return str(Path("~").expanduser())
    return UNKNOWN


def _product(choices: list[list[str]]) -> int:
    total = 1
    for values in choices:
        total *= len(values)
    return total


def _braces(text: str) -> list[str]:
    found = _BRACES.search(text)
    if found is None:
        return [text]
    before, after = text[: found.start()], text[found.end() :]
    done: list[str] = []
    for choice in found[1].split(","):
        done.extend(_braces(before + choice + after))
        if len(done) > _MANY:
            return [UNKNOWN]
    return done
