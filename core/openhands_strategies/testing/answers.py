"""Reading what an OpenAI-compatible server answers, whole or streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from openhands_strategies.testing.replies import Call


class UnreadableAnswer(Exception):
    """An answer that is no chat completion, or calls a tool with what is no JSON object."""


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        id: The server's id of it.
        text: What the model said.
        calls: Its tool calls.
        usage: Tokens as the server counted them; empty where it did not.
    """

    id: str
    text: str | None
    calls: tuple[Call, ...] = ()
    usage: Mapping[str, Any] = field(default_factory=dict)

    def tokens(self, name: str) -> int:
        """One count of `usage`, 0 where the server gave none."""
        return int(self.usage.get(name) or 0)

    @property
    def cached_tokens(self) -> int:
        """The cached part of the input tokens."""
        details = self.usage.get("prompt_tokens_details") or {}
        return int(details.get("cached_tokens") or 0)


def answer_in(body: bytes, *, streamed: bool) -> Answer:
    """Read the body of an answer with status 200.

    Raises:
        UnreadableAnswer: It is no chat completion.
    """
    try:
        if streamed:
            return _streamed(list(_events(body)))
        document = json.loads(body)
        message = document["choices"][0]["message"]
        made = [
            (one["function"]["name"], one["function"].get("arguments") or "{}")
            for one in message.get("tool_calls") or ()
        ]
        return Answer(
            id=str(document.get("id") or ""),
            text=message.get("content"),
            calls=tuple(_call(name, text) for name, text in made),
            usage=document.get("usage") or {},
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableAnswer(
            f"the server's answer is no chat completion: {type(error).__name__}: {error}"
        ) from error


def _streamed(chunks: list[Mapping[str, Any]]) -> Answer:
    text = ""
    usage: Mapping[str, Any] = {}
    calls: dict[int, list[str]] = {}
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            text += delta.get("content") or ""
            for piece in delta.get("tool_calls") or ():
                function = piece.get("function") or {}
                made = calls.setdefault(int(piece.get("index") or 0), ["", ""])
                made[0] += function.get("name") or ""
                made[1] += function.get("arguments") or ""
    return Answer(
        id=str(chunks[0].get("id") or ""),
        text=text or None,
        calls=tuple(_call(name, arguments or "{}") for name, arguments in calls.values()),
        usage=usage,
    )


def _events(body: bytes) -> Iterator[Mapping[str, Any]]:
    for line in body.decode().splitlines():
        data = line.removeprefix("data:").strip()
        if line.startswith("data:") and data != "[DONE]":
            yield json.loads(data)


def _call(name: str, text: str) -> Call:
    arguments = json.loads(text)
    if not isinstance(arguments, dict):
        raise ValueError(f"the arguments of {name!r} are no JSON object")
    return Call(name, arguments)
