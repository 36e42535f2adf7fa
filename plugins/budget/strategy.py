"""Budget: an overlay that stops the whole fleet at a dollar limit and warns before."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from openhands_strategies import Blueprint, BuildContext, Limits, Strategy, StrategyParam

if TYPE_CHECKING:
    from collections.abc import Sequence


class Budget(Strategy):
    """Limits and nothing else; which agents spend the money is the base's affair."""

    name = "budget"
    description = "Stops the whole fleet at a dollar limit and warns before"
    overlay = True
    params: ClassVar[Sequence[StrategyParam]] = [
        StrategyParam(
            name="limit",
            type="number",
            required=True,
            minimum=0.001,
            description="US dollars that all agents of the run may spend together",
        ),
        StrategyParam(
            name="warn_at",
            type="number",
            default=0.8,
            minimum=0.01,
            maximum=1,
            description="Share of the limit at which there is a warning",
        ),
    ]

    def build(self, context: BuildContext) -> Blueprint:
        """Return limits, on an agent that brings nothing."""
        from openhands.sdk import Agent

        return Blueprint(
            agent=Agent(llm=context.llm),
            limits=Limits(budget=context.params["limit"], warn_at=context.params["warn_at"]),
        )
