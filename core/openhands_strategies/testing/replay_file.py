"""The file of a recorded run: which requests came, and what the model answered.

JSON with `version`, `model` (the main model's full name), `systems` (digest to text of a
system prompt) and `turns`. A turn is a request and its answer: `{model, system, tools, after,
messages, reply: {text, calls}, usage}`; with `after`, the messages of that earlier turn come
before its own. A message is `{role, text}`, with `calls` where an assistant called tools and
`tool` where it is a tool's result. All texts are cleaned, see `cleaning`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from openhands_strategies.runtime.json_file import write_json
from openhands_strategies.testing.cleaning import Cleaner
from openhands_strategies.testing.replies import ScriptError
from openhands_strategies.testing.turns import text_of

VERSION: Final = 1

# What differs between two runs of the same code, whatever the model says.
_DATE: Final = r"\b\d{4}-\d\d-\d\d"
_VARYING: Final = (
    (re.compile(rf"{_DATE}[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "TIME"),
    (re.compile(rf"{_DATE}\b"), "DATE"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "UUID"),
)


class ReplayError(ScriptError):
    """A replay file that cannot be read or written, or a run that departs from it."""


@dataclass(frozen=True)
class RecordedTurn:
    """One request and its answer.

    Attributes:
        model: Name in the request.
        system: Digest of the system prompt.
        tools: Names of the tools that were offered, sorted.
        messages: The messages after the system prompt.
        text: What the model said.
        calls: `{name, arguments}` of each tool call.
        usage: Tokens as the server counted them; empty where it did not.
    """

    model: str
    system: str
    tools: tuple[str, ...]
    messages: tuple[Mapping[str, Any], ...]
    text: str | None = None
    calls: tuple[Mapping[str, Any], ...] = ()
    usage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def replies(self) -> int:
        """How many assistant messages came before."""
        return sum(one["role"] == "assistant" for one in self.messages)


@dataclass(frozen=True)
class Recording:
    """A recorded run.

    Attributes:
        model: The main model as an LLM's `model` names it.
        systems: Digest to text of each system prompt.
        turns: In the order in which they were answered.
    """

    model: str
    systems: Mapping[str, str]
    turns: tuple[RecordedTurn, ...]


def normal_request(
    model: str,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[str],
    cleaner: Cleaner,
) -> tuple[RecordedTurn, str]:
    """A request as it is written and compared, without an answer, and its system prompt."""
    system = normal("\n".join(text_of(m) for m in messages if m.get("role") == "system"), cleaner)
    names: dict[str, str] = {}
    rest = [_message(one, names, cleaner) for one in messages if one.get("role") != "system"]
    turn = RecordedTurn(model, digest(system), tuple(sorted(tools)), tuple(rest))
    return turn, system


def normal(text: str, cleaner: Cleaner) -> str:
    """A text without secrets, places, times and ids; line ends and outer space do not count."""
    text = cleaner.text(text)
    for pattern, word in _VARYING:
        text = pattern.sub(f"{{{{ohs:{word}}}}}", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def digest(text: str) -> str:
    """Short digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _message(message: Mapping[str, Any], names: dict[str, str], cleaner: Cleaner) -> dict[str, Any]:
    role = str(message.get("role"))
    entry: dict[str, Any] = {"role": role, "text": normal(text_of(message), cleaner)}
    calls = []
    for made in message.get("tool_calls") or ():
        function = made["function"]
        names[str(made.get("id"))] = function["name"]
        # The scripted model adds these two, which the SDK wants, where a model left them out.
        arguments = {
            key: value
            for key, value in json.loads(function.get("arguments") or "{}").items()
            if key not in ("security_risk", "summary")
        }
        calls.append({"name": function["name"], "arguments": _normal_value(arguments, cleaner)})
    if calls:
        entry["calls"] = calls
    if role == "tool":
        entry["tool"] = names.get(str(message.get("tool_call_id"))) or str(message.get("name"))
    return entry


def _normal_value(value: Any, cleaner: Cleaner) -> Any:
    if isinstance(value, str):
        return normal(value, cleaner)
    if isinstance(value, Mapping):
        return {str(key): _normal_value(one, cleaner) for key, one in sorted(value.items())}
    if isinstance(value, list):
        return [_normal_value(one, cleaner) for one in value]
    return value


def write_recording(path: Path, recording: Recording, cleaner: Cleaner) -> None:
    """Write the file, whole or not at all.

    Raises:
        ReplayError: A secret would stand in it, or it cannot be written.
    """
    document = {
        "version": VERSION,
        "model": recording.model,
        "systems": dict(sorted(recording.systems.items())),
        "turns": [_turn_json(number, recording.turns) for number in range(len(recording.turns))],
    }
    if any(secret in one for one in _texts(document) for secret in cleaner.secrets):
        raise ReplayError(f"{path} is not written: a secret would stand in it")
    try:
        write_json(path, document)
    except OSError as error:
        raise ReplayError(f"{path} cannot be written: {error.strerror or error}") from error


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _turn_json(number: int, turns: Sequence[RecordedTurn]) -> dict[str, Any]:
    turn = turns[number]
    before = [
        (len(one.messages), index)
        for index, one in enumerate(turns[:number])
        if one.model == turn.model and one.messages == turn.messages[: len(one.messages)]
    ]
    length, after = max(before, default=(0, None))
    return {
        "model": turn.model,
        "system": turn.system,
        "tools": list(turn.tools),
        "after": after,
        "messages": list(turn.messages[length:]),
        "reply": {"text": turn.text, "calls": list(turn.calls)},
        "usage": dict(turn.usage),
    }


def read_recording(path: Path) -> Recording:
    """Read a replay file.

    Raises:
        ReplayError: It is missing, or not what `write_recording` writes.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.get("version") != VERSION:
            raise ValueError(f"its version is {document.get('version')!r}, not {VERSION}")
        turns: list[RecordedTurn] = []
        for one in document["turns"]:
            turns.append(_turn(one, turns))
        return Recording(
            model=str(document["model"]),
            systems={str(key): str(text) for key, text in document["systems"].items()},
            turns=tuple(turns),
        )
    except FileNotFoundError:
        raise ReplayError(
            f"there is no replay file {path}: record it with pytest --record-strategy {path}"
        ) from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ReplayError(f"{path} is no replay file: {type(error).__name__}: {error}") from error


def _turn(data: Mapping[str, Any], earlier: Sequence[RecordedTurn]) -> RecordedTurn:
    before = () if data["after"] is None else earlier[data["after"]].messages
    return RecordedTurn(
        model=str(data["model"]),
        system=str(data["system"]),
        tools=tuple(map(str, data["tools"])),
        messages=(
            *before,
            *({**one, "role": one["role"], "text": str(one["text"])} for one in data["messages"]),
        ),
        text=data["reply"]["text"],
        calls=tuple(
            {"name": str(one["name"]), "arguments": dict(one["arguments"])}
            for one in data["reply"]["calls"]
        ),
        usage=dict(data.get("usage") or {}),
    )
