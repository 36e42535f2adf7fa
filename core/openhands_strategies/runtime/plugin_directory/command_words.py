"""The words of a hook's shell command that name programs and scripts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final

_INTERPRETER: Final = re.compile(
    r"(?:.*/)?(?:python|pypy|node|deno|bun|ruby|perl|bash|dash|zsh|ksh|sh)[\d.]*"
)
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_][\w.+-]*")
# They start what stands after them.
_PREFIXES: Final = frozenset({"exec", "command", "env", "nohup", "nice", "time", "uv", "run"})
_KEYWORDS: Final = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "{"})
_SEPARATORS: Final = frozenset(";&|()\n")
_UNKNOWABLE: Final = frozenset({"case", "function", "alias"})
_LOOKING: Final = frozenset({"which", "type", "hash", "test", "[", "[["})
# Operators that are quoted, which the lexer would take for operators.
_QUOTED: Final = re.compile(r"""\\[;&|()<>]|(["'])[;&|()<>\s]+\1""")


def scripts_in(command: str) -> Iterator[tuple[str, bool]]:
    """The files that a shell command runs, and whether each is run directly.

    Yields:
        The first word of each simple command, or the script that an interpreter gets. A
        command that cannot be taken apart has none.
    """
    for words, _ in _simple_commands(command):
        yield from _script(words)


def programs_in(command: str) -> Iterator[str]:
    """The names, without a path, by which a shell command starts programs.

    A command with functions, aliases or `case` has none: words in it may mean anything.
    """
    found = list(_simple_commands(command))
    words = {word for simple, around in found for word in (*simple, *around)}
    if words & _UNKNOWABLE or any("()" in word for word in words):
        return
    for simple, _ in found:
        name = next((word for word in simple if not _leads(word)), "")
        if _NAME.fullmatch(name):
            yield name


def optional_in(command: str) -> frozenset[str]:
    """Words that may name what is not there, since the command provides for that.

    They stand in a simple command before or after `||`, or one that only looks for them.
    """
    found: set[str] = set()
    for simple, around in _simple_commands(command):
        given = [word for word in simple if not _leads(word)]
        if "||" in around or given[:1] == ["command"] or _LOOKING & set(given[:1]):
            found |= set(given)
    return frozenset(found)


def _leads(word: str) -> bool:
    """Whether a command's name may still follow."""
    return word in _KEYWORDS or _ASSIGNMENT.fullmatch(word) is not None


def _simple_commands(command: str) -> Iterator[tuple[list[str], tuple[str, str]]]:
    """Words of each simple command, and the operators before and after it.

    There are none for broken quotes. A here-document and all that follows it is left out.
    """
    lexer = shlex.shlex(_QUOTED.sub("_", command), posix=True, punctuation_chars=";&|()<>\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        return
    simple: list[str] = []
    before, comment = "", False
    for word in (*words, ";"):
        if word and set(word) <= _SEPARATORS:
            comment = comment and "\n" not in word
            yield simple, (before, word)
            if any("<<" in one for one in simple):
                return
            simple, before = [], word
        elif comment or word.startswith("#"):
            comment = True
        else:
            simple.append(word)


def _script(words: list[str]) -> Iterator[tuple[str, bool]]:
    rest = iter(words)
    interpreter = False
    for word in rest:
        if set(word) <= {"<", ">", "&"}:
            next(rest, None)
        elif interpreter and word in ("-c", "-m", "-e", "--eval"):
            return
        elif word.startswith("-") or _ASSIGNMENT.fullmatch(word):
            continue
        elif not interpreter and _INTERPRETER.fullmatch(word):
            interpreter = True
        elif interpreter or (word not in _PREFIXES and word not in _KEYWORDS):
            yield word, not interpreter
            return
