"""A plugin directory without Python code, as a strategy that can be laid over others."""

from __future__ import annotations

from openhands_strategies.blueprint import Blueprint
from openhands_strategies.strategy import BuildContext, Strategy


class PluginDirectory(Strategy):
    """An overlay whose skills, commands, agents, hooks and MCP servers are all files.

    Args:
        name: Kebab-case.
        description: One line.
    """

    # Instances differ in what classes of strategies differ in.
    name: str  # type: ignore[misc]
    description: str  # type: ignore[misc]
    overlay = True

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self.description = description

    def build(self, context: BuildContext) -> Blueprint:
        """Return a bare agent; the files are added to what every strategy builds."""
        from openhands.sdk import Agent

        agent: Agent = Agent(llm=context.llm, tools=[])
        return Blueprint(agent=agent)
