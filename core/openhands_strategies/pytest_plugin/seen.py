"""What a test sees of a run: roles, their prompts and tool calls, delegations, hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from openhands_strategies.testing.ledger import Served, add_costs
from openhands_strategies.testing.turns import Turn


@dataclass(frozen=True)
class ToolCall:
    """One tool call of an agent.

    Attributes:
        role: Whose it was.
        name: The tool.
        arguments: As the model gave them, without what the SDK adds to every tool.
        result: What the model was told; empty where the run ended before.
        failed: Whether that was an error or a refusal.
    """

    role: str
    name: str
    arguments: Mapping[str, Any]
    result: str = ""
    failed: bool = False

    def __str__(self) -> str:
        given = ", ".join(f"{name}={_short(repr(one))}" for name, one in self.arguments.items())
        return f"{self.role}: {self.name}({given})"


@dataclass(frozen=True)
class HookRun:
    """One hook that ran.

    Attributes:
        role: In whose conversation.
        event: `PreToolUse`, `PostToolUse`, `UserPromptSubmit`, `SessionStart`, `SessionEnd` or
            `Stop`.
        command: As it was run.
        tool: Of a tool's hook, None for the other events.
        exit_code: Of the command.
        blocked: Whether it refused what was about to happen.
        reason: Why it refused; empty where it did not say.
    """

    role: str
    event: str
    command: str
    tool: str | None
    exit_code: int
    blocked: bool
    reason: str = ""
    stdout: str = ""
    stderr: str = ""

    def __str__(self) -> str:
        tool = f" {self.tool}" if self.tool else ""
        how = "blocked" if self.blocked else f"exit code {self.exit_code}"
        return f"{self.role}: {self.event}{tool}: {_short(self.command)} ({how})"


@dataclass(frozen=True)
class Delegation:
    """One call of the task tool.

    Attributes:
        asked_by: Role that delegated.
        role: Role that was asked, with those above it: `team/helper`.
        prompt: What it was asked.
        result: What the asking model was told.
        state: How it ended: `completed`, `escalated`, `limit`, `failed`, `interrupted`; empty
            where the run ended before.
        task_id: Id in the conversation that asked; empty where it never started.
        started: `time.monotonic()` of its first model call, None where it made none.
        ended: Of its last answer.
    """

    asked_by: str
    role: str
    prompt: str
    result: str = ""
    state: str = ""
    task_id: str = ""
    started: float | None = None
    ended: float | None = None

    def overlaps(self, other: Delegation) -> bool:
        """Whether the two worked at the same time; not where one of them did not work."""
        if self.started is None or self.ended is None:
            return False
        if other.started is None or other.ended is None:
            return False
        return self.started < other.ended and other.started < self.ended

    def __str__(self) -> str:
        return f"{self.asked_by} -> {self.role}: {_short(self.prompt)} ({self.state or 'open'})"


@dataclass(frozen=True)
class Role:
    """One role, all its conversations together.

    Attributes:
        name: `main`, or aliases from the main agent down, joined with `/`.
        served: The requests that its models answered, condensers included, in order.
        tool_calls: In order.
        hooks: Hooks that ran in its conversations, in order.
        states: How each of its conversations ended, in order; of a task that was resumed,
            how it ended last.
    """

    name: str
    served: Sequence[Served] = ()
    tool_calls: Sequence[ToolCall] = ()
    hooks: Sequence[HookRun] = ()
    states: Sequence[str] = field(default=())

    @property
    def calls(self) -> int:
        """Model calls."""
        return len(self.served)

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Models that answered it, as the server knows them, in order of first use."""
        return tuple(dict.fromkeys(one.model for one in self.served))

    @property
    def cost_usd(self) -> float | None:
        """Dollars as the server counts them, None where a model has no price."""
        return add_costs([one.cost_usd for one in self.served])

    @cached_property
    def tools(self) -> tuple[str, ...]:
        """Tools that it was offered at first, sorted."""
        return tuple(sorted(self.served[0].tools)) if self.served else ()

    @property
    def system(self) -> str:
        """Its system prompt; empty where it was never started."""
        return self._first.system

    @property
    def first_message(self) -> str:
        """The first user message of its first conversation; empty where there is none."""
        return next(iter(self._first.user), "")

    @property
    def first_messages(self) -> tuple[str, ...]:
        """The first user message of each of its conversations, in order."""
        starts = (Turn(one.model, one.messages) for one in self.served)
        return tuple(turn.user[0] for turn in starts if not turn.replies and turn.user)

    @cached_property
    def _first(self) -> Turn:
        return Turn(self.served[0].model, self.served[0].messages) if self.served else Turn("", ())

    def called(self, tool: str) -> tuple[ToolCall, ...]:
        """Its calls of one tool."""
        return tuple(one for one in self.tool_calls if one.name == tool)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
