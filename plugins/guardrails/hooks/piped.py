"""Shell code that a command passes on: as an argument, or into a pipe.

Runs with any Python >= 3.8 and the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from places import UNKNOWN, Places, as_code
from shell import parse
from words import Command
from wrappers import SHELLS, unwrapped
from writers import operands, value_of


def code_in(program: str, arguments: list[str]) -> Iterator[str]:
    """The arguments of a program that are shell code."""
    if program in SHELLS or program == "script":
        for number, word in enumerate(arguments[:-1]):
            if re.fullmatch(r"-[a-z]*c", word):
                yield arguments[number + 1]
    if program == "script":
        yield from value_of(arguments, "--command")
        # On macOS the command stands after the file.
        for file in operands("script", arguments)[:1]:
            yield " ".join(arguments[arguments.index(file) + 1 :])
    elif program == "alias":
        yield from (word.partition("=")[2] for word in arguments)
    elif program == "trap":
        yield from arguments[:1]


def printed(command: Command, places: Places) -> list[str] | None:
    """What a command that feeds a shell prints; None where that cannot be seen.

    A file counts as a script that the shell is given: what programs do is not looked into.
    """
    words = unwrapped([text for word in command.words for text in places.expand(word)]).words
    if not words:
        return None
    program, arguments = words[0].rpartition("/")[2], words[1:]
    if program == "cat":
        files = [word for word in operands("cat", arguments) if word != "-"]
        return list(command.documents) if files or command.documents else None
    text = None
    if program == "echo":
        text = " ".join(word for word in arguments if not re.fullmatch(r"-[neE]+", word))
    elif program == "printf" and arguments:
        pattern, values = arguments[0], arguments[1:]
        if pattern in ("%s", "%s\\n"):
            text = "\n".join(values)
        elif "%" not in pattern:
            text = pattern.replace("\\n", "\n")
    if text is None or UNKNOWN in text or "\\" in text:
        return None
    return [as_code(text)]


def programs_in(source: str) -> Iterator[str]:
    """The programs that a script starts, without judging it."""
    for command in parse(source):
        words = ["".join(p.text for p in word if p.kind == "text") for word in command.words]
        words = unwrapped([word for word in words if word]).words
        if words:
            yield words[0].rpartition("/")[2]
