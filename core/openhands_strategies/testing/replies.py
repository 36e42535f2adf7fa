"""What a script answers: text, tool calls, a delay, or a fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class ScriptError(Exception):
    """A script cannot answer this turn, or answers with something that is no reply."""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call.

    `arguments` must be JSON data. Calling a tool that the request did not offer is a
    mistake in the script (`ScriptError`), unless `unoffered` says it is meant.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    unoffered: bool = False


@dataclass(frozen=True, slots=True)
class HttpError:
    """The request is answered with an HTTP error status and a JSON error body."""

    status: int
    message: str = "scripted fault"


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is closed without an answer, or in the middle of one (`midway`)."""

    midway: bool = False


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing is sent for `seconds`, then the connection is closed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Malformed:
    """Status 200 with `body` as it stands, by default JSON that breaks off."""

    body: str = '{"id": "chatcmpl-broken", "choices": [{"message": '


type Fault = HttpError | Drop | Stall | Malformed


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the model.

    `delay` is in seconds and replaces the server's latency for this answer. With a
    `fault`, text and calls are not sent (`Drop(midway=True)` sends a part of them) and
    nothing is charged.
    """

    text: str | None = None
    calls: Sequence[Call] = ()
    delay: float | None = None
    fault: Fault | None = None
