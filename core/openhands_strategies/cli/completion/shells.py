"""How shells ask for completions: one protocol, and a script for each shell.

A script sets `_OHS_COMPLETE` to `SHELL_complete` and `COMP_WORDS` to the command line up to
the cursor. Each line of the answer is an item: its type (`plain`, `part` for what is
continued without a space, `file` and `dir` for what the shell knows itself) and its value.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import click
from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

from openhands_strategies.cli.boundary import reader_gone
from openhands_strategies.cli.completion.scripts import SCRIPTS

# What a line ends with where the last word is still being typed; no shell lets it in.
_CURSOR: Final = "\0"
_BASH_SPECIAL: Final = re.compile(r"([^A-Za-z0-9_@%+=:,./-])")


@dataclass(frozen=True)
class Asked:
    """A command line: what stands complete before the cursor, and the word at it."""

    arguments: list[str]
    incomplete: str


def answer(cli: click.Command, instruction: str, environ: Mapping[str, str]) -> int:
    """Print what `_OHS_COMPLETE` asks for and return the exit code.

    Args:
        cli: The command `ohs`.
        instruction: `bash_complete` or `bash_source`, and so on for the other shells.
        environ: Holds `COMP_WORDS`, the command line up to the cursor.
    """
    shell, _, act = instruction.partition("_")
    if shell not in SCRIPTS or act not in ("source", "complete"):
        print(f"ohs: _OHS_COMPLETE={instruction!r} is no SHELL_complete", file=sys.stderr)
        return 2
    if act == "source":
        return _print(SCRIPTS[shell])
    asked = read_line(environ.get("COMP_WORDS", ""))
    # A hook plugin that prints must not end up among the items.
    with contextlib.redirect_stdout(sys.stderr):
        items = _items(cli, asked)
    return _print(
        "".join(f"{_line(shell, item)}\n" for item in items if str(item.value).isprintable())
    )


def _print(text: str) -> int:
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:  # a shell whose user typed on
        return reader_gone()
    return 0


def read_line(line: str) -> Asked:
    """Take a command line apart; a quote may still be open at its end."""
    words = split_arg_string(line + _CURSOR)
    *before, last = words or [_CURSOR]
    return Asked(before[1:], last.replace(_CURSOR, ""))


def _items(cli: click.Command, asked: Asked) -> list[CompletionItem]:
    completing = ShellComplete(cli, {}, "ohs", "_OHS_COMPLETE")
    found = completing.get_completions(list(asked.arguments), asked.incomplete)
    option, equals, _ = asked.incomplete.partition("=")
    if not (equals and option.startswith("--")):
        return found
    # Shells replace the whole word, of which only the value was completed.
    return [CompletionItem(f"{option}={one.value}", type=one.type, help=one.help) for one in found]


def _line(shell: str, item: CompletionItem) -> str:
    about = " ".join((item.help or "").split())
    if shell == "zsh":
        return f"{item.type}\t{item.value}\t{about}"
    if shell == "fish":
        return f"{item.type},{item.value}\t{about}" if about else f"{item.type},{item.value}"
    # bash puts an item on the line as it is.
    return f"{item.type},{_BASH_SPECIAL.sub(r'\\\1', str(item.value))}"
