"""What a blueprint starts must be there: scripts of hooks, commands of MCP servers.

Found when it is built, so that a plan tells it; a hook that cannot start would let pass what
it is there to stop.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from openhands_strategies.blueprint import Blueprint
from openhands_strategies.compose.brought import hooks_in, servers_of
from openhands_strategies.errors import LoadError

_INTERPRETER: Final = re.compile(
    r"(?:.*/)?(?:python|pypy|node|deno|bun|ruby|perl|bash|dash|zsh|ksh|sh)[\d.]*"
)
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
# They start what stands after them.
_PREFIXES: Final = frozenset({"exec", "command", "env", "nohup", "nice", "time", "uv", "run"})
_KEYWORDS: Final = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "{"})
_SEPARATORS: Final = frozenset(";&|()\n")


def check_commands(blueprint: Blueprint, root: Path, where: str) -> None:
    """Look for what the hooks and MCP servers of a blueprint start.

    Args:
        blueprint: With paths in place of `${PLUGIN_ROOT}`.
        root: The strategy's tree. Hook scripts in it must be there; what a shell finds
            elsewhere is the shell's affair.
        where: Names the strategy in messages.

    Raises:
        LoadError: `hook_missing`, `hook_not_executable` or `mcp_command_missing`.
    """
    hooks = [blueprint.hooks, *(one.hooks for one in blueprint.subagents.values())]
    for config in hooks:
        for event, _, hook in hooks_in(config):
            if hook.get("type", "command") == "command":
                _check_hook(str(hook["command"]), event, root, where)
    for name, server in servers_of(blueprint.agent).items():
        _check_server(name, server, where)
    for subagent in blueprint.subagents.values():
        if isinstance(subagent.agent, Blueprint):
            check_commands(subagent.agent, root, where)


def _check_hook(command: str, event: str, root: Path, where: str) -> None:
    for script, direct in scripts_in(command):
        path = Path(script)
        if not path.is_absolute() or not path.is_relative_to(root):
            continue
        inside = path.relative_to(root).as_posix()
        if not path.is_file():
            raise LoadError(
                "hook_missing",
                f"{where}: the hook of {event} runs {inside}, which does not exist",
                "add the file, or correct the command in hooks.json",
            )
        if direct and not os.access(path, os.X_OK):
            raise LoadError(
                "hook_not_executable",
                f"{where}: the hook of {event} runs {inside}, which is not executable",
                f"chmod +x {shlex.quote(inside)}, or name the interpreter in the command",
            )


def scripts_in(command: str) -> Iterator[tuple[str, bool]]:
    """The files that a shell command runs, and whether each is run directly.

    Yields:
        The first word of each simple command, or the script that an interpreter gets. A
        command that cannot be taken apart has none.
    """
    lexer = shlex.shlex(command, posix=True, punctuation_chars=";&|()<>\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        return
    simple: list[str] = []
    for word in (*words, ";"):
        if word and set(word) <= _SEPARATORS:
            yield from _script(simple)
            simple = []
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


def _check_server(name: str, server: Any, where: str) -> None:
    data = server if isinstance(server, dict) else server.model_dump()
    command = data.get("command")
    # What the SDK still has to fill in cannot be looked for.
    if not command or "${" in command or data.get("enabled") is False:
        return
    path = _search_path(server)
    found = str(Path(data.get("cwd") or "", command).absolute()) if "/" in command else command
    if shutil.which(found, path=path) is None:
        raise LoadError(
            "mcp_command_missing",
            f"{where}: the MCP server {name!r} starts {command}, which is not found",
            f"install {Path(command).name}, or correct the command",
        )


def _search_path(server: Any) -> str | None:
    env = server.get("env") if isinstance(server, dict) else server.env
    value = (env or {}).get("PATH")
    return None if value is None else str(getattr(value, "get_secret_value", lambda: value)())
