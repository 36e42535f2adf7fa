"""Scripts and the small pieces they are made of.

A script is a function from a `Turn` to a `Reply`. It keeps no state: what comes next
follows from the conversation in the request. So it answers any number of conversations
at once, and goes on after the agent's process was killed and the conversation resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from openhands_strategies.testing.replies import Call, Fault, Reply, ScriptError
from openhands_strategies.testing.turns import Turn

type Script = Callable[[Turn], Reply]
type Step = Reply | Script


def say(text: str) -> Reply:
    """A message without tool calls. An agent of the SDK stops on it."""
    return Reply(text=text)


def call(name: str, **arguments: Any) -> Reply:
    """One tool call. Several in one message: `Reply(calls=[Call(...), Call(...)])`."""
    return Reply(calls=(Call(name, arguments),))


def finish(message: str) -> Reply:
    """The SDK's `finish` tool, which ends the conversation with this answer."""
    return call("finish", message=message)


def play(step: Step, turn: Turn) -> Reply:
    """The reply of a step, which is a reply itself or a script."""
    return step if isinstance(step, Reply) else step(turn)


def by_model(steps: Mapping[str, Step]) -> Script:
    """Choose by the model's name. A name that is not listed is a `ScriptError`."""

    def script(turn: Turn) -> Reply:
        if turn.model not in steps:
            known = ", ".join(sorted(steps))
            raise ScriptError(f"no script for model {turn.model!r}, only for: {known}")
        return play(steps[turn.model], turn)

    return script


def in_order(steps: Sequence[Step]) -> Script:
    """The n-th step answers a conversation that has n assistant messages (from 0).

    A conversation that goes on after the last step is a `ScriptError`.
    """

    def script(turn: Turn) -> Reply:
        if turn.replies >= len(steps):
            last = turn.last_result.text[:200] if turn.last_result else "none"
            raise ScriptError(
                f"{turn.model}: the script has {len(steps)} steps, reply {turn.replies + 1} "
                f"is asked for (last tool result: {last})"
            )
        return play(steps[turn.replies], turn)

    return script


def delayed(step: Step, seconds: float) -> Script:
    """The same replies, each after `seconds`, unless a reply has its own delay."""

    def script(turn: Turn) -> Reply:
        reply = play(step, turn)
        return reply if reply.delay is not None else replace(reply, delay=seconds)

    return script


def failing(fault: Fault, then: Step, times: int = 1) -> Script:
    """Fail the first `times` attempts at a turn, then answer as `then` does."""

    def script(turn: Turn) -> Reply:
        return Reply(fault=fault) if turn.attempt < times else play(then, turn)

    return script
