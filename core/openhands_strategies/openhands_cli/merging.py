"""The strategy's agent with what belongs to the user: MCP servers, skills, context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openhands.sdk import Agent, AgentContext


def with_users(agent: Agent, users: Agent) -> Agent:
    """Return the strategy's agent, in the surroundings that the user has set up.

    The user's MCP servers keep their names; the strategy's are added. Condenser and critic
    are the strategy's if it has any, else the user's. Tools and model are the strategy's.

    Args:
        agent: What the strategy built.
        users: The agent that the OpenHands CLI put together from the user's settings.
    """
    update: dict[str, Any] = {
        "mcp_config": _servers(agent, users),
        "agent_context": _context(agent.agent_context, users.agent_context),
        "system_prompt_kwargs": {**users.system_prompt_kwargs, **agent.system_prompt_kwargs},
    }
    if agent.condenser is None:
        update["condenser"] = users.condenser
    if agent.critic is None:
        update["critic"] = users.critic
    return agent.model_copy(update=update)


def _servers(agent: Agent, users: Agent) -> dict[str, Any]:
    own: dict[str, Any] = dict(agent.mcp_config or {})
    theirs: dict[str, Any] = dict(users.mcp_config or {})
    servers = {**own.get("mcpServers", {}), **theirs.get("mcpServers", {})}
    return {**own, **theirs, "mcpServers": servers} if servers else {}


def _context(own: AgentContext | None, users: AgentContext | None) -> AgentContext | None:
    """Both contexts in one; of two skills of one name the strategy's stays."""
    if own is None or users is None:
        return own or users
    names = {skill.name for skill in own.skills}
    return users.model_copy(
        update={
            "skills": [*own.skills, *(one for one in users.skills if one.name not in names)],
            "system_message_suffix": _joined(
                users.system_message_suffix, own.system_message_suffix
            ),
            "user_message_suffix": _joined(users.user_message_suffix, own.user_message_suffix),
            "secrets": {**(own.secrets or {}), **(users.secrets or {})} or None,
        }
    )


def _joined(first: str | None, second: str | None) -> str | None:
    return "\n\n".join(text for text in (first, second) if text) or None
