"""Adversarial review: the main agent does the work, a reviewer must find its faults.

The reviewer reads and runs tests, on a model of its own if one is given. How often it may be
asked is bounded by the tool set; the review ends when it finds no faults, or when the rounds
or the dollars are spent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from openhands_strategies import (
    AgentSpec,
    Blueprint,
    BuildContext,
    Limits,
    Strategy,
    StrategyParam,
    SubAgent,
)

from .texts import PROMPT, author_protocol, reviewer_protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openhands.sdk import LLM, Agent
    from openhands.sdk.hooks import HookConfig

# A guard that cannot run counts as a refusal, not as a yes.
REVIEWER_GUARD = "python3 ${PLUGIN_ROOT}/hooks/reviewer_guard.py || exit 2"


class AdversarialReview(Strategy):
    """An author, and a reviewer who must find the faults of its work."""

    name = "adversarial-review"
    description = "An author, and a reviewer who must find the faults of its work"
    params: ClassVar[Sequence[StrategyParam]] = [
        StrategyParam(
            name="rounds",
            type="integer",
            default=3,
            minimum=1,
            maximum=20,
            description="How often the reviewer may be asked",
        ),
        StrategyParam(
            name="reviewer_model",
            description="Model of the reviewer, at the main model's provider",
        ),
        StrategyParam(
            name="reviewer_profile",
            description="Saved LLM profile of the reviewer, instead of reviewer_model",
        ),
        StrategyParam(
            name="reviewer_iterations",
            type="integer",
            default=40,
            minimum=1,
            maximum=1000,
            description="Steps that the reviewer may take in one round",
        ),
        StrategyParam(
            name="reviewer_budget",
            type="number",
            minimum=0.001,
            description="US dollars that the reviewer may spend in one round",
        ),
        StrategyParam(
            name="max_iterations",
            type="integer",
            default=200,
            minimum=1,
            maximum=5000,
            description="Steps that the author may take",
        ),
    ]

    def build(self, context: BuildContext) -> Blueprint:
        """Return the author with one kind of sub-agent, `reviewer`."""
        params = context.params
        reviewer = SubAgent(
            description="Finds faults in your work; its first word is NO_FAULTS or FAULTS.",
            agent=AgentSpec(
                tools=("terminal",), suffix=reviewer_protocol(params["reviewer_iterations"])
            ),
            model=params["reviewer_model"],
            profile=params["reviewer_profile"],
            limits=Limits(
                iterations=params["reviewer_iterations"], budget=params["reviewer_budget"]
            ),
            hooks=_read_only(),
            rounds=params["rounds"],
        )
        return Blueprint(
            agent=_author(context.llm, params["rounds"]),
            subagents={"reviewer": reviewer},
            prompt=PROMPT,
            limits=Limits(iterations=params["max_iterations"]),
        )


def _author(llm: LLM, rounds: int) -> Agent:
    from openhands.sdk import Agent, AgentContext
    from openhands.sdk.context.condenser import LLMSummarizingCondenser
    from openhands.tools.preset.default import get_default_tools

    condenser_llm: Any = llm.model_copy(update={"usage_id": "condenser"})
    condenser_llm.reset_metrics()
    return Agent(
        llm=llm,
        # The browser needs Chromium on the machine.
        tools=get_default_tools(enable_browser=False),
        agent_context=AgentContext(system_message_suffix=author_protocol(rounds)),
        condenser=LLMSummarizingCondenser(llm=condenser_llm, max_size=240, keep_first=2),
    )


def _read_only() -> HookConfig:
    from openhands.sdk.hooks import HookConfig
    from openhands.sdk.hooks.config import HookDefinition, HookMatcher

    guard = HookDefinition(command=REVIEWER_GUARD, timeout=20)
    return HookConfig(pre_tool_use=[HookMatcher(matcher="terminal", hooks=[guard])])
