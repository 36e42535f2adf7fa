"""An HTTP server on 127.0.0.1 that ends completely when it is told to."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_JOIN_SECONDS = 5.0
_POLL_SECONDS = 0.02
_MAX_BODY = 64 * 1024 * 1024


class LoopbackServer(ThreadingHTTPServer):
    """Runs `handle(exchange)` for each request, each connection in a thread of its own.

    Every connection carries one request. What `handle` raises goes to `on_error`; a
    client that went away is no error.
    """

    request_queue_size = 128

    def __init__(
        self, handle: Callable[[Exchange], None], on_error: Callable[[Exception], None]
    ) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.handle_exchange = handle
        self.stopping = threading.Event()
        self._on_error = on_error
        self._open: dict[socket.socket, threading.Thread] = {}
        self._open_lock = threading.Lock()
        self._acceptor = threading.Thread(
            target=self.serve_forever, args=(_POLL_SECONDS,), name="scripted-model", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that the system chose."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Begin to accept connections."""
        self._acceptor.start()

    def stop(self) -> None:
        """Close the port and all connections and wait for the threads.

        Raises RuntimeError if a thread is still busy after five seconds.
        """
        self.stopping.set()
        self.shutdown()
        self._acceptor.join(_JOIN_SECONDS)
        self.server_close()
        with self._open_lock:
            still_open = dict(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        end = time.monotonic() + _JOIN_SECONDS
        for thread in still_open.values():
            thread.join(max(0.0, end - time.monotonic()))
        if any(thread.is_alive() for thread in still_open.values()):
            raise RuntimeError("the scripted model's server has a request that does not end")

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start the thread of a connection, remembered before it runs."""
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="scripted-model-request",
            daemon=True,
        )
        with self._open_lock:
            self._open[request] = thread
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handle one connection, remembered as long as it is open."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._open_lock:
                self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep the error instead of printing it."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, ConnectionError):
            self._on_error(error)


class Exchange(BaseHTTPRequestHandler):
    """One request and the means to answer it."""

    protocol_version = "HTTP/1.1"
    server: LoopbackServer

    def do_GET(self) -> None:
        """Pass the request on."""
        self._dispatch()

    def do_POST(self) -> None:
        """Pass the request on."""
        self._dispatch()

    def body(self) -> bytes:
        """The request's body. Raises ValueError if its length is missing or too large."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise ValueError("Content-Length is missing")
        if int(length) > _MAX_BODY:
            raise ValueError("the body is too large")
        return self.rfile.read(int(length))

    def send_text(self, status: int, text: str, content_type: str = "application/json") -> None:
        """Send a whole answer."""
        content = text.encode()
        self._send_head(status, content_type, len(content))
        self.wfile.write(content)

    def send_json(self, status: int, value: Any) -> None:
        """Send a whole answer as JSON."""
        self.send_text(status, json.dumps(value))

    def send_events(self, values: Iterable[Any]) -> None:
        """Send server-sent events, `[DONE]` at the end."""
        self._send_head(200, "text/event-stream")
        for value in values:
            self.wfile.write(f"data: {json.dumps(value)}\n\n".encode())
            self.wfile.flush()
        self.wfile.write(b"data: [DONE]\n\n")

    def send_part(self, text: str, content_type: str) -> None:
        """Send the first half of an answer, then close the connection."""
        content = text.encode()
        self._send_head(200, content_type, len(content))
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        self.drop()

    def drop(self) -> None:
        """Close the connection as it is."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def hold(self, seconds: float) -> bool:
        """Wait. False, at once, when the client goes away or the server stops."""
        end = time.monotonic() + seconds
        while self._client_waits():
            left = end - time.monotonic()
            if left <= 0:
                return True
            self.server.stopping.wait(min(left, _POLL_SECONDS))
        return False

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is fixed
        """Write nothing: the terminal belongs to the run."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the base class refuses (a method, a request line) with JSON."""
        status = 404 if code == 501 else code
        self.send_json(status, {"error": {"message": message or "refused", "type": "http_error"}})

    def _dispatch(self) -> None:
        self.server.handle_exchange(self)

    def _send_head(self, status: int, content_type: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()

    def _client_waits(self) -> bool:
        if self.server.stopping.is_set():
            return False
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return not readable or bool(self.connection.recv(1, socket.MSG_PEEK))
        except (OSError, ValueError):
            return False
