"""The server's HTTP interface, spoken to with http.client."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from openhands_strategies.testing import (
    Call,
    Price,
    Reply,
    Script,
    ScriptedModel,
    ScriptError,
    Turn,
    call,
    in_order,
    say,
)

TOOL = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}


def request(
    model: ScriptedModel,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, str, bytes]:
    """Status, content type and body of one exchange."""
    connection = http.client.HTTPConnection(urlsplit(model.base_url).netloc, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def chat(model: ScriptedModel, text: str = "hello", **extra: Any) -> tuple[int, dict[str, Any]]:
    """A chat completion that is not streamed."""
    data = {"model": "m", "messages": [{"role": "user", "content": text}], **extra}
    status, kind, body = request(
        model, "POST", "/v1/chat/completions", json.dumps(data).encode("utf-8")
    )
    assert kind == "application/json"
    return status, json.loads(body)


def test_text_reply() -> None:
    with ScriptedModel(lambda turn: say(f"you said {turn.user[-1]}")) as model:
        status, answer = chat(model)
    assert status == 200
    choice = answer["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "you said hello"}
    assert choice["finish_reason"] == "stop"
    assert answer["model"] == "m"
    served = model.served[0]
    assert answer["usage"] == {
        "prompt_tokens": served.input_tokens,
        "completion_tokens": served.output_tokens,
        "total_tokens": served.input_tokens + served.output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def test_tool_calls_have_distinct_ids_and_json_arguments() -> None:
    reply = Reply(text="two at once", calls=[Call("look", {"at": "a"}), Call("look", {"at": "ü"})])
    with ScriptedModel(lambda turn: reply) as model:
        _, answer = chat(model, tools=[TOOL])
    choice = answer["choices"][0]
    calls = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "two at once"
    assert [entry["function"]["name"] for entry in calls] == ["look", "look"]
    assert [json.loads(c["function"]["arguments"]) for c in calls] == [{"at": "a"}, {"at": "ü"}]
    assert len({entry["id"] for entry in calls}) == 2


def test_what_the_sdk_wants_of_every_call_is_filled_in() -> None:
    def tool(name: str, properties: list[str], required: list[str]) -> dict[str, Any]:
        schema = {"properties": {p: {"type": "string"} for p in properties}, "required": required}
        return {"type": "function", "function": {"name": name, "parameters": schema}}

    meta = ["security_risk", "summary"]
    tools = [tool("old", meta, meta), tool("new", meta, []), tool("plain", [], [])]
    reply = Reply(
        calls=[
            Call("old", {"x": 1}),
            Call("new", {}),
            Call("plain", {}),
            Call("old", {"security_risk": "HIGH", "summary": "mine"}),
        ]
    )
    with ScriptedModel(lambda turn: reply) as model:
        _, answer = chat(model, tools=tools)
    calls = answer["choices"][0]["message"]["tool_calls"]
    assert [json.loads(entry["function"]["arguments"]) for entry in calls] == [
        {"security_risk": "LOW", "summary": "scripted call", "x": 1},
        {"security_risk": "LOW"},
        {},
        {"security_risk": "HIGH", "summary": "mine"},
    ]
    assert model.served[0].reply.calls[1].arguments == {"security_risk": "LOW"}


def read_events(body: bytes) -> list[str]:
    events = body.decode().split("\n\n")
    assert events.pop() == ""
    assert all(event.startswith("data: ") for event in events)
    return [event.removeprefix("data: ") for event in events]


@pytest.mark.parametrize("with_usage", [True, False])
def test_stream_adds_up_to_the_reply(with_usage: bool) -> None:
    text = "a reply that is long enough to come in several pieces"
    reply = Reply(text=text, calls=[Call("look", {"where": "x" * 100}), Call("look", {})])
    data = {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [TOOL],
        "stream": True,
        "stream_options": {"include_usage": with_usage},
    }
    with ScriptedModel(lambda turn: reply) as model:
        status, kind, body = request(
            model, "POST", "/v1/chat/completions", json.dumps(data).encode()
        )
    assert (status, kind) == (200, "text/event-stream")
    events = read_events(body)
    assert events.pop() == "[DONE]"
    chunks = [json.loads(event) for event in events]
    usages = [chunk["usage"] for chunk in chunks if not chunk["choices"]]
    assert len(usages) == with_usage
    if with_usage:
        assert usages[0]["prompt_tokens"] == model.served[0].input_tokens
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == text
    arguments = {0: "", 1: ""}
    for delta in deltas:
        for part in delta.get("tool_calls", []):
            arguments[part["index"]] += part["function"].get("arguments", "")
    assert json.loads(arguments[0]) == {"where": "x" * 100}
    assert json.loads(arguments[1]) == {}
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"]]
    assert reasons[-1] == "tool_calls"
    assert set(reasons[:-1]) == {None}
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_list_of_models() -> None:
    with ScriptedModel(lambda turn: say(""), prices={"b": Price(1, 1), "a": Price(1, 1)}) as model:
        status, _, body = request(model, "GET", "/v1/models")
    assert status == 200
    assert [entry["id"] for entry in json.loads(body)["data"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/chat/completions"),
        ("POST", "/v1/models"),
        ("POST", "/v1/responses"),
        ("PUT", "/v1/models"),
        ("DELETE", "/v1/chat/completions"),
    ],
)
def test_anything_else_is_not_found(method: str, path: str) -> None:
    with ScriptedModel(lambda turn: say("")) as model:
        status, kind, body = request(model, method, path, b"{}")
    assert (status, kind) == (404, "application/json")
    assert json.loads(body)["error"]["message"]
    assert model.served == []


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"model": "m", "messages": []}',
        b'{"model": "m", "messages": ["x"]}',
        b'{"model": "m", "messages": [{"role": "user", "content": 3}]}',
        b'{"model": "m", "messages": [{"role": "user", "content": ["x"]}]}',
        b'{"model": "m", "messages": [{"role": "user"}], "tools": [{"type": "x"}]}',
        b'{"model": "m", "messages": [{"role": "a", "tool_calls": [{"function": {"name": 1}}]}]}',
        (
            b'{"model": "m", "messages": [{"role": "a", "tool_calls": [{"function": '
            b'{"name": "x", "arguments": "{"}}]}]}'
        ),
    ],
)
def test_malformed_request(body: bytes) -> None:
    with ScriptedModel(lambda turn: say("")) as model:
        status, _, answer = request(model, "POST", "/v1/chat/completions", body)
    assert status == 400
    assert json.loads(answer)["error"]["type"] == "invalid_request_error"
    assert model.served == []


def test_body_without_length() -> None:
    with ScriptedModel(lambda turn: say("")) as model:
        connection = http.client.HTTPConnection(urlsplit(model.base_url).netloc, timeout=10)
        connection.putrequest("POST", "/v1/chat/completions")
        connection.endheaders()
        assert connection.getresponse().status == 400
        connection.close()


@pytest.mark.parametrize(
    ("given", "status"),
    [(None, 401), ("Bearer wrong", 401), ("secret", 401), ("Bearer secret", 200)],
)
def test_api_key(given: str | None, status: int) -> None:
    headers = {"Authorization": given} if given else {}
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}).encode()
    with ScriptedModel(lambda turn: say("ok"), api_key="secret") as model:
        assert request(model, "POST", "/v1/chat/completions", body, headers)[0] == status
        assert request(model, "GET", "/v1/models", headers=headers)[0] == status
    assert len(model.served) == (status == 200)


def broken(turn: Turn) -> Reply:
    raise LookupError("the script has a bug")


def serve_error(script: Script) -> tuple[ScriptedModel, int, dict[str, Any]]:
    """Run a script that fails, and check that leaving the block says so."""
    model = ScriptedModel(script)
    model.__enter__()
    try:
        status, answer = chat(model, tools=[TOOL])
    finally:
        with pytest.raises((LookupError, ScriptError)) as raised:
            model.__exit__(None, None, None)
    assert raised.value is model.errors[0]
    return model, status, answer


def test_script_that_raises() -> None:
    model, status, answer = serve_error(broken)
    assert status == 500
    assert answer["error"]["type"] == "script_error"
    assert "LookupError: the script has a bug" in answer["error"]["message"]
    assert model.served == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (lambda turn: None, "must return a Reply"),
        (lambda turn: call("unknown"), "calls 'unknown', the request offers: look"),
        (lambda turn: call("look", at=object()), "not JSON"),
        (in_order([]), "has 0 steps"),
    ],
)
def test_replies_that_cannot_be_sent(script: Script, said: str) -> None:
    _, status, answer = serve_error(script)
    assert status == 500
    assert said in answer["error"]["message"]


def test_call_of_an_unoffered_tool_when_it_is_meant() -> None:
    with ScriptedModel(lambda turn: Reply(calls=[Call("unknown", unoffered=True)])) as model:
        status, answer = chat(model)
    assert status == 200
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "unknown"


def test_script_error_is_noted_on_an_error_of_the_block() -> None:
    def failing_block() -> None:
        with ScriptedModel(broken) as model:
            chat(model)
            raise TimeoutError("gave up")

    with pytest.raises(TimeoutError, match="gave up") as raised:
        failing_block()
    assert raised.value.__notes__ == ["scripted model: LookupError: the script has a bug"]


def test_requests_are_served_at_the_same_time() -> None:
    with ScriptedModel(lambda turn: say("ok"), latency=0.3) as model:
        threads = [threading.Thread(target=chat, args=(model, f"n{n}")) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        first, second, third = model.served
    assert first.overlaps(second)
    assert second.overlaps(third)
    assert all(record.ended - record.started >= 0.3 for record in (first, second, third))


def test_delay_of_a_reply_replaces_the_latency() -> None:
    with ScriptedModel(lambda turn: Reply(text="ok", delay=0.0), latency=30.0) as model:
        assert chat(model)[0] == 200
    assert model.served[0].ended - model.served[0].started < 5


def test_client_that_goes_away_is_not_charged() -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}).encode()
    with ScriptedModel(
        lambda turn: say("too late"), prices={"m": Price(1, 1)}, latency=30.0
    ) as model:
        connection = http.client.HTTPConnection(urlsplit(model.base_url).netloc, timeout=10)
        connection.request("POST", "/v1/chat/completions", body)
        time.sleep(0.1)
        connection.close()
        end = time.monotonic() + 5
        while not model.failed and time.monotonic() < end:
            time.sleep(0.01)
        assert len(model.failed) == 1
        assert model.served == []
        assert model.total_cost() == 0.0


def test_nothing_is_left_behind(capfd: pytest.CaptureFixture[str]) -> None:
    before = set(threading.enumerate())
    with ScriptedModel(lambda turn: say("ok"), latency=0.0) as model:
        host, port = urlsplit(model.base_url).netloc.split(":")
        chat(model)
        request(model, "GET", "/nowhere")
        idle = socket.create_connection((host, int(port)))
        rubbish = socket.create_connection((host, int(port)))
        rubbish.sendall(b"\x00\x01 no http\r\n\r\n")
        time.sleep(0.1)
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)
    idle.close()
    rubbish.close()
    assert capfd.readouterr() == ("", "")


def test_a_request_in_progress_ends_with_the_block() -> None:
    def ask(model: ScriptedModel) -> None:
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            chat(model)

    started = time.monotonic()
    with ScriptedModel(lambda turn: say("never"), latency=60.0) as model:
        thread = threading.Thread(target=ask, args=(model,))
        thread.start()
        time.sleep(0.2)
    thread.join(5)
    assert not thread.is_alive()
    assert time.monotonic() - started < 5
    assert len(model.failed) == 1


def test_no_url_outside_the_block() -> None:
    model = ScriptedModel(lambda turn: say("ok"))
    with pytest.raises(RuntimeError, match="not running"):
        _ = model.base_url
