"""Counting and pricing of tokens, by rules that anybody can redo by hand.

Tokens: a text has one token per four bytes of UTF-8, rounded up. A message or a tool
schema counts as its JSON text (keys sorted, no spaces, not escaped to ASCII). Input is
the offered tools, when there are any, plus every message. Output is the text of the
reply plus the name and the JSON arguments of each call, at least 1.

Cache: the prompt is a row of parts, first the tools (one part), then each message. The
cached tokens of a request are those of the longest row of leading parts that an earlier
request of the same model also began with. What counts is the order of arrival, so
requests that run side by side share too, and the sum over a set of requests does not
depend on their order. Nothing ever expires.

Dollars: `LLM(input_cost_per_token=…, output_cost_per_token=…)` is all the SDK knows of
a custom price. On 1.21 and 1.58 it hands just these two to litellm, which then charges
cached tokens at the full input price. The cached price here therefore defaults to the
input price, and with this default both sides arrive at the same dollars. With another
cached price they differ by exactly the cached tokens' discount.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openhands_strategies.testing.replies import Call

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens. `cached` None: cached input costs what input costs."""

    input: float
    output: float
    cached: float | None = None

    @property
    def input_per_token(self) -> float:
        """USD per input token, as the SDK's `input_cost_per_token` wants it."""
        return self.input / _MILLION

    @property
    def output_per_token(self) -> float:
        """USD per output token, as the SDK's `output_cost_per_token` wants it."""
        return self.output / _MILLION

    def cost(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float:
        """USD of one answer. `cached_tokens` are a part of `input_tokens`."""
        cached = self.input if self.cached is None else self.cached
        fresh_tokens = input_tokens - cached_tokens
        return (
            fresh_tokens * self.input + cached_tokens * cached + output_tokens * self.output
        ) / _MILLION


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def count_tokens(text: str) -> int:
    """Tokens of a text: its bytes in UTF-8 divided by four, rounded up."""
    return -(-len(text.encode()) // 4)


def prompt_parts(
    messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]
) -> list[str]:
    """The parts of a prompt in their order, each as canonical JSON."""
    head = [canonical(tools)] if tools else []
    return head + [canonical(message) for message in messages]


def output_tokens(text: str | None, calls: Sequence[Call]) -> int:
    """Tokens of a reply."""
    total = count_tokens(text or "")
    for made in calls:
        total += count_tokens(made.name) + count_tokens(canonical(dict(made.arguments)))
    return max(total, 1)


class PromptCache:
    """Remembers how the prompts of each model began. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: set[bytes] = set()

    def admit(self, model: str, parts: Sequence[str]) -> tuple[int, int]:
        """Take note of a prompt. Returns its tokens and how many of them were cached."""
        digest = hashlib.sha256(model.encode())
        total = cached = 0
        with self._lock:
            for part in parts:
                digest.update(b"\0" + part.encode())
                total += count_tokens(part)
                prefix = digest.digest()
                if prefix in self._seen:
                    cached = total
                self._seen.add(prefix)
        return total, cached
