"""Strategies that work in turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from openhands_strategies.blueprint import Blueprint, Limits, SubAgent, strictest
from openhands_strategies.compose.composition import (
    Composition,
    Piece,
    bringer,
    composition_name,
    confirmations,
    labelled_pieces,
    require,
)
from openhands_strategies.compose.texts import orchestrator_text, phase_text
from openhands_strategies.strategy import BuildContext, Strategy

if TYPE_CHECKING:
    from openhands.sdk import Agent


class Pipeline(Composition):
    """Phases that work one after the other; see `pipeline`."""

    def build(self, context: BuildContext) -> Blueprint:
        """Return an agent that only leads, with one sub-agent for each phase."""
        from openhands.sdk import Agent, AgentContext

        labels = list(self.parts)
        subagents: dict[str, SubAgent] = {}
        brought = []
        for label in labels:
            phase = context.part(label)
            subagents[label] = self._worker(
                phase,
                phase_text(label, labels),
                after=tuple(labels[: labels.index(label)][-1:]),
                stops=True,
            )
            brought.append(bringer(phase))
        told = orchestrator_text([(one, subagents[one].description) for one in labels])
        agent: Agent = Agent(
            llm=context.llm,
            tools=[],
            agent_context=AgentContext(system_message_suffix=told),
        )
        return Blueprint(
            agent=agent,
            subagents=subagents,
            limits=self.limits,
            confirmation=strictest(*confirmations(subagents)),
            workers=tuple(labels),
            brought=tuple(brought),
        )


def pipeline(
    *phases: Piece,
    name: str = "pipeline",
    description: str = "",
    limits: Limits | None = None,
    defaults: Mapping[str, Any] | None = None,
    **labelled: Piece,
) -> Strategy:
    """Strategies that work in turn, each with the result of the one before it.

    Args:
        phases: Strategies, references or `part(…)`, in order.
        name: Kebab-case.
        description: One line; names the phases by default.
        limits: `budget` and `steps` bound all phases together, `iterations` the agent
            that leads.
        defaults: Parameters of phases, by `label.name`, in place of their own defaults.
        labelled: Further phases, in order, with labels: `review="./reviewer.py"`.

    Raises:
        BuildError: `parts_missing`, `parts_invalid`, `label_invalid` or `name_invalid`.
    """
    pieces = labelled_pieces(phases, labelled)
    require(pieces, 1, "a pipeline has at least one phase", "pipeline('plan-execute', …)")
    return Pipeline(
        pieces,
        name=composition_name(name),
        description=description or f"Phases in turn: {', '.join(pieces)}",
        limits=limits,
        defaults=defaults,
    )
