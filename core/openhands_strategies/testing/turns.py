"""What a script sees: one request, read as a conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from openhands_strategies.testing.replies import Call


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The answer to one tool call of an earlier turn."""

    call: Call
    text: str

    @property
    def name(self) -> str:
        """The tool's name."""
        return self.call.name

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What the tool was called with."""
        return self.call.arguments


@dataclass(frozen=True)
class Turn:
    """One request for a reply.

    `model` is the name in the request body (litellm has taken the `openai/` off),
    `messages` are the raw chat messages, `tools` maps each offered tool to the JSON
    schema of its parameters. `attempt` counts the earlier requests of this server with
    the same model and messages: 0 at first, 1 for the first retry.
    """

    model: str
    messages: Sequence[Mapping[str, Any]]
    tools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attempt: int = 0

    def offers(self, tool: str) -> bool:
        """Whether the request offers this tool."""
        return tool in self.tools

    @cached_property
    def system(self) -> str:
        """The text of all system messages."""
        return "\n".join(self._texts("system"))

    @cached_property
    def user(self) -> tuple[str, ...]:
        """The texts of the user messages, in order."""
        return tuple(self._texts("user"))

    @cached_property
    def replies(self) -> int:
        """How many assistant messages the conversation already has."""
        return sum(message.get("role") == "assistant" for message in self.messages)

    @cached_property
    def calls_made(self) -> tuple[Call, ...]:
        """All tool calls of the earlier assistant messages, in order."""
        return tuple(self._calls.values())

    @cached_property
    def tool_results(self) -> tuple[ToolResult, ...]:
        """The answers to tool calls, in the order in which they stand."""
        return tuple(
            ToolResult(
                self._calls.get(
                    str(message.get("tool_call_id")), Call(str(message.get("name") or ""))
                ),
                text_of(message),
            )
            for message in self.messages
            if message.get("role") == "tool"
        )

    @property
    def last_result(self) -> ToolResult | None:
        """The newest answer to a tool call, None before the first."""
        return self.tool_results[-1] if self.tool_results else None

    def results_of(self, tool: str) -> tuple[ToolResult, ...]:
        """The answers of one tool, in order."""
        return tuple(result for result in self.tool_results if result.name == tool)

    def _texts(self, role: str) -> list[str]:
        return [text_of(message) for message in self.messages if message.get("role") == role]

    @cached_property
    def _calls(self) -> dict[str, Call]:
        calls: dict[str, Call] = {}
        for message in self.messages:
            for number, entry in enumerate(message.get("tool_calls") or ()):
                function = entry["function"]
                arguments = json.loads(function.get("arguments") or "{}")
                key = str(entry.get("id") or f"{len(calls)}.{number}")
                calls[key] = Call(function["name"], arguments)
        return calls


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a chat message, its text parts joined by line breaks."""
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part["text"] for part in content if isinstance(part.get("text"), str))
