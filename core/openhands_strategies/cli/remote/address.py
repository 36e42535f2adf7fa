"""Which server is meant, and the key that it wants."""

from __future__ import annotations

import ipaddress
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult

from openhands_strategies.cli.reach import http_parts
from openhands_strategies.errors import UsageError

_WRITE: Final = "write --server http://HOST:PORT"


@dataclass(frozen=True)
class Server:
    """An agent-server as the user names it.

    Attributes:
        url: Its address without a slash at the end; may have a path prefix.
        loopback: Whether it is on this machine.
        key: Goes into the header of each request and nowhere else.
        key_env: The variable that the key comes from.
    """

    url: str
    loopback: bool
    key: str | None = field(default=None, repr=False)
    key_env: str | None = None

    @property
    def options(self) -> str:
        """How it is named on a command line."""
        key = f" --session-key-env {self.key_env}" if self.key_env else ""
        return f"--server {shlex.quote(self.url)}{key}"

    @property
    def key_in_clear(self) -> bool:
        """Whether the key crosses a network unencrypted."""
        return self.key is not None and not self.loopback and self.url.startswith("http:")

    def again(self, run: str) -> str:
        """The command that goes on with a run."""
        return f"ohs run --resume {run} {self.options}"

    def page(self, run: str) -> str:
        """Where a browser shows a run."""
        return f"{self.url}/strategies#/run/{run}"


def server_of(url: str, key_env: str | None, environ: Mapping[str, str] | None = None) -> Server:
    """Check an address, and read the key.

    Args:
        url: As typed.
        key_env: Name of the variable that holds the key; None where the server needs none.
        environ: `os.environ` by default.

    Raises:
        UsageError: `server_url`, `session_key_missing` or `session_key_invalid`; neither
            the key nor a password in the address is repeated.
    """
    parts = _parts(url)
    host = parts.hostname or ""
    port = "" if parts.port is None else f":{parts.port}"
    shown = f"[{host}]" if ":" in host else host
    return Server(
        url=f"{parts.scheme.lower()}://{shown}{port}{parts.path.rstrip('/')}",
        loopback=_is_loopback(host),
        key=None if key_env is None else _key(key_env, os.environ if environ is None else environ),
        key_env=key_env,
    )


def _parts(url: str) -> SplitResult:
    if not url.isprintable() or " " in url:
        raise UsageError("server_url", "--server holds white space or control characters", _WRITE)
    parts = http_parts(url)
    if parts is None:
        raise UsageError("server_url", "--server is no http or https address", _WRITE)
    if "@" in parts.netloc:
        raise UsageError(
            "server_url",
            "--server holds a user name or a password",
            "leave them out; --session-key-env VAR names the variable that holds the server's key",
        )
    if "?" in url or "#" in url:
        raise UsageError("server_url", "--server holds a query or a fragment", _WRITE)
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key(name: str, environ: Mapping[str, str]) -> str:
    key = environ.get(name, "")
    if not key.strip():
        raise UsageError(
            "session_key_missing",
            f"--session-key-env: the variable {name!r} is not set, or empty",
            f"set {name} to the server's session key",
        )
    # A header can hold nothing else, and its library would repeat the text in its error.
    if not (key.isascii() and key.isprintable() and key == key.strip()):
        raise UsageError(
            "session_key_invalid",
            f"--session-key-env: the variable {name!r} holds what no header can",
            "a key has visible ASCII characters only, without white space around it",
        )
    return key
