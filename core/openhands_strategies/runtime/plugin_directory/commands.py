"""What a blueprint starts must be there: hooks' scripts and programs, MCP servers.

Found when it is built, so that a plan tells it; a hook that cannot start would let pass what
it is there to stop.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any, Final

from openhands_strategies.blueprint import Blueprint
from openhands_strategies.compose.brought import hooks_in, servers_of
from openhands_strategies.errors import LoadError
from openhands_strategies.runtime.plugin_directory.command_words import (
    optional_in,
    programs_in,
    scripts_in,
)

_UNBRACED: Final = re.compile(r"\$((?:CLAUDE_)?PLUGIN_ROOT)\b")
# What a shell does itself, in the POSIX one and in those that stand for it.
_BUILTIN_WORDS: Final = """
    . : [ [[ alias bg break cd command continue declare done echo esac eval exec exit export
    false fc fg fi for getopts hash in jobs kill let local printf pwd read readonly return
    select set shift source test time times trap true type ulimit umask unalias unset until
    wait while }
"""
_BUILTINS: Final = frozenset(_BUILTIN_WORDS.split())


def check_commands(blueprint: Blueprint, root: Path, where: str) -> None:
    """Look for what the hooks and MCP servers of a blueprint start.

    Args:
        blueprint: With paths in place of `${PLUGIN_ROOT}`. Hooks that a part brought were
            looked at when the part was built.
        root: The strategy's tree.
        where: Names the strategy in messages.

    Raises:
        LoadError: `hook_missing`, `hook_not_executable`, `hook_root`, `hook_relative` or
            `mcp_command_missing`.
    """
    known = {one.name for one in blueprint.brought if one.kind == "hook"}
    hooks = [blueprint.hooks, *(one.hooks for one in blueprint.subagents.values())]
    for config in hooks:
        for event, _, hook in hooks_in(config):
            command = str(hook["command"])
            if hook.get("type", "command") == "command" and f"{event}: {command}" not in known:
                _check_hook(command, f"{where}: the hook of {event}", root)
    for name, server in servers_of(blueprint.agent).items():
        _check_server(name, server, root, where)
    for subagent in blueprint.subagents.values():
        if isinstance(subagent.agent, Blueprint):
            check_commands(subagent.agent, root, where)


def _check_hook(command: str, what: str, root: Path) -> None:
    unbraced = _UNBRACED.search(command)
    if unbraced and f"{unbraced[1]}=" not in command:
        raise LoadError(
            "hook_root",
            f"{what} writes {unbraced[0]} without braces, which stays empty",
            f"write ${{{unbraced[1]}}}",
        )
    optional = optional_in(command)
    for script, direct in scripts_in(command):
        if script not in optional or script.startswith(str(root)):
            _check_script(script, what, root, direct=direct)
    for name in programs_in(command):
        if not {name} & (_BUILTINS | optional) and shutil.which(name) is None:
            raise LoadError(
                "hook_missing",
                f"{what} runs {name}, which is not found",
                f"install {name}, or correct the hook's command",
            )


def _check_script(script: str, what: str, root: Path, *, direct: bool) -> None:
    path = Path(script).expanduser() if script.startswith("~/") else Path(script)
    if not path.is_absolute():
        _check_relative(script, what, root)
        return
    ours = path.is_relative_to(root)
    shown = path.relative_to(root).as_posix() if ours else script
    # What a shell fills in cannot be looked for; a directory is an option's value.
    if not ours and (set("$`*?[") & set(script) or path.is_dir()):
        return
    if not path.is_file() and (ours or not path.exists()):
        raise LoadError(
            "hook_missing",
            f"{what} runs {shown}, which does not exist",
            "add the file, or correct the hook's command",
        )
    if direct and not os.access(path, os.X_OK):
        raise LoadError(
            "hook_not_executable",
            f"{what} runs {shown}, which is not executable",
            f"chmod +x {shlex.quote(shown)}, or name the interpreter in the command",
        )


def _check_relative(script: str, what: str, root: Path) -> None:
    """A hook starts in the workspace: its own files it finds by `${PLUGIN_ROOT}` only."""
    inside = script.removeprefix("./")
    if "/" in script and inside and ".." not in script and (root / inside).is_file():
        raise LoadError(
            "hook_relative",
            f"{what} runs {inside} from the user's workspace, where it does not exist",
            f"write ${{PLUGIN_ROOT}}/{inside}",
        )


def _check_server(name: str, server: Any, root: Path, where: str) -> None:
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
    for word in map(str, data.get("args") or ()):
        given = Path(word)
        if given.is_absolute() and given.is_relative_to(root) and not given.exists():
            raise LoadError(
                "mcp_command_missing",
                f"{where}: the MCP server {name!r} is started with"
                f" {given.relative_to(root).as_posix()}, which does not exist",
                "add the file, or correct the arguments",
            )


def _search_path(server: Any) -> str | None:
    env = server.get("env") if isinstance(server, dict) else server.env
    value = (env or {}).get("PATH")
    return None if value is None else str(getattr(value, "get_secret_value", lambda: value)())
