"""Which part brought which item of a blueprint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from openhands_strategies.blueprint import Blueprint, Brought, Limits

if TYPE_CHECKING:
    from openhands.sdk import Agent
    from openhands.sdk.hooks import HookConfig

SUFFIX = ("suffix", "system prompt")
PROMPT = ("prompt", "first message")
AGENT = ("agent", "main")


def items_of(blueprint: Blueprint) -> Iterator[tuple[str, str]]:
    """Kind and name of everything in a blueprint, its nested ones left out."""
    agent = blueprint.agent
    yield AGENT
    for tool in agent.tools:
        yield "tool", tool.name
    context = agent.agent_context
    if context is not None:
        for skill in context.skills:
            yield "skill", skill.name
        if context.system_message_suffix:
            yield SUFFIX
    for server in servers_of(agent):
        yield "mcp", server
    for alias, subagent in blueprint.subagents.items():
        yield "subagent", alias
        yield from (("limit", f"{alias}/{name}") for name in _set(subagent.limits))
    for event, _, hook in hooks_in(blueprint.hooks):
        yield "hook", f"{event}: {hook['command']}"
    if blueprint.prompt != "{task}":
        yield PROMPT
    yield from (("limit", name) for name in _set(blueprint.limits))
    if blueprint.confirmation is not None:
        yield "confirmation", blueprint.confirmation


def _set(limits: Limits) -> Iterator[str]:
    return (one.name for one in fields(limits) if getattr(limits, one.name) is not None)


def attributed(
    blueprint: Blueprint, part: str, commit: str | None, *, inside: bool = True
) -> Blueprint:
    """Say of everything in a blueprint which part brought it.

    Args:
        blueprint: What a strategy built; what its parts brought is marked already.
        part: Label of the strategy.
        commit: Of its code.
        inside: Whether `part` goes before what is marked already; not for the whole.
    """
    marked = [_marked(one, part, commit, inside=inside) for one in blueprint.brought]
    known = {(one.kind, one.name) for one in marked}
    own = [
        Brought(kind, name, part, commit)
        for kind, name in dict.fromkeys(items_of(blueprint))
        if (kind, name) not in known
    ]
    subagents = {
        alias: replace(one, agent=attributed(one.agent, part, commit, inside=inside))
        if isinstance(one.agent, Blueprint)
        else one
        for alias, one in blueprint.subagents.items()
    }
    return replace(blueprint, subagents=subagents, brought=(*marked, *own))


def _marked(one: Brought, part: str, commit: str | None, *, inside: bool) -> Brought:
    if not one.part:
        # The composition's own addition to a part.
        return replace(one, part=part, commit=commit)
    return replace(one, part=f"{part}/{one.part}") if inside else one


def bringers(blueprint: Blueprint, kind: str, name: str) -> list[Brought]:
    """Who brought an item; several for a suffix that was put together."""
    return [one for one in blueprint.brought if (one.kind, one.name) == (kind, name)]


def servers_of(agent: Agent) -> dict[str, Any]:
    """MCP servers by name; SDK 1.21 keeps them one level down."""
    config: dict[str, Any] = dict(agent.mcp_config or {})
    return dict(config["mcpServers"]) if "mcpServers" in config else config


def with_servers(agent: Agent, servers: dict[str, Any]) -> Agent:
    """The agent with exactly these MCP servers, in the SDK's own layout."""
    if servers == servers_of(agent):
        return agent
    typed = "MCPServer" in str(type(agent).model_fields["mcp_config"].annotation)
    return agent.model_copy(
        update={"mcp_config": servers if typed or not servers else {"mcpServers": servers}}
    )


def hooks_in(hooks: HookConfig | None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """`(event, matcher, hook)` of every hook, in the order in which they run."""
    if hooks is None:
        return
    for event, matchers in hooks.model_dump(mode="json").items():
        for matcher in matchers or ():
            for hook in matcher["hooks"]:
                command = hook.get("command") or hook.get("prompt") or ""
                yield event, str(matcher.get("matcher") or "*"), {**hook, "command": command}
