"""Waterfall: design, code, test, each phase by an agent of its own, in this order only.

The main agent has no tools but delegation. Order, steps and rounds are held by the tool
set, not by the prompt: a phase cannot start before the one ahead of it has completed, and
one that fails ends the work.
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

from .texts import CODER, DESIGNER, PROMPT, TESTER, lead_protocol, with_steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openhands.sdk import LLM, Agent
    from openhands.sdk.hooks import HookConfig

# A guard that cannot run counts as a refusal, not as a yes.
DESIGNER_GUARD = "python3 ${PLUGIN_ROOT}/hooks/designer_guard.py || exit 2"


class Waterfall(Strategy):
    """A lead and three phases."""

    name = "waterfall"
    description = "Design, code, test: phases in a fixed order, each with its own agent"
    params: ClassVar[Sequence[StrategyParam]] = [
        StrategyParam(
            name="max_turns",
            type="integer",
            default=40,
            minimum=1,
            maximum=1000,
            description="Steps that one phase may take each time it is asked",
        ),
        StrategyParam(
            name="corrections",
            type="integer",
            default=2,
            minimum=0,
            maximum=10,
            description="How often the coder may correct what the tester found",
        ),
        StrategyParam(
            name="phase_budget",
            type="number",
            minimum=0.001,
            description="US dollars that one phase may spend each time it is asked",
        ),
        StrategyParam(
            name="designer_model",
            description="Model of the designer, at the main model's provider",
        ),
        StrategyParam(
            name="coder_model",
            description="Model of the coder, at the main model's provider",
        ),
        StrategyParam(
            name="tester_model",
            description="Model of the tester, at the main model's provider",
        ),
    ]

    def build(self, context: BuildContext) -> Blueprint:
        """Return the lead with `designer`, `coder` after it, and `tester` after that."""
        params = context.params
        rounds = 1 + params["corrections"]
        designer = SubAgent(
            description="Reads the code and writes the design. It cannot change anything.",
            agent=AgentSpec(
                tools=("file_editor", "grep", "glob"),
                suffix=with_steps(DESIGNER, params["max_turns"]),
            ),
            model=params["designer_model"],
            hooks=_only_viewing(),
            rounds=1,
            **_phase(params),
        )
        coder = SubAgent(
            description="Writes the code that the design asks for, and corrects it.",
            agent=AgentSpec(
                tools=("terminal", "file_editor"), suffix=with_steps(CODER, params["max_turns"])
            ),
            model=params["coder_model"],
            after=("designer",),
            rounds=rounds,
            **_phase(params),
        )
        tester = SubAgent(
            description="Writes and runs tests; its first word is PASSED or FAILED.",
            agent=AgentSpec(
                tools=("terminal", "file_editor"), suffix=with_steps(TESTER, params["max_turns"])
            ),
            model=params["tester_model"],
            after=("coder",),
            rounds=rounds,
            **_phase(params),
        )
        return Blueprint(
            agent=_lead(context.llm, params["corrections"]),
            subagents={"designer": designer, "coder": coder, "tester": tester},
            prompt=PROMPT,
            workers=("designer", "coder", "tester"),
            # One call for each phase and round, and room to think about their results.
            limits=Limits(iterations=10 + 4 * rounds),
        )


def _phase(params: Mapping[str, Any]) -> dict[str, Any]:
    """What all three phases have in common."""
    return {
        "limits": Limits(iterations=params["max_turns"], budget=params["phase_budget"]),
        "stops": True,
    }


def _lead(llm: LLM, corrections: int) -> Agent:
    from openhands.sdk import Agent, AgentContext

    return Agent(
        llm=llm,
        tools=[],
        agent_context=AgentContext(system_message_suffix=lead_protocol(corrections)),
    )


def _only_viewing() -> HookConfig:
    from openhands.sdk.hooks import HookConfig
    from openhands.sdk.hooks.config import HookDefinition, HookMatcher

    guard = HookDefinition(command=DESIGNER_GUARD, timeout=20)
    # Every tool: an overlay may have brought one that edits.
    return HookConfig(pre_tool_use=[HookMatcher(matcher="*", hooks=[guard])])
