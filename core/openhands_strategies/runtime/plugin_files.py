"""What lies beside `strategy.py`: skills and hooks of a plugin directory."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.blueprint import Blueprint, SubAgent
from openhands_strategies.compose.merge import concatenated
from openhands_strategies.errors import LoadError, describe
from openhands_strategies.runtime.loaded import Loaded

if TYPE_CHECKING:
    from openhands.sdk import Agent
    from openhands.sdk.hooks import HookConfig
    from openhands.sdk.plugin import Plugin

HOOK_FILES: Final = ("hooks/hooks.json", "dev.openhands/hooks/hooks.json")
_PARTS: Final = ("plugin.json", ".plugin", ".claude-plugin", "skills")
ROOT_VARIABLE: Final = "${PLUGIN_ROOT}"


def read_plugin(root: Path, where: str) -> Plugin | None:
    """Read a plugin directory with the SDK's own reader; None where there is none.

    Raises:
        LoadError: `plugin_invalid`.
    """
    if not any((root / part).exists() for part in _PARTS):
        return None
    from openhands.sdk.plugin import Plugin

    try:
        return Plugin.load(root)
    except (ValueError, OSError) as error:
        raise LoadError(
            "plugin_invalid",
            f"{where}: its plugin files cannot be read: {describe(error)}",
            "correct plugin.json, skills/ or hooks/hooks.json",
        ) from error


def with_plugin_files(blueprint: Blueprint, loaded: Loaded) -> Blueprint:
    """The blueprint with the skills and hooks that lie beside the strategy's module.

    Raises:
        LoadError: `plugin_invalid`, `hooks_json_invalid`, or `skill_clash` when the strategy
            made a skill of the same name.
    """
    blueprint = _with_roots(blueprint, loaded.root)
    root = loaded.plugin_root
    if root is None:
        return blueprint
    hooks = concatenated([plugin_hooks(root, loaded.where), blueprint.hooks])
    agent = with_plugin_skills(blueprint.agent, read_plugin(root, loaded.where))
    return replace(blueprint, agent=agent, hooks=hooks)


def _with_roots(blueprint: Blueprint, root: Path) -> Blueprint:
    """Expand `${PLUGIN_ROOT}` in the hooks that the strategy's own code made."""
    subagents = {alias: _with_root(one, root) for alias, one in blueprint.subagents.items()}
    hooks = None if blueprint.hooks is None else expand_root(blueprint.hooks, root)
    return replace(blueprint, hooks=hooks, subagents=subagents)


def _with_root(subagent: SubAgent, root: Path) -> SubAgent:
    hooks = None if subagent.hooks is None else expand_root(subagent.hooks, root)
    agent = subagent.agent
    if isinstance(agent, Blueprint):
        agent = _with_roots(agent, root)
    return replace(subagent, hooks=hooks, agent=agent)


def with_plugin_skills(agent: Agent, plugin: Plugin | None) -> Agent:
    """Return the agent with the plugin's skills added to its context.

    Raises:
        LoadError: `skill_clash` when the strategy made a skill of the same name.
    """
    if plugin is None or not plugin.skills:
        return agent
    context = agent.agent_context
    own = {skill.name for skill in context.skills} if context else set()
    clash = sorted(own & {skill.name for skill in plugin.skills})
    if clash:
        raise LoadError(
            "skill_clash",
            f"the skill {clash[0]!r} is made in strategy.py and stands in skills/ too",
            "rename one of them",
        )
    return agent.model_copy(update={"agent_context": plugin.add_skills_to(context)})


def plugin_hooks(root: Path, where: str) -> HookConfig | None:
    """The hooks of both layouts, with `${PLUGIN_ROOT}` made the tree's path.

    Read here rather than by the SDK's plugin reader: that one looks in one of the two
    places, depending on its version and on which plugin.json there is, and a safety hook
    that is listed but never attached would be worse than none.

    Raises:
        LoadError: `hooks_json_invalid`.
    """
    from openhands.sdk.hooks import HookConfig

    found = []
    for file in HOOK_FILES:
        if not (root / file).is_file():
            continue
        try:
            found.append(HookConfig.load(root / file))
        except (ValueError, OSError) as error:
            raise LoadError(
                "hooks_json_invalid", f"{where}: {file}: {describe(error)}", "correct the file"
            ) from error
    merged = HookConfig.merge(found) if found else None
    return None if merged is None or merged.is_empty() else expand_root(merged, root)


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
    before, found, after = command.partition(ROOT_VARIABLE)
    done = ""
    quote = ""
    while found:
        quote = _open_quote(before, quote)
        done += before + _quoted_in(quote, root)
        before, found, after = after.partition(ROOT_VARIABLE)
    return done + before


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
