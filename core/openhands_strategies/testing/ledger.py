"""The account of what a scripted model served."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openhands_strategies.testing.replies import Reply


@dataclass(frozen=True, slots=True)
class Served:
    """One answered request.

    `started` and `ended` are `time.monotonic()` seconds, from the request read to the
    answer about to be written. `cached_tokens` are a part of `input_tokens`. `cost_usd`
    is None where the model has no price. `tools` are names, `offered` the whole
    definitions, with the descriptions that the model reads. `answer_id` is the `id` in the
    answer's body, which the SDK writes into its events and statistics.
    """

    model: str
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[str]
    reply: Reply
    started: float
    ended: float
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float | None
    offered: Sequence[Mapping[str, Any]] = ()
    answer_id: str = ""

    def description(self, tool: str) -> str:
        """What the model was told about a tool; empty when it was not offered."""
        found = (one["function"] for one in self.offered)
        return next((str(f.get("description", "")) for f in found if f["name"] == tool), "")

    def overlaps(self, other: Served) -> bool:
        """Whether the two were worked on at the same time."""
        return self.started < other.ended and other.started < self.ended


@dataclass(frozen=True, slots=True)
class Usage:
    """What one model served in all. `cost_usd` is None as soon as a part is unknown."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float | None = 0.0


def add_costs(costs: Sequence[float | None]) -> float | None:
    """The sum in USD, None if one of the costs is unknown."""
    total = 0.0
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total


def usage_of(records: Sequence[Served]) -> Usage:
    """Sum up records."""
    return Usage(
        calls=len(records),
        input_tokens=sum(record.input_tokens for record in records),
        output_tokens=sum(record.output_tokens for record in records),
        cached_tokens=sum(record.cached_tokens for record in records),
        cost_usd=add_costs([record.cost_usd for record in records]),
    )


class Ledger:
    """Lists that several request threads write to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._served: list[Served] = []
        self._failed: list[Served] = []
        self._errors: list[Exception] = []

    def add_served(self, record: Served) -> None:
        """Book an answer."""
        with self._lock:
            self._served.append(record)

    def add_failed(self, record: Served) -> None:
        """Book a request that got no answer, and take back an answer booked for it."""
        with self._lock:
            self._served = [served for served in self._served if served is not record]
            self._failed.append(record)

    def add_error(self, error: Exception) -> None:
        """Keep what went wrong in a script or in the server."""
        with self._lock:
            self._errors.append(error)

    @property
    def served(self) -> list[Served]:
        """A copy of the answered requests, in the order of their answers."""
        with self._lock:
            return list(self._served)

    @property
    def failed(self) -> list[Served]:
        """A copy of the requests that ended in a fault or whose client had gone."""
        with self._lock:
            return list(self._failed)

    @property
    def errors(self) -> list[Exception]:
        """A copy of the errors."""
        with self._lock:
            return list(self._errors)
