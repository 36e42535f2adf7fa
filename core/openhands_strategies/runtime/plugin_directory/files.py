"""What lies beside `strategy.py`: skills, commands, agents, hooks, MCP servers.

Each is read by the SDK's own class for it, but from the places of both layouts: the SDK's
plugin reader looks in one of the two, depending on its version and on which plugin.json
there is, and it leaves out what it cannot read. A safety hook that is listed but never
attached would be worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openhands_strategies.blueprint import Blueprint
from openhands_strategies.compose.brought import servers_of, with_servers
from openhands_strategies.compose.merge import concatenated
from openhands_strategies.errors import LoadError, describe
from openhands_strategies.manifest.plugin import HOOK_FILES, plugin_name
from openhands_strategies.runtime.loaded import Loaded
from openhands_strategies.runtime.plugin_directory.agents import plugin_agents
from openhands_strategies.runtime.plugin_directory.commands import check_commands
from openhands_strategies.runtime.plugin_directory.roots import expand_root, with_roots
from openhands_strategies.runtime.plugin_directory.servers import plugin_servers
from openhands_strategies.runtime.plugin_directory.skills import plugin_skills

if TYPE_CHECKING:
    from openhands.sdk import Agent
    from openhands.sdk.hooks import HookConfig
    from openhands.sdk.skills import Skill


def with_plugin_files(blueprint: Blueprint, loaded: Loaded) -> Blueprint:
    """The blueprint with everything that lies beside the strategy's module.

    Raises:
        LoadError: `plugin_json_invalid`, `skill_invalid`, `command_invalid`, `agent_invalid`,
            `hooks_json_invalid` or `mcp_json_invalid` for a file; `skill_clash`,
            `subagent_clash` or `mcp_clash` when the strategy's code made one of the same
            name; what `check_commands` raises.
        BuildError: `tool_unknown` for a tool of a Markdown agent.
    """
    blueprint = with_roots(blueprint, loaded.root)
    root = loaded.plugin_root
    if root is not None:
        blueprint = _with_files(blueprint, loaded, root)
    check_commands(blueprint, loaded.root, loaded.where)
    return blueprint


def _with_files(blueprint: Blueprint, loaded: Loaded, root: Path) -> Blueprint:
    where = loaded.where
    skills = plugin_skills(root, plugin_name(root) or loaded.name, where)
    agents, servers = plugin_agents(root, blueprint.agent.llm, skills, where)
    for alias in agents:
        if alias in blueprint.subagents or alias in loaded.registered:
            raise clash("subagent", alias, where)
    agent = with_plugin_skills(blueprint.agent, skills, where)
    agent = _with_plugin_servers(agent, {**servers, **plugin_servers(root, loaded, servers)}, where)
    return replace(
        blueprint,
        agent=agent,
        subagents={**blueprint.subagents, **agents},
        hooks=concatenated([plugin_hooks(root, where), blueprint.hooks]),
    )


def with_plugin_skills(agent: Agent, skills: list[Skill], where: str) -> Agent:
    """Return the agent with skills added to its context.

    Raises:
        LoadError: `skill_clash` when it has another of the same name.
    """
    if not skills:
        return agent
    from openhands.sdk import AgentContext

    context = agent.agent_context or AgentContext()
    names = {skill.name for skill in context.skills}
    for skill in skills:
        if skill.name in names:
            raise clash("skill", skill.name, where)
    update = {"skills": [*context.skills, *skills]}
    return agent.model_copy(update={"agent_context": context.model_copy(update=update)})


def _with_plugin_servers(agent: Agent, servers: Mapping[str, Any], where: str) -> Agent:
    own = servers_of(agent)
    for name, server in servers.items():
        if own.get(name, server) != server:
            raise clash("mcp", name, where)
    return with_servers(agent, {**own, **servers})


def plugin_hooks(root: Path, where: str) -> HookConfig | None:
    """The hooks of both layouts, with `${PLUGIN_ROOT}` made the tree's path.

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


_CALLED = {"skill": "skill", "subagent": "sub-agent", "mcp": "MCP server"}


def clash(kind: str, name: str, where: str) -> LoadError:
    """The error `skill_clash`, `subagent_clash` or `mcp_clash`."""
    return LoadError(
        f"{kind}_clash",
        f"{where}: the {_CALLED[kind]} {name!r} is made in code and stands in a file too",
        "rename one of them",
    )
