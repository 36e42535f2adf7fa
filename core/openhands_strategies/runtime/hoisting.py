"""MCP servers of parts, where the SDK gives a sub-agent exactly those of its parent.

Newer SDKs drop the servers that a sub-agent declares itself. So that a strategy has its
servers when it works as a part, everyone above it gets them too; the plan shows it.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace

from openhands_strategies.blueprint import Blueprint
from openhands_strategies.compose.brought import bringers, servers_of, with_servers
from openhands_strategies.compose.conflict import merge_conflict


def inherits_servers() -> bool:
    """Whether this SDK gives a sub-agent its parent's MCP servers instead of its own."""
    return importlib.util.find_spec("openhands.sdk.subagent.scope") is not None


def hoisted(blueprint: Blueprint, where: str) -> Blueprint:
    """The blueprint whose main agent has the MCP servers of everyone below it.

    Args:
        blueprint: What a strategy built, marked with who brought what.
        where: Label of the main agent's part, for messages.

    Raises:
        MergeConflict: `merge_conflict` for servers of one name that differ.
    """
    servers = servers_of(blueprint.agent)
    subagents = dict(blueprint.subagents)
    brought = list(blueprint.brought)
    for alias, subagent in blueprint.subagents.items():
        if not isinstance(subagent.agent, Blueprint):
            continue
        below = hoisted(subagent.agent, alias)
        subagents[alias] = replace(subagent, agent=below)
        for name, server in servers_of(below.agent).items():
            if servers.get(name, server) != server:
                raise merge_conflict("mcp", name, where, alias)
            if name not in servers:
                brought += bringers(below, "mcp", name)
            servers[name] = server
    agent = with_servers(blueprint.agent, servers)
    return replace(blueprint, agent=agent, subagents=subagents, brought=tuple(brought))
