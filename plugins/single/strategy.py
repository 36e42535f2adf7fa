"""Single: one agent with the SDK's default tools and nothing else.

It is what the other strategies are compared with, and the base that overlays are tried on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from openhands_strategies import Blueprint, BuildContext, Limits, Strategy, StrategyParam

if TYPE_CHECKING:
    from collections.abc import Sequence


class Single(Strategy):
    """One agent, one model."""

    name = "single"
    description = "One agent with the SDK's default tools: the baseline"
    params: ClassVar[Sequence[StrategyParam]] = [
        StrategyParam(
            name="max_iterations",
            type="integer",
            default=200,
            minimum=1,
            maximum=5000,
            description="Steps that the agent may take",
        ),
    ]

    def build(self, context: BuildContext) -> Blueprint:
        """Return one agent with a terminal, a file editor and a task list."""
        from openhands.sdk import Agent
        from openhands.sdk.context.condenser import LLMSummarizingCondenser
        from openhands.tools.preset.default import get_default_tools

        condenser_llm = context.llm.model_copy(update={"usage_id": "condenser"})
        condenser_llm.reset_metrics()
        agent = Agent(
            llm=context.llm,
            # The browser needs Chromium on the machine.
            tools=get_default_tools(enable_browser=False),
            condenser=LLMSummarizingCondenser(llm=condenser_llm, max_size=240, keep_first=2),
        )
        return Blueprint(agent=agent, limits=Limits(iterations=context.params["max_iterations"]))
