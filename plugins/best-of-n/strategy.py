"""Best of n: the same task is tried several times at once, and the best attempt is taken.

Each attempt works in a git worktree of its own, so attempts do not meet, and the user's
files do not change until one has won. A check that the user names judges them all alike;
among those that pass, or without a check, the main agent judges by reading the changes.
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

from .texts import attempt_protocol, main_protocol, prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openhands.sdk import LLM, Agent


class BestOfN(Strategy):
    """Attempts in parallel, a check or a judge, one winner."""

    name = "best-of-n"
    description = (
        "Several attempts at the same task in git worktrees of their own; the best is applied"
    )
    params: ClassVar[Sequence[StrategyParam]] = [
        StrategyParam(
            name="attempts",
            type="integer",
            default=3,
            minimum=2,
            maximum=8,
            description="How many attempts are made, all at the same time",
        ),
        StrategyParam(
            name="check",
            description="Shell command that an attempt must pass, run in its worktree",
        ),
        StrategyParam(
            name="attempt_model",
            description="Model of the attempts, at the main model's provider",
        ),
        StrategyParam(
            name="attempt_profile",
            description="Saved LLM profile of the attempts, instead of attempt_model",
        ),
        StrategyParam(
            name="attempt_iterations",
            type="integer",
            default=100,
            minimum=1,
            maximum=1000,
            description="Steps that one attempt may take",
        ),
        StrategyParam(
            name="attempt_budget",
            type="number",
            minimum=0.001,
            description="US dollars that one attempt may spend",
        ),
        StrategyParam(
            name="max_iterations",
            type="integer",
            default=60,
            minimum=1,
            maximum=1000,
            description="Steps that the main agent may take",
        ),
        StrategyParam(
            name="judge",
            description="What makes one attempt better than another, in your words",
        ),
    ]

    def build(self, context: BuildContext) -> Blueprint:
        """Return the main agent with one kind of sub-agent, `attempt`."""
        params = context.params
        count, check = int(params["attempts"]), params["check"]
        attempt = SubAgent(
            description=(
                "Does the whole task once, in a copy of the workspace. You see what it changed"
                + (" and whether it passes the check." if check else ".")
            ),
            agent=AgentSpec(
                tools=("terminal", "file_editor"),
                suffix=attempt_protocol(check=check, steps=params["attempt_iterations"]),
            ),
            model=params["attempt_model"],
            profile=params["attempt_profile"],
            limits=Limits(iterations=params["attempt_iterations"], budget=params["attempt_budget"]),
            escalation="",
            rounds=count,
            worktree=True,
            check=check,
        )
        return Blueprint(
            agent=_main_agent(
                context.llm, count, main_protocol(count, check=check, judge=params["judge"])
            ),
            subagents={"attempt": attempt},
            prompt=prompt(count),
            limits=Limits(iterations=params["max_iterations"]),
        )


def _main_agent(llm: LLM, attempts: int, suffix: str) -> Agent:
    from openhands.sdk import Agent, AgentContext, Tool
    from openhands.sdk.context.condenser import LLMSummarizingCondenser
    from openhands.tools.file_editor import FileEditorTool
    from openhands.tools.terminal import TerminalTool

    condenser_llm: Any = llm.model_copy(update={"usage_id": "condenser"})
    condenser_llm.reset_metrics()
    return Agent(
        llm=llm,
        tools=[Tool(name=TerminalTool.name), Tool(name=FileEditorTool.name)],
        agent_context=AgentContext(system_message_suffix=suffix),
        tool_concurrency_limit=attempts,
        condenser=LLMSummarizingCondenser(llm=condenser_llm, max_size=240, keep_first=2),
    )
