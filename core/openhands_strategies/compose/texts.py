"""What the agents of a composition are told about their place in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openhands_strategies.blueprint import ESCALATION

_ORCHESTRATOR: Final = """\
You lead a pipeline. Its phases are sub-agents of the task tool, each a whole agent with \
helpers of its own. They run in this order, each once:

{phases}

- Start the first phase with the user's task in full, word for word, and what you know about \
the workspace. You do none of the work yourself.
- A phase starts with the result of the phase before it; you need not repeat that. Say what \
this phase is to do for the user's task.
- Read every result before you start the next phase. If it is incomplete or wrong, ask the \
same phase for a correction with `resume` and its task id.
- When a phase fails, is stopped by a limit or hands the work back, the pipeline ends there: \
no further task is accepted. Finish with what was done until then, what is missing, and why.
- After the last phase, finish with a short account for the user: what was done, what was \
checked, what is left open.
"""

_PHASE: Final = """\
You are the phase {label!r} of a pipeline ({order}). What you are given begins with the result \
of the phase before you, if there is one. Do this phase's work only, and end with a result that \
the next phase can use without having seen your work. If you cannot do it, begin your last \
message with {escalation} and say what is missing.
"""

_LEAD: Final = """\
You lead a team. Its members are sub-agents of the task tool, each a whole agent that may have \
helpers of its own: {members}. A member knows nothing of this conversation: give it the goal, \
the paths and how it can tell that it is done. What it reports is advice; check it before you \
build on it.
"""

_MEMBER: Final = """\
You work as {label!r} in a team, for the agent that gave you this task. If it is beyond you or \
outside your part, begin your last message with {escalation} and say why.
"""


def orchestrator_text(phases: Sequence[tuple[str, str]]) -> str:
    """For the agent that leads a pipeline; `phases` are labels and descriptions."""
    lines = [f"{number}. {label}: {text}" for number, (label, text) in enumerate(phases, 1)]
    return _ORCHESTRATOR.format(phases="\n".join(lines))


def phase_text(label: str, labels: Sequence[str]) -> str:
    return _PHASE.format(label=label, order=", then ".join(labels), escalation=ESCALATION)


def lead_text(members: Sequence[str]) -> str:
    return _LEAD.format(members=", ".join(members))


def member_text(label: str) -> str:
    return _MEMBER.format(label=label, escalation=ESCALATION)
