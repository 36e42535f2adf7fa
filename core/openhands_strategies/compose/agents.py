"""Merge what an overlay's agent has into another agent."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final, Protocol

from openhands_strategies.compose.brought import servers_of, with_servers
from openhands_strategies.compose.conflict import MergeConflict
from openhands_strategies.errors import BuildError

if TYPE_CHECKING:
    from openhands.sdk import Agent, AgentContext, Tool
    from openhands.sdk.skills import Skill

# Only one part can decide these; the outermost that does.
_SCALARS: Final = ("condenser", "critic", "tool_concurrency_limit", "include_default_tools")
_MERGED: Final = frozenset({"llm", "tools", "mcp_config", "agent_context", "kind", *_SCALARS})


class _Conflict(Protocol):
    def __call__(self, kind: str, name: str, why: str = "") -> MergeConflict: ...


def merged_agent(
    base: Agent, over: Agent, label: str, replaces: Collection[str], *, conflict: _Conflict
) -> Agent:
    """Return `base` with what `over` has beyond a bare agent.

    Args:
        base: The agent that does the work.
        over: The overlay's.
        label: Of the overlay.
        replaces: `kind:name` of what the overlay may take the place of.
        conflict: Makes the error for an item that both have.

    Raises:
        MergeConflict: An item that differs.
        BuildError: `overlay_field` for something that cannot be merged.
    """
    _check_fields(base, over, label)
    update: dict[str, Any] = {
        "tools": _tools(base.tools, over.tools, replaces, conflict),
        "agent_context": _context(base, over, label, replaces, conflict),
    }
    bare = type(over)(llm=over.llm)
    for name in _SCALARS:
        if getattr(over, name) != getattr(bare, name):
            update[name] = getattr(over, name)
    servers = servers_of(base)
    for name, server in servers_of(over).items():
        if servers.get(name, server) != server and f"mcp:{name}" not in replaces:
            raise conflict("mcp", name)
        servers[name] = server
    return with_servers(base.model_copy(update=update), servers)


def _check_fields(base: Agent, over: Agent, label: str) -> None:
    bare = type(over)(llm=over.llm)
    for name in sorted(set(type(over).model_fields) - _MERGED):
        value = getattr(over, name)
        if value not in (getattr(bare, name), getattr(base, name, value)):
            raise BuildError(
                "overlay_field",
                f"the overlay {label!r} sets the agent's {name}, which cannot be laid over another",
                "set it in a strategy of its own, or use the system prompt's suffix",
            )


def _tools(
    base: list[Tool], over: list[Tool], replaces: Collection[str], conflict: _Conflict
) -> list[Tool]:
    tools = {tool.name: tool for tool in base}
    for tool in over:
        same = tools.get(tool.name)
        if same is not None and same.params != tool.params and f"tool:{tool.name}" not in replaces:
            raise conflict("tool", tool.name, " with other parameters")
        tools[tool.name] = tool
    return list(tools.values())


def _context(
    base: Agent, over: Agent, label: str, replaces: Collection[str], conflict: _Conflict
) -> AgentContext | None:
    one, two = base.agent_context, over.agent_context
    if two is None:
        return one
    if one is None:
        return two
    skills: dict[str, Skill] = {skill.name: skill for skill in one.skills}
    for skill in two.skills:
        same = skills.get(skill.name)
        if same is not None and same != skill and f"skill:{skill.name}" not in replaces:
            raise conflict("skill", skill.name)
        skills[skill.name] = skill
    update: dict[str, Any] = {"skills": list(skills.values())}
    for name in ("system_message_suffix", "user_message_suffix"):
        update[name] = joined(getattr(one, name), getattr(two, name), label)
    return one.model_copy(update=update)


def joined(one: str | None, two: str | None, label: str) -> str | None:
    """Two suffixes, the second under a heading that names its part."""
    if not one or not two:
        return one or two
    return f"{one.rstrip()}\n\n# {label}\n\n{two.lstrip()}"
