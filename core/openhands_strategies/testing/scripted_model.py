"""A language model that answers from a script, behind the OpenAI HTTP interface.

`POST /v1/chat/completions` (whole or streamed) and `GET /v1/models` on 127.0.0.1;
anything else is 404. The SDK talks to it as to any OpenAI-compatible server:

    with ScriptedModel(script, prices={"scripted-main": Price(3.0, 15.0)}) as model:
        llm = LLM(model="openai/scripted-main", base_url=model.base_url, api_key="any")

How tokens, cached tokens and dollars are counted stands in `tokens.py`.
"""

from __future__ import annotations

import hmac
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from openhands_strategies.testing import wire
from openhands_strategies.testing.ledger import Ledger, Served, Usage, add_costs, usage_of
from openhands_strategies.testing.loopback import Exchange, LoopbackServer
from openhands_strategies.testing.replies import (
    Drop,
    HttpError,
    Malformed,
    Reply,
    ScriptError,
    Stall,
)
from openhands_strategies.testing.scripts import Script
from openhands_strategies.testing.tokens import Price, PromptCache, output_tokens, prompt_parts
from openhands_strategies.testing.turns import Turn

_EVENTS = "text/event-stream"


class ScriptedModel:
    """The server, running inside a `with` block.

    `prices` maps model names to prices; the cost of another model is unknown (None).
    `latency` is in seconds, per answer. With an `api_key`, requests need it as bearer
    token. A script that raises answers with status 500; its exception is kept in
    `errors` and raised again when the block ends (added as a note to an exception that
    is already on its way out).
    """

    def __init__(
        self,
        script: Script,
        prices: Mapping[str, Price] | None = None,
        latency: float = 0.0,
        api_key: str | None = None,
    ) -> None:
        self._script = script
        self._prices = dict(prices or {})
        self._latency = latency
        self._api_key = api_key
        self._ledger = Ledger()
        self._cache = PromptCache()
        self._attempts: Counter[tuple[str, ...]] = Counter()
        self._attempts_lock = threading.Lock()
        self._server: LoopbackServer | None = None

    def __enter__(self) -> Self:
        self._server = LoopbackServer(self._answer, self._ledger.add_error)
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        for script_error in self.errors:
            if error is None:
                raise script_error
            error.add_note(f"scripted model: {type(script_error).__name__}: {script_error}")

    @property
    def base_url(self) -> str:
        """The URL for an LLM's `base_url`, ending in `/v1`. RuntimeError outside the block."""
        if self._server is None:
            raise RuntimeError("the scripted model is not running: use it in a with block")
        return f"http://127.0.0.1:{self._server.port}/v1"

    @property
    def served(self) -> list[Served]:
        """What was answered and charged, in the order of the answers (a copy)."""
        return self._ledger.served

    @property
    def failed(self) -> list[Served]:
        """Requests that ended in a fault or whose client had gone: nothing is charged."""
        return self._ledger.failed

    @property
    def errors(self) -> list[Exception]:
        """What scripts raised (a copy)."""
        return self._ledger.errors

    def total_cost(self) -> float | None:
        """USD of everything served, None if a model that served has no price."""
        return add_costs([record.cost_usd for record in self.served])

    def by_model(self) -> dict[str, Usage]:
        """Calls, tokens and USD of each model that served."""
        served = self.served
        models = sorted({record.model for record in served})
        return {name: usage_of([r for r in served if r.model == name]) for name in models}

    def _answer(self, exchange: Exchange) -> None:
        try:
            body = exchange.body() if exchange.command == "POST" else b""
        except ValueError as error:
            exchange.send_json(400, wire.error_body(str(error), "invalid_request_error"))
            return
        route = (exchange.command, urlsplit(exchange.path).path)
        if not self._authorized(exchange):
            message = "incorrect API key"
            exchange.send_json(401, wire.error_body(message, "invalid_api_key", "invalid_api_key"))
        elif route == ("GET", "/v1/models"):
            names = [{"id": name, "object": "model"} for name in sorted(self._prices)]
            exchange.send_json(200, {"object": "list", "data": names})
        elif route == ("POST", "/v1/chat/completions"):
            self._complete(exchange, body)
        else:
            message = f"no such endpoint: {route[0]} {route[1]}"
            exchange.send_json(404, wire.error_body(message, "invalid_request_error", "not_found"))

    def _authorized(self, exchange: Exchange) -> bool:
        if self._api_key is None:
            return True
        given = exchange.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self._api_key}".encode())

    def _complete(self, exchange: Exchange, body: bytes) -> None:
        started = time.monotonic()
        try:
            request = wire.read_request(body)
        except wire.BadRequest as error:
            exchange.send_json(400, wire.error_body(str(error), "invalid_request_error"))
            return
        parts = prompt_parts(request.messages, request.tools)
        try:
            reply = self._play(request, parts)
        except Exception as error:  # noqa: BLE001 - any; it is raised again in __exit__
            self._ledger.add_error(error)
            message = f"the script failed: {type(error).__name__}: {error}"
            exchange.send_json(500, wire.error_body(message, "script_error"))
            return
        if reply.fault is None:
            self._serve(exchange, request, reply, parts, started)
        else:
            self._fail(exchange, request, reply, started)

    def _play(self, request: wire.ChatRequest, parts: Sequence[str]) -> Reply:
        key = (request.model, *parts)
        with self._attempts_lock:
            attempt = self._attempts[key]
            self._attempts[key] += 1
        reply = self._script(Turn(request.model, request.messages, request.schemas, attempt))
        if not isinstance(reply, Reply):
            raise ScriptError(f"a script must return a Reply, not {type(reply).__name__}")
        if reply.fault is not None and not isinstance(reply.fault, Drop):
            return reply
        return replace(reply, calls=wire.complete_calls(reply, request.schemas))

    def _serve(
        self,
        exchange: Exchange,
        request: wire.ChatRequest,
        reply: Reply,
        parts: Sequence[str],
        started: float,
    ) -> None:
        read, cached = self._cache.admit(request.model, parts)
        counts = wire.TokenCounts(read, output_tokens(reply.text, reply.calls), cached)
        waited = exchange.hold(self._latency if reply.delay is None else reply.delay)
        head = _head()
        record = self._record(request, reply, started, counts, head[0])
        if not waited:
            self._ledger.add_failed(record)
            return
        # Booked before it is written: whoever has the answer finds it in the books.
        self._ledger.add_served(record)
        try:
            if request.stream:
                exchange.send_events(wire.chunks(*head, request, reply, counts))
            else:
                exchange.send_json(200, wire.completion(*head, request, reply, counts))
        except OSError:
            self._ledger.add_failed(record)

    def _fail(
        self, exchange: Exchange, request: wire.ChatRequest, reply: Reply, started: float
    ) -> None:
        exchange.hold(self._latency if reply.delay is None else reply.delay)
        nothing = wire.TokenCounts(0, 0, 0)
        self._ledger.add_failed(self._record(request, reply, started, nothing))
        match reply.fault:
            case HttpError(status, message):
                exchange.send_json(status, wire.error_body(message, "scripted_fault"))
            case Malformed(body):
                exchange.send_text(200, body)
            case Stall(seconds):
                exchange.hold(seconds)
                exchange.drop()
            case Drop(midway=True) if request.stream:
                events = wire.chunks(*_head(), request, reply, nothing)
                exchange.send_part("".join(f"data: {json.dumps(e)}\n\n" for e in events), _EVENTS)
            case Drop(midway=True):
                whole = json.dumps(wire.completion(*_head(), request, reply, nothing))
                exchange.send_part(whole, "application/json")
            case _:
                exchange.drop()

    def _record(
        self,
        request: wire.ChatRequest,
        reply: Reply,
        started: float,
        counts: wire.TokenCounts,
        answer_id: str = "",
    ) -> Served:
        price = self._prices.get(request.model)
        return Served(
            model=request.model,
            messages=request.messages,
            tools=tuple(request.schemas),
            reply=reply,
            started=started,
            ended=time.monotonic(),
            input_tokens=counts.input,
            output_tokens=counts.output,
            cached_tokens=counts.cached,
            cost_usd=None if price is None else price.cost(*_flat(counts)),
            offered=request.tools,
            answer_id=answer_id,
        )


def _flat(counts: wire.TokenCounts) -> tuple[int, int, int]:
    return counts.input, counts.output, counts.cached


def _head() -> tuple[str, int]:
    # Never repeated, not even by the next server that a resumed conversation meets.
    return f"chatcmpl-{uuid.uuid4().hex}", int(time.time())
