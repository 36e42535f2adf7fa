"""Asking the user about actions: workers ask, the main thread answers, one by one."""

from __future__ import annotations

import contextlib
import json
import queue
import sys
import termios
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.cli.text import many_lines, printable, say

if TYPE_CHECKING:
    from openhands.sdk.event import ActionEvent

# Cutting must be seen: what is allowed is the whole of it.
_SHOWN: Final = 10_000


@dataclass
class _Question:
    role: str
    actions: list[ActionEvent]
    answered: threading.Event = field(default_factory=threading.Event)
    yes: bool = False


class Questions:
    """Hands questions from the agents' threads to the thread that has the terminal."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[_Question] = queue.SimpleQueue()
        self._closed = threading.Event()

    def ask(self, role: str, actions: list[ActionEvent]) -> bool:
        """Wait for the user's answer; may be called from any number of threads.

        Returns:
            Whether all of the actions may run; False once `close` was called.
        """
        question = _Question(role, actions)
        self._waiting.put(question)
        while not question.answered.wait(0.2):
            if self._closed.is_set():
                return False
        return question.yes

    @property
    def pending(self) -> bool:
        """Whether somebody waits for an answer."""
        return not self._waiting.empty()

    def answer_next(self) -> None:
        """Show the next question and read the answer from the terminal."""
        question = self._waiting.get_nowait()
        question.yes = _ask(question)
        question.answered.set()

    def close(self) -> None:
        """Answer everything with no, now and later."""
        self._closed.set()


def can_ask() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _ask(question: _Question) -> bool:
    for action in question.actions:
        for line in action_lines(question.role, action):
            say(line)
    return ask_yes(len(question.actions))


def ask_yes(count: int) -> bool:
    """Read from the terminal whether so many actions, which were shown, may run."""
    what = "this action" if count == 1 else f"these {count} actions"
    # What was typed before the question was seen is no answer to it.
    with contextlib.suppress(termios.error, OSError):
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    print(f"Run {what}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def action_lines(role: str, event: ActionEvent) -> list[str]:
    """An action as a person must see it: who, which tool, which risk, all arguments."""
    risk = getattr(event.security_risk, "value", str(event.security_risk))
    return action_text(role, event.tool_name, str(risk), _arguments(event))


def action_text(role: str, tool: str, risk: str, arguments: Mapping[str, Any]) -> list[str]:
    """The lines of `action_lines`, for an action that is known by its parts.

    Args:
        role: Who wants it.
        tool: The tool's name.
        risk: What the model says of it.
        arguments: All of them; cut ones are marked.
    """
    wants = f"{printable(role, 80)} wants to use {printable(tool, 80)}"
    lines = ["", f"{wants} (risk stated by the model: {printable(risk, 20)})"]
    for name, value in arguments.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        shown = many_lines(text[:_SHOWN]).split("\n")
        if len(text) > _SHOWN:
            shown.append(f"… and {len(text) - _SHOWN} characters more, which are NOT shown")
        lines.append(f"  {printable(name, 60)}: {shown[0]}")
        lines.extend(f"    {line}" for line in shown[1:])
    return lines


def _arguments(event: ActionEvent) -> dict[str, Any]:
    if event.action is None:
        return {"arguments": event.tool_call.arguments}
    data: dict[str, Any] = event.action.model_dump(mode="json", exclude_none=True)
    data.pop("kind", None)
    return data
