"""`${PLUGIN_ROOT}` in hook commands: the path of the strategy's tree, as a shell reads it.

`${CLAUDE_PLUGIN_ROOT}`, as directories written for another tool have it, means the same.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.blueprint import Blueprint, SubAgent

if TYPE_CHECKING:
    from openhands.sdk.hooks import HookConfig

ROOT_VARIABLE: Final = re.compile(r"\$\{(?:CLAUDE_)?PLUGIN_ROOT\}")


def with_roots(blueprint: Blueprint, root: Path) -> Blueprint:
    """Expand `${PLUGIN_ROOT}` in the hooks that the strategy's own code made."""
    subagents = {alias: _with_root(one, root) for alias, one in blueprint.subagents.items()}
    hooks = None if blueprint.hooks is None else expand_root(blueprint.hooks, root)
    return replace(blueprint, hooks=hooks, subagents=subagents)


def _with_root(subagent: SubAgent, root: Path) -> SubAgent:
    hooks = None if subagent.hooks is None else expand_root(subagent.hooks, root)
    agent = subagent.agent
    if isinstance(agent, Blueprint):
        agent = with_roots(agent, root)
    return replace(subagent, hooks=hooks, agent=agent)


def expand_root(hooks: HookConfig, root: Path) -> HookConfig:
    """Replace `${PLUGIN_ROOT}` in every hook command by the quoted path of the tree."""
    data: dict[str, Any] = hooks.model_dump(mode="python")
    for matchers in data.values():
        for matcher in matchers:
            for hook in matcher["hooks"]:
                hook["command"] = expand_command(str(hook.get("command") or ""), str(root))
    return type(hooks).model_validate(data)


def expand_command(command: str, root: str) -> str:
    """Put a path in place of `${PLUGIN_ROOT}` so that the shell reads it as one word.

    Works outside quotes, in double quotes and in single quotes.
    """
    *pieces, last = ROOT_VARIABLE.split(command)
    done = ""
    quote = ""
    for piece in pieces:
        quote = _open_quote(piece, quote)
        done += piece + _quoted_in(quote, root)
    return done + last


def _open_quote(text: str, quote: str) -> str:
    """The quote that is open after `text`, when `quote` was open before it."""
    escaped = False
    for letter in text:
        if escaped:
            escaped = False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
    return quote


def _quoted_in(quote: str, root: str) -> str:
    if quote == "'":
        return root.replace("'", "'\\''")
    if quote == '"':
        return re.sub(r'([\\"$`])', r"\\\1", root)
    return shlex.quote(root)
