"""Faults on the wire, as an HTTP client meets them."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from openhands_strategies.testing import (
    Drop,
    Fault,
    HttpError,
    Malformed,
    Price,
    Reply,
    ScriptedModel,
    Stall,
    failing,
    say,
)


def ask(model: ScriptedModel, timeout: float = 10.0, **extra: Any) -> tuple[int, bytes]:
    """Status and body of one request."""
    data = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **extra}
    connection = http.client.HTTPConnection(urlsplit(model.base_url).netloc, timeout=timeout)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(data).encode())
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def faulty(fault: Fault, text: str | None = None) -> ScriptedModel:
    return ScriptedModel(lambda turn: Reply(text=text, fault=fault), prices={"m": Price(1, 1)})


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_http_error(status: int) -> None:
    with faulty(HttpError(status, "slow down")) as model:
        got, body = ask(model)
    assert got == status
    assert json.loads(body)["error"]["message"] == "slow down"


def test_malformed_body() -> None:
    with faulty(Malformed()) as model:
        status, body = ask(model)
    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_dropped_connection() -> None:
    with faulty(Drop()) as model, pytest.raises(http.client.RemoteDisconnected):
        ask(model)


def test_dropped_in_the_middle() -> None:
    with (
        faulty(Drop(midway=True), "a text") as model,
        pytest.raises(http.client.IncompleteRead) as error,
    ):
        ask(model)
    assert error.value.partial.startswith(b'{"id"')


def test_stream_dropped_in_the_middle() -> None:
    with (
        faulty(Drop(midway=True), "a text") as model,
        pytest.raises(http.client.IncompleteRead) as error,
    ):
        ask(model, stream=True)
    assert error.value.partial.startswith(b"data: {")
    assert b"[DONE]" not in error.value.partial


def test_stall_outlasts_the_client_and_ends_with_the_block() -> None:
    started = time.monotonic()
    with faulty(Stall(60)) as model, pytest.raises(TimeoutError):
        ask(model, timeout=0.3)
    assert time.monotonic() - started < 5


def test_stall_ends_by_itself() -> None:
    with faulty(Stall(0.2)) as model, pytest.raises(http.client.RemoteDisconnected):
        ask(model)


def test_faults_are_free_and_kept_apart() -> None:
    with faulty(HttpError(500)) as model:
        ask(model)
    assert model.served == []
    assert model.errors == []
    assert model.total_cost() == 0.0
    (record,) = model.failed
    assert record.reply.fault == HttpError(500)
    assert (record.input_tokens, record.output_tokens) == (0, 0)


def test_a_retry_gets_through() -> None:
    with ScriptedModel(failing(HttpError(503), say("at last"), times=2)) as model:
        statuses = [ask(model)[0] for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert len(model.failed) == 2
    assert model.served[0].cached_tokens == 0
