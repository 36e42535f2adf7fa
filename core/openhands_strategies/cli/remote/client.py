"""HTTP to an agent-server: bounded in size and time, never redirected, the key kept in."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.cli.remote.address import Server
from openhands_strategies.cli.text import printable
from openhands_strategies.errors import RunError, UsageError, describe

if TYPE_CHECKING:
    import httpx

MAX_ANSWER: Final = 16_000_000
"""Bytes of an answer."""
_HEADER: Final = "X-Session-API-Key"
_CONNECT: Final = 5.0
_SECONDS: Final = 30.0
# A shorter text is found in anything, and is no key that protects something.
_SHORTEST_KEY: Final = 8


class NoAnswerError(RunError):
    """The server cannot be reached, or broke off."""


@dataclass(frozen=True)
class Answer:
    """What the server said.

    Attributes:
        status: Of HTTP; never a redirect, and never 401.
        document: The JSON of its body; None where there is none.
        flaw: Why there is none, in words; empty where there is one.
    """

    status: int
    document: Any = None
    flaw: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Client:
    """Talks to one server; a context manager.

    Args:
        server: Which one. On this machine no proxy is asked, whatever the environment says.
    """

    def __init__(self, server: Server) -> None:
        import httpx

        self.server = server
        key = {} if server.key is None else {_HEADER: server.key}
        self._http = httpx.Client(
            headers={"Accept": "application/json", "Accept-Encoding": "identity", **key},
            timeout=httpx.Timeout(_SECONDS, connect=_CONNECT),
            follow_redirects=False,
            trust_env=not server.loopback,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, seconds: float = _SECONDS) -> Answer:
        """GET a path below the server's address; raises what `post` raises."""
        return self._request("GET", path, None, seconds)

    def post(
        self, path: str, body: dict[str, Any] | None = None, seconds: float = _SECONDS
    ) -> Answer:
        """POST JSON.

        Args:
            path: Below the server's address.
            body: What is sent; None sends nothing.
            seconds: How long the server may take.

        Raises:
            NoAnswerError: `server_unreachable`.
            UsageError: `unauthorized` or `server_redirects`.
        """
        return self._request("POST", path, body, seconds)

    def _request(
        self, method: str, path: str, body: dict[str, Any] | None, seconds: float
    ) -> Answer:
        import httpx

        try:
            with self._http.stream(
                method,
                f"{self.server.url}{path}",
                json=body,
                timeout=httpx.Timeout(seconds, connect=_CONNECT),
            ) as answer:
                self._check(answer)
                return self._read(answer, time.monotonic() + seconds)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            why = self._cleaned(describe(error))
            raise NoAnswerError(
                "server_unreachable",
                f"no agent-server answers at {self.server.url} ({why})",
                "check --server, and that the server runs",
            ) from error

    def _check(self, answer: httpx.Response) -> None:
        if answer.status_code == 401:
            raise self._unauthorized()
        if 300 <= answer.status_code < 400:
            to = self._cleaned(answer.headers.get("location", ""))
            where = f" to {printable(to, 200)}" if to else ""
            raise UsageError(
                "server_redirects",
                f"{self.server.url} redirects{where}, which is not followed: it would take the key"
                " along",
                "give the address of the agent-server itself",
            )

    def _unauthorized(self) -> UsageError:
        if self.server.key is None:
            what, hint = "wants a key", "--session-key-env VAR names the variable that holds it"
        else:
            what = f"does not take the key in {self.server.key_env}"
            hint = "--session-key-env names the variable that holds the server's own key"
        return UsageError("unauthorized", f"{self.server.url} {what}", hint)

    def _read(self, answer: httpx.Response, until: float) -> Answer:
        status = answer.status_code
        if answer.headers.get("content-encoding", "identity") != "identity":
            return Answer(status, flaw="it is compressed, which was not asked for")
        data = bytearray()
        for chunk in answer.iter_raw():
            data += chunk
            if len(data) > MAX_ANSWER:
                return Answer(status, flaw=f"it has more than {MAX_ANSWER} bytes")
            if time.monotonic() > until:
                return Answer(status, flaw="it does not come to an end")
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return Answer(status, flaw="it is no JSON")
        return Answer(status, self._without_key(document))

    def _cleaned(self, text: str) -> str:
        key = self.server.key or ""
        return text if len(key) < _SHORTEST_KEY else text.replace(key, "<key>")

    def _without_key(self, document: Any) -> Any:
        """A document whose texts do not hold the key, whatever the server repeats."""
        if self.server.key is None or len(self.server.key) < _SHORTEST_KEY:
            return document
        if isinstance(document, str):
            return self._cleaned(document)
        if isinstance(document, list):
            return [self._without_key(one) for one in document]
        if isinstance(document, dict):
            return dict(self._pairs(document))
        return document

    def _pairs(self, document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, value in document.items():
            yield self._cleaned(name), self._without_key(value)
