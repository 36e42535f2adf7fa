"""Record what a real model answers, as a proxy in front of its OpenAI-compatible server.

    with record("fix.json", upstream="https://api.example.org/v1", model="openai/big",
                workspace=work) as recorder:
        llm = LLM(model="openai/big", base_url=recorder.base_url, api_key=key)

Requests and answers pass unchanged; a stream is passed on when it is complete. The file is
written when the block ends without an exception. `replay` plays it back.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from openhands_strategies.testing import wire
from openhands_strategies.testing.answers import Answer, UnreadableAnswer, answer_in
from openhands_strategies.testing.cleaning import Cleaner, accounts_here, secrets_in
from openhands_strategies.testing.ledger import Ledger, Served
from openhands_strategies.testing.loopback import Exchange, LoopbackServer
from openhands_strategies.testing.replay_file import (
    RecordedTurn,
    Recording,
    ReplayError,
    normal_request,
    write_recording,
)
from openhands_strategies.testing.replies import Reply

_TIMEOUT: Final = 900.0
_COMPLETIONS: Final = "/chat/completions"
# A compressed body could not be read; nothing else that a client sends is held back.
_NOT_PASSED_ON: Final = frozenset(
    {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}
)


@dataclass(frozen=True)
class _Passed:
    """What came back from the real server."""

    status: int
    kind: str
    body: bytes


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Followed here, a redirect would carry the request's key to another host."""

    def redirect_request(self, *_: object) -> None:
        """Leave the answer as it is."""


class Recorder:
    """A proxy that takes notes, as `record` gives it.

    Attributes:
        base_url: Base URL for an LLM.
    """

    def __init__(self, upstream: str) -> None:
        self.base_url = ""
        self._upstream = upstream.rstrip("/")
        self._opener = urllib.request.build_opener(_NoRedirects)
        self._ledger = Ledger()
        self._answers: dict[int, Answer] = {}
        self._keys: set[str] = set()
        self._lock = threading.Lock()

    @property
    def served(self) -> list[Served]:
        """What was answered, in the order of the answers (a copy); dollars are unknown."""
        return self._ledger.served

    @property
    def errors(self) -> list[Exception]:
        """Why the recording is not complete (a copy)."""
        return self._ledger.errors

    def write(self, path: Path, model: str, places: Mapping[str, Path]) -> None:
        """Write what was seen.

        Args:
            path: The replay file.
            model: The main model's full name.
            places: Directories that differ between machines, by name.

        Raises:
            ReplayError: Something could not be recorded, or the file cannot be written.
        """
        for error in self.errors:
            raise ReplayError(f"{path} is not written: {error}") from error
        served = self.served
        if not served:
            raise ReplayError(f"{path} is not written: no request reached the recorder")
        cleaner = Cleaner(places, {*secrets_in(os.environ), *accounts_here(), *self._keys})
        systems: dict[str, str] = {}
        turns = []
        for one in served:
            turn, system = normal_request(one.model, one.messages, one.tools, cleaner)
            systems[turn.system] = system
            turns.append(_answered(turn, self._answers[id(one)], cleaner))
        write_recording(path, Recording(model, systems, tuple(turns)), cleaner)

    def note_error(self, error: Exception) -> None:
        """Keep an error of the server."""
        self._ledger.add_error(error)

    def handle(self, exchange: Exchange) -> None:
        """Pass one request on, and its answer back."""
        started = time.monotonic()
        try:
            body = exchange.body() if exchange.command == "POST" else b""
        except ValueError as error:
            exchange.send_json(400, wire.error_body(str(error), "invalid_request_error"))
            return
        target = urlsplit(exchange.path)
        place = target.path.removeprefix("/v1")
        if exchange.command == "POST" and place != _COMPLETIONS:
            message = f"only chat completions can be recorded, not {target.path}"
            self.note_error(ReplayError(message))
            exchange.send_json(404, wire.error_body(message, "invalid_request_error"))
            return
        with self._lock:
            self._keys |= _keys_of(exchange)
        query = f"?{target.query}" if target.query else ""
        passed = self._pass_on(exchange, f"{self._upstream}{place}{query}", body)
        if passed.status == 200 and exchange.command == "POST":
            self._note(body, passed, started)
        exchange.send_text(passed.status, passed.body.decode("utf-8", "replace"), passed.kind)

    def _pass_on(self, exchange: Exchange, url: str, body: bytes) -> _Passed:
        headers = {
            name: value
            for name, value in exchange.headers.items()
            if name.lower() not in _NOT_PASSED_ON
        }
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked by `record`
            url, data=body or None, headers=headers, method=exchange.command
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                return _Passed(answer.status, _kind(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return _Passed(error.code, _kind(error.headers), error.read())
        except (OSError, ValueError) as error:
            message = f"the recorded server cannot be reached: {error}"
            return _Passed(
                502, "application/json", json.dumps(wire.error_body(message, "upstream")).encode()
            )

    def _note(self, body: bytes, passed: _Passed, started: float) -> None:
        try:
            request = wire.read_request(body)
            answer = answer_in(passed.body, streamed="event-stream" in passed.kind)
        except (wire.BadRequest, UnreadableAnswer) as error:
            self.note_error(error)
            return
        served = Served(
            model=request.model,
            messages=request.messages,
            tools=tuple(request.schemas),
            reply=Reply(text=answer.text, calls=answer.calls),
            started=started,
            ended=time.monotonic(),
            input_tokens=answer.tokens("prompt_tokens"),
            output_tokens=answer.tokens("completion_tokens"),
            cached_tokens=answer.cached_tokens,
            cost_usd=None,
            offered=request.tools,
            answer_id=answer.id,
        )
        with self._lock:
            self._answers[id(served)] = answer
        self._ledger.add_served(served)


@contextmanager
def record(
    path: Path | str,
    *,
    upstream: str,
    model: str,
    workspace: Path,
    home: Path | None = None,
    places: Mapping[str, Path] | None = None,
) -> Iterator[Recorder]:
    """Stand in front of a model's server and write a replay file at the end of the block.

    Keys that requests carry, the values of variables such as `LLM_API_KEY` or `GITHUB_TOKEN`
    and whatever looks like a key are left out of the file, and so are the places.

    Args:
        path: The replay file; one that is there is replaced.
        upstream: Base URL of the real server, as an LLM's `base_url`.
        model: The main model's full name, for example `openai/big`.
        workspace: Directory that the agents work in.
        home: The user's home, by default that of this process.
        places: More directories that differ between machines, by name.

    Raises:
        ReplayError: `upstream` is no HTTP URL, no request came, or the file cannot be written.
    """
    if urlsplit(upstream).scheme not in ("http", "https"):
        raise ReplayError(f"{upstream!r} is no URL of a model's server")
    recorder = Recorder(upstream)
    server = LoopbackServer(recorder.handle, recorder.note_error)
    server.start()
    recorder.base_url = f"http://127.0.0.1:{server.port}/v1"
    try:
        yield recorder
    finally:
        server.stop()
    known = {"workspace": workspace, "home": home or Path.home(), **(places or {})}
    recorder.write(Path(path), model, known)


def _answered(turn: RecordedTurn, answer: Answer, cleaner: Cleaner) -> RecordedTurn:
    return RecordedTurn(
        turn.model,
        turn.system,
        turn.tools,
        turn.messages,
        text=cleaner.value(answer.text),
        calls=tuple(
            {"name": one.name, "arguments": cleaner.value(dict(one.arguments))}
            for one in answer.calls
        ),
        usage=answer.usage,
    )


def _keys_of(exchange: Exchange) -> set[str]:
    """What the request proves its sender with."""
    given = (exchange.headers.get("Authorization", ""), exchange.headers.get("api-key", ""))
    return {one.removeprefix("Bearer ").strip() for one in given} - {""}


def _kind(headers: Message) -> str:
    return headers.get("Content-Type") or "application/json"
