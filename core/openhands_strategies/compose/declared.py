"""A sub-agent that is declared as data, as an agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from openhands_strategies.blueprint import AgentSpec, Blueprint

if TYPE_CHECKING:
    from openhands.sdk import LLM, Agent


def declared_agent(
    tools: Iterable[str | Mapping[str, Any]],
    suffix: str,
    concurrency: int,
    llm: LLM,
    *,
    condenser_llm: LLM,
) -> Agent:
    """Return the agent that an `AgentSpec` stands for.

    Args:
        tools: As in `AgentSpec`; whatever registers them is imported already, or later.
        suffix: Appended to the system prompt.
        concurrency: How many tool calls of one answer may run at the same time.
        llm: The agent's model.
        condenser_llm: What shortens its history, as for the SDK's own sub-agents.
    """
    from openhands.sdk import Agent, AgentContext, Tool
    from openhands.sdk.context.condenser import LLMSummarizingCondenser

    return Agent(
        llm=llm,
        tools=[Tool(name=one) if isinstance(one, str) else Tool(**one) for one in tools],
        agent_context=AgentContext(system_message_suffix=suffix or None),
        tool_concurrency_limit=concurrency,
        condenser=LLMSummarizingCondenser(llm=condenser_llm, max_size=240, keep_first=2),
    )


def as_blueprint(spec: AgentSpec, llm: LLM) -> Blueprint:
    """The same agent as a blueprint, which can hold what data alone cannot: skills, servers."""
    agent = declared_agent(spec.tools, spec.suffix, spec.concurrency, llm, condenser_llm=llm)
    return Blueprint(agent=agent)
