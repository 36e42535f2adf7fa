"""The OpenAI chat-completions format: reading a request, writing a reply."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openhands_strategies.testing.replies import Call, Reply, ScriptError
from openhands_strategies.testing.tokens import canonical

# The SDK adds these two to its tools' own parameters. 1.21 requires the risk, 1.58 only
# asks for it, but takes a call without one for risky; the summary is optional in both.
_RISK = {"security_risk": "LOW"}
_SUMMARY = {"summary": "scripted call"}


class BadRequest(Exception):
    """The request body is not a chat-completions request."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The parts of a chat-completions request that matter here."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]]
    stream: bool
    stream_usage: bool

    @property
    def schemas(self) -> dict[str, Mapping[str, Any]]:
        """Parameter schema of each offered tool."""
        functions = [tool["function"] for tool in self.tools]
        return {function["name"]: function.get("parameters") or {} for function in functions}


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens of one answer, `cached` being a part of `input`."""

    input: int
    output: int
    cached: int

    def as_usage(self) -> dict[str, Any]:
        """The `usage` object of the format."""
        return {
            "prompt_tokens": self.input,
            "completion_tokens": self.output,
            "total_tokens": self.input + self.output,
            "prompt_tokens_details": {"cached_tokens": self.cached},
        }


def read_request(body: bytes) -> ChatRequest:
    """Parse a request body. Raises BadRequest."""
    try:
        data = json.loads(body)
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadRequest("the body is not a JSON object")
    model, messages = data.get("model"), data.get("messages")
    tools = data.get("tools") or []
    if not isinstance(model, str) or not model:
        raise BadRequest("'model' must be a string")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("'messages' must be a list with at least one message")
    for number, message in enumerate(messages):
        _check_message(number, message)
    if not isinstance(tools, list) or not all(map(_is_function_tool, tools)):
        raise BadRequest("'tools' must be a list of function tools")
    options = data.get("stream_options") or {}
    return ChatRequest(
        model=model,
        messages=messages,
        tools=tools,
        stream=bool(data.get("stream")),
        stream_usage=isinstance(options, dict) and bool(options.get("include_usage")),
    )


def complete_calls(reply: Reply, schemas: Mapping[str, Mapping[str, Any]]) -> list[Call]:
    """The reply's calls with what the SDK wants of every call: a risk, maybe a summary.

    Raises ScriptError for a tool that is not offered and for arguments that are no JSON.
    """
    completed = []
    for made in reply.calls:
        if made.name not in schemas and not made.unoffered:
            offered = ", ".join(sorted(schemas)) or "no tool"
            raise ScriptError(f"the script calls {made.name!r}, the request offers: {offered}")
        schema = schemas.get(made.name, {})
        risk = _RISK if "security_risk" in (schema.get("properties") or {}) else {}
        summary = _SUMMARY if "summary" in (schema.get("required") or ()) else {}
        arguments = {**risk, **summary, **made.arguments}
        try:
            canonical(arguments)
        except (TypeError, ValueError) as error:
            raise ScriptError(f"arguments of {made.name!r} are not JSON: {error}") from error
        completed.append(Call(made.name, arguments, made.unoffered))
    return completed


def completion(
    answer_id: str, created: int, request: ChatRequest, reply: Reply, counts: TokenCounts
) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.calls:
        message["tool_calls"] = _tool_calls(request, reply)
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(reply)}
    return {
        "id": answer_id,
        "object": "chat.completion",
        "created": created,
        "model": request.model,
        "choices": [choice],
        "usage": counts.as_usage(),
    }


def chunks(
    answer_id: str, created: int, request: ChatRequest, reply: Reply, counts: TokenCounts
) -> Iterator[dict[str, Any]]:
    """The chunks of a streamed answer; the last one has the usage if it was asked for."""
    frame = {
        "id": answer_id,
        "object": "chat.completion.chunk",
        "created": created,
        "model": request.model,
    }

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    yield chunk({"role": "assistant", "content": ""})
    for piece in _pieces(reply.text or ""):
        yield chunk({"content": piece})
    for index, entry in enumerate(_tool_calls(request, reply)):
        function = entry["function"]
        head = {"name": function["name"], "arguments": ""}
        yield chunk({"tool_calls": [{**entry, "index": index, "function": head}]})
        for piece in _pieces(function["arguments"]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, _finish_reason(reply))
    if request.stream_usage:
        yield {**frame, "choices": [], "usage": counts.as_usage()}


def error_body(message: str, kind: str, code: str | None = None) -> dict[str, Any]:
    """An error in the form that OpenAI clients read."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _tool_calls(request: ChatRequest, reply: Reply) -> list[dict[str, Any]]:
    # Derived from the conversation: a retry gets the same ids, two turns never share one.
    turn = hashlib.sha256(canonical(request.messages).encode()).hexdigest()[:16]
    return [
        {
            "id": f"call_{turn}_{number}",
            "type": "function",
            "function": {"name": made.name, "arguments": json.dumps(dict(made.arguments))},
        }
        for number, made in enumerate(reply.calls)
    ]


def _finish_reason(reply: Reply) -> str:
    return "tool_calls" if reply.calls else "stop"


def _pieces(text: str, size: int = 24) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


def _check_message(number: int, message: Any) -> None:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise BadRequest(f"message {number} has no role")
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    if not isinstance(content, str | list | None) or not all(isinstance(p, dict) for p in parts):
        raise BadRequest(f"message {number}: content must be text or a list of parts")
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list) or not all(map(_is_readable_call, calls)):
        raise BadRequest(f"message {number}: a tool call is not readable")


def _is_readable_call(entry: Any) -> bool:
    function = entry.get("function") if isinstance(entry, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return False
    try:
        return isinstance(json.loads(function.get("arguments") or "{}"), dict)
    except (TypeError, ValueError):
        return False


def _is_function_tool(tool: Any) -> bool:
    function = tool.get("function") if isinstance(tool, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str)
