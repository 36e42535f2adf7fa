"""A quick look whether anybody listens where the model is said to be.

Without it the SDK retries for minutes before it reports a wrong port.
"""

from __future__ import annotations

import socket
from typing import Final
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from openhands_strategies.errors import RunError, UsageError, one_line

SECONDS: Final = 2.0


def http_parts(url: str) -> SplitResult | None:
    """The parts of an http or https URL with a host; None for everything else."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme.lower() in ("http", "https") and parts.hostname else None


def check_base_url(url: str | None, named_by: str) -> None:
    """Check the form of a base URL.

    Args:
        url: The URL; None is fine.
        named_by: The option or variable that it comes from.

    Raises:
        UsageError: `base_url_invalid`.
    """
    if url is not None and http_parts(url) is None:
        raise UsageError(
            "base_url_invalid", f"{named_by} holds no http URL", "write http://HOST:PORT/v1"
        )


def check_reachable(url: str | None, named_by: str) -> None:
    """Connect once to the host and port of a base URL.

    Args:
        url: A checked base URL; None, and one behind a proxy, is not looked at.
        named_by: The option or variable that it comes from.

    Raises:
        RunError: `model_unreachable`.
    """
    if url is None:
        return
    parts = urlsplit(url)
    if parts.hostname is None or _by_proxy(parts):
        return
    port = parts.port or (443 if parts.scheme.lower() == "https" else 80)
    try:
        socket.create_connection((parts.hostname, port), timeout=SECONDS).close()
    except OSError as error:
        why = one_line(error.strerror or str(error))
        raise RunError(
            "model_unreachable",
            f"no model server answers at {parts.hostname}:{port} ({why})",
            f"check {named_by}, and that the server runs",
        ) from error


def _by_proxy(parts: SplitResult) -> bool:
    proxies = getproxies()
    if not (parts.scheme.lower() in proxies or "all" in proxies):
        return False
    return not proxy_bypass(parts.hostname or "")
