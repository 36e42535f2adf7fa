"""Plan and execute: one agent that may only look makes a plan, another one carries it out.

Neither of them is the main agent. That one leads, without tools of its own, so that the
executor cannot start without a plan and gets it word for word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from openhands_strategies import (
    AgentSpec,
    Blueprint,
    BuildContext,
    Limits,
    Strategy,
    StrategyParam,
    SubAgent,
)

from .texts import PROMPT, executor_protocol, lead_protocol, planner_protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openhands.sdk import LLM, Agent
    from openhands.sdk.hooks import HookConfig

# A guard that cannot run counts as a refusal, not as a yes.
PLANNER_GUARD = "python3 ${PLUGIN_ROOT}/hooks/planner_guard.py || exit 2"


class PlanExecute(Strategy):
    """A lead, a planner and an executor."""

    name = "plan-execute"
    description = "A planner that may not edit, and an executor that follows its plan"
    params: ClassVar[Sequence[StrategyParam]] = [
        StrategyParam(
            name="planner_model",
            description="Model of the planner, at the main model's provider",
        ),
        StrategyParam(
            name="planner_profile",
            description="Saved LLM profile of the planner, instead of planner_model",
        ),
        StrategyParam(
            name="executor_model",
            description="Model of the executor, at the main model's provider",
        ),
        StrategyParam(
            name="executor_profile",
            description="Saved LLM profile of the executor, instead of executor_model",
        ),
        StrategyParam(
            name="planner_iterations",
            type="integer",
            default=40,
            minimum=1,
            maximum=1000,
            description="Steps that the planner may take for one plan",
        ),
        StrategyParam(
            name="executor_iterations",
            type="integer",
            default=120,
            minimum=1,
            maximum=5000,
            description="Steps that the executor may take each time it is asked",
        ),
        StrategyParam(
            name="replans",
            type="integer",
            default=1,
            minimum=0,
            maximum=10,
            description="How often a plan that does not hold may be made anew",
        ),
    ]

    def build(self, context: BuildContext) -> Blueprint:
        """Return the lead with `planner`, and `executor` after it."""
        params = context.params
        rounds = 1 + params["replans"]
        planner = SubAgent(
            description="Reads the code and writes the plan. It cannot change anything.",
            agent=AgentSpec(
                tools=("file_editor", "grep", "glob"),
                suffix=planner_protocol(params["planner_iterations"]),
            ),
            model=params["planner_model"],
            profile=params["planner_profile"],
            limits=Limits(iterations=params["planner_iterations"]),
            hooks=_only_viewing(),
            rounds=rounds,
            stops=True,
        )
        executor = SubAgent(
            description="Carries the plan out and reports where it had to deviate.",
            agent=AgentSpec(
                tools=("terminal", "file_editor"),
                suffix=executor_protocol(params["executor_iterations"]),
            ),
            model=params["executor_model"],
            profile=params["executor_profile"],
            limits=Limits(iterations=params["executor_iterations"]),
            after=("planner",),
            rounds=rounds,
        )
        return Blueprint(
            agent=_lead(context.llm, params["replans"]),
            subagents={"planner": planner, "executor": executor},
            prompt=PROMPT,
            workers=("planner", "executor"),
            limits=Limits(iterations=10 + 4 * rounds),
        )


def _lead(llm: LLM, replans: int) -> Agent:
    from openhands.sdk import Agent, AgentContext

    return Agent(
        llm=llm,
        tools=[],
        agent_context=AgentContext(system_message_suffix=lead_protocol(replans)),
    )


def _only_viewing() -> HookConfig:
    from openhands.sdk.hooks import HookConfig
    from openhands.sdk.hooks.config import HookDefinition, HookMatcher

    guard = HookDefinition(command=PLANNER_GUARD, timeout=20)
    # Every tool: an overlay may have brought one that edits.
    return HookConfig(pre_tool_use=[HookMatcher(matcher="*", hooks=[guard])])
