"""Fusion: an expensive main agent decides, cheap sidekicks look things up beside it.

The main agent keeps one model, and one cached context, for the whole task. Bounded
questions go to sidekicks on a cheaper model, several at the same time. A sidekick that
is out of its depth hands the question back, and one that runs into its limits is
stopped; in both cases the main agent goes on itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from openhands_strategies import (
    ESCALATION,
    AgentSpec,
    Blueprint,
    BuildContext,
    Limits,
    Strategy,
    StrategyParam,
    SubAgent,
)

from .texts import PROMPT, main_protocol, sidekick_protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openhands.sdk import LLM, Agent
    from openhands.sdk.hooks import HookConfig

# A guard that cannot run counts as a refusal, not as a yes.
READ_ONLY_GUARD = "python3 ${PLUGIN_ROOT}/hooks/read_only.py || exit 2"


class Fusion(Strategy):
    """One main model, many calls to a cheap one."""

    name = "fusion"
    description = "A main agent that delegates bounded work to cheap sidekicks, in parallel"
    params: ClassVar[Sequence[StrategyParam]] = [
        StrategyParam(
            name="sidekick_model",
            description="Model of the sidekicks, at the main model's provider",
        ),
        StrategyParam(
            name="sidekick_profile",
            description="Saved LLM profile of the sidekicks, instead of sidekick_model",
        ),
        StrategyParam(
            name="sidekicks",
            type="integer",
            default=4,
            minimum=1,
            maximum=16,
            description="How many sidekicks may work at the same time",
        ),
        StrategyParam(
            name="sidekick_iterations",
            type="integer",
            default=15,
            minimum=1,
            maximum=200,
            description="Steps that one sidekick may take for one question",
        ),
        StrategyParam(
            name="sidekick_budget",
            type="number",
            default=0.25,
            minimum=0.001,
            description="US dollars that one sidekick may spend on one question",
        ),
        StrategyParam(
            name="max_iterations",
            type="integer",
            default=80,
            minimum=1,
            maximum=1000,
            description="Steps that the main agent may take",
        ),
        StrategyParam(
            name="allow_edits",
            type="boolean",
            default=False,
            description="Whether sidekicks may change files; otherwise they only read",
        ),
    ]

    def build(self, context: BuildContext) -> Blueprint:
        """Return the main agent with one kind of sub-agent, `sidekick`."""
        params = context.params
        edits = bool(params["allow_edits"])
        sidekick = SubAgent(
            description=(
                "A fast, cheap agent for one bounded question: find files, read code, run tests"
                " and read their output, sketch a small patch."
                + (" It may edit files when your prompt says so." if edits else " It only reads.")
            ),
            agent=AgentSpec(
                tools=("terminal", "file_editor") if edits else ("terminal",),
                suffix=sidekick_protocol(edits=edits, steps=params["sidekick_iterations"]),
            ),
            model=params["sidekick_model"],
            profile=params["sidekick_profile"],
            limits=Limits(
                iterations=params["sidekick_iterations"], budget=params["sidekick_budget"]
            ),
            hooks=None if edits else _read_only(),
            escalation=ESCALATION,
        )
        return Blueprint(
            agent=_main_agent(context.llm, params["sidekicks"]),
            subagents={"sidekick": sidekick},
            prompt=PROMPT,
            limits=Limits(iterations=params["max_iterations"]),
        )


def _main_agent(llm: LLM, sidekicks: int) -> Agent:
    from openhands.sdk import Agent, AgentContext, Tool
    from openhands.sdk.context.condenser import LLMSummarizingCondenser
    from openhands.tools.file_editor import FileEditorTool
    from openhands.tools.terminal import TerminalTool

    condenser_llm: Any = llm.model_copy(update={"usage_id": "condenser"})
    condenser_llm.reset_metrics()
    return Agent(
        llm=llm,
        tools=[Tool(name=TerminalTool.name), Tool(name=FileEditorTool.name)],
        agent_context=AgentContext(system_message_suffix=main_protocol(sidekicks)),
        tool_concurrency_limit=sidekicks,
        condenser=LLMSummarizingCondenser(llm=condenser_llm, max_size=240, keep_first=2),
    )


def _read_only() -> HookConfig:
    from openhands.sdk.hooks import HookConfig
    from openhands.sdk.hooks.config import HookDefinition, HookMatcher

    guard = HookDefinition(command=READ_ONLY_GUARD, timeout=20)
    return HookConfig(pre_tool_use=[HookMatcher(matcher="terminal", hooks=[guard])])
