"""Agents in Markdown: sub-agents of the strategy that they lie beside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.blueprint import AgentSpec, Blueprint, Limits, SubAgent
from openhands_strategies.compose.brought import with_servers
from openhands_strategies.errors import LoadError, describe
from openhands_strategies.manifest.plugin import AGENT_FOLDERS, check_shown, markdown_files
from openhands_strategies.runtime.equip import require_tools
from openhands_strategies.runtime.llms import for_subagent
from openhands_strategies.runtime.plugin_directory.roots import expand_root
from openhands_strategies.runtime.plugin_directory.servers import checked_servers, expanded

if TYPE_CHECKING:
    from openhands.sdk import LLM
    from openhands.sdk.skills import Skill
    from openhands.sdk.subagent import AgentDefinition

_INHERIT: Final = ("", "inherit")


def plugin_agents(
    root: Path, llm: LLM, skills: Sequence[Skill], where: str
) -> tuple[dict[str, SubAgent], dict[str, Any]]:
    """The sub-agents that a plugin directory's Markdown files declare.

    Args:
        root: The directory.
        llm: The main agent's model, for agents that are more than tools and a prompt.
        skills: The directory's skills; an agent may name some of them.
        where: Names the strategy in messages.

    Returns:
        Name to sub-agent; and the MCP servers that they name. Newer SDKs give a sub-agent
        its parent's servers and no others, so the parent must have them.

    Raises:
        LoadError: `agent_invalid`, `agent_skill_unknown`, `agent_unsupported`,
            `subagent_clash` for two of one name, `mcp_clash`, `mcp_json_invalid`.
        BuildError: `tool_unknown`.
    """
    found: dict[str, SubAgent] = {}
    servers: dict[str, Any] = {}
    for file in markdown_files(root, AGENT_FOLDERS):
        definition = _read(root, file, where)
        name = definition.name
        told = f"{where}: the agent {name!r} ({file})"
        if name in found:
            raise LoadError(
                "subagent_clash", f"{where}: two agents are called {name!r}", "rename one"
            )
        own = _servers(definition, root, file, where)
        for server, config in own.items():
            if servers.setdefault(server, config) != config:
                raise LoadError(
                    "mcp_clash",
                    f"{told} has another MCP server {server!r} than an agent beside it",
                    "rename one of them",
                )
        found[name] = _subagent(definition, root, llm, _named_skills(definition, skills, told),
                                own, told)  # fmt: skip
    return found, servers


def _read(root: Path, file: str, where: str) -> AgentDefinition:
    from openhands.sdk.subagent import AgentDefinition

    try:
        check_shown(root, file)
        return AgentDefinition.load(root / file)
    except Exception as error:
        raise LoadError(
            "agent_invalid",
            f"{where}: {file} cannot be read: {describe(error)}",
            "correct the header of that file",
        ) from error


def _subagent(
    definition: AgentDefinition,
    root: Path,
    llm: LLM,
    skills: list[Skill],
    servers: dict[str, Any],
    told: str,
) -> SubAgent:
    _refuse_unsupported(definition, told)
    require_tools(definition.tools, told)
    condenser = getattr(definition, "condenser", None)
    model = "" if definition.model in _INHERIT else definition.model
    plain = not (skills or servers or condenser)
    return SubAgent(
        description=definition.description or definition.name,
        agent=AgentSpec(tools=tuple(definition.tools), suffix=definition.system_prompt)
        if plain
        else _whole(definition, llm, skills, servers, condenser),
        # A profile's name has no slash, and a model's name has one.
        model=model if "/" in model else None,
        profile=model.removesuffix(".json") if model and "/" not in model else None,
        limits=Limits(
            iterations=definition.max_iteration_per_run,
            # 1.21 has no such field.
            budget=getattr(definition, "max_budget_per_run", None),
        ),
        hooks=None if definition.hooks is None else expand_root(definition.hooks, root),
    )


def _whole(
    definition: AgentDefinition,
    llm: LLM,
    skills: list[Skill],
    servers: dict[str, Any],
    condenser: Any,
) -> Blueprint:
    """What declared data cannot hold; it is built from the tree again when it starts."""
    from openhands.sdk import Agent, AgentContext, Tool
    from openhands.sdk.context.condenser import LLMSummarizingCondenser

    summary = for_subagent(llm, "condenser")
    agent: Agent = Agent(
        llm=llm,
        tools=[Tool(name=name) for name in definition.tools],
        agent_context=AgentContext(
            skills=skills, system_message_suffix=definition.system_prompt or None
        ),
        condenser=condenser or LLMSummarizingCondenser(llm=summary, max_size=240, keep_first=2),
    )
    return Blueprint(agent=with_servers(agent, servers))


def _named_skills(definition: AgentDefinition, skills: Sequence[Skill], told: str) -> list[Skill]:
    by_name = {skill.name: skill for skill in skills}
    for name in definition.skills:
        if name not in by_name:
            raise LoadError(
                "agent_skill_unknown",
                f"{told} names the skill {name!r}, which is not in skills/",
                f"skills: {', '.join(by_name) or 'none'}",
            )
    return [by_name[name] for name in definition.skills]


def _servers(definition: AgentDefinition, root: Path, file: str, where: str) -> dict[str, Any]:
    """The field has another name, and plain dictionaries, on SDK 1.21."""
    given: Any = getattr(definition, "mcp_config", None) or getattr(definition, "mcp_servers", None)
    if not given:
        return {}
    plain = {
        name: server
        if isinstance(server, dict)
        else server.model_dump(exclude_none=True, context={"expose_secrets": True})
        for name, server in given.items()
    }
    return checked_servers({name: expanded(one, root) for name, one in plain.items()}, file, where)


def _refuse_unsupported(definition: AgentDefinition, told: str) -> None:
    """Fields that would be lost and that matter."""
    if definition.permission_mode in ("always_confirm", "confirm_risky"):
        raise LoadError(
            "agent_unsupported",
            f"{told} has permission_mode {definition.permission_mode}; a sub-agent's actions are"
            " confirmed as its parent's are",
            "leave it out, and use --confirm or the blueprint's confirmation",
        )
    if definition.profile_store_dir:
        raise LoadError(
            "agent_unsupported",
            f"{told} has profile_store_dir; profiles are the user's own",
            "leave it out",
        )
