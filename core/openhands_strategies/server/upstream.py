"""Calls to upstream's own routes, within the process and through its whole stack.

So its authentication, its runtimes (docker, hybrid) and its error mapping apply.
"""

from __future__ import annotations

from typing import Any

import httpx
from fastapi import Request

from openhands_strategies.server.problems import RequestError

_KEY = "X-Session-API-Key"
# No network lies between; this only bounds what hangs for good.
_SECONDS = 600.0
# Refusals that upstream explains in its answer and that the client can help.
_CODES = {
    401: "unauthorized",
    404: "run_unknown",
    409: "conversation_conflict",
    429: "server_busy",
    503: "not_ready",
}


async def call(
    request: Request, method: str, path: str, json: dict[str, Any] | None = None
) -> httpx.Response:
    """Call one of upstream's routes with the key of the present request."""
    transport = httpx.ASGITransport(app=request.app, raise_app_exceptions=False)
    key = request.headers.get(_KEY)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://agent-server", timeout=_SECONDS
    ) as client:
        return await client.request(
            method, path, json=json, headers={} if key is None else {_KEY: key}
        )


def refusal(answer: httpx.Response, doing: str) -> RequestError:
    """Upstream's refusal as an error of ours.

    Args:
        answer: With a status of 400 or more.
        doing: What was tried, for the message: "start the conversation".
    """
    status = answer.status_code
    code = _CODES.get(status, "request_refused" if status < 500 else "server_failed")
    hint = "wait for a run to end, or raise OH_MAX_CONCURRENT_RUNS" if status == 429 else ""
    text, field = _detail(answer)
    return RequestError(code, f"the server did not {doing}: {text}", hint, field=field)


def _detail(answer: httpx.Response) -> tuple[str, str]:
    try:
        document: Any = answer.json()
    except ValueError:
        return f"status {answer.status_code}", ""
    detail = document.get("detail") if isinstance(document, dict) else None
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        where = [str(part) for part in detail[0].get("loc", ()) if part != "body"]
        return str(detail[0].get("msg", "")), ".".join(where)
    return str(detail or f"status {answer.status_code}")[:500], ""
