"""Errors as `application/problem+json`, with the code, message and hint of every channel."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from openhands_strategies.errors import (
    ParameterError,
    ResolveError,
    StrategyError,
    TrustError,
    UsageError,
    describe,
)

MEDIA_TYPE: Final = "application/problem+json"
_log = logging.getLogger(__name__)
_HTTP_CODES: Final = {401: "unauthorized", 404: "not_found", 503: "not_ready"}
_STATUS_BY_CODE: Final = {
    "run_unknown": 404,
    "strategy_changed": 409,
    "name_ambiguous": 409,
    "body_too_large": 413,
    "server_busy": 429,
    "server_failed": 502,
}


class Problem(BaseModel):
    """What every error of these routes looks like."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    code: str = Field(examples=["param_range"])
    message: str = Field(examples=["fusion: parameter 'sidekicks' is 99"])
    hint: str = Field(examples=["sidekicks takes an integer from 1 to 16"])
    field: str | None = Field(default=None, examples=["params.sidekicks"])


class RequestError(UsageError):
    """Something in a request that cannot be used.

    Attributes:
        field: Path of the part that is wrong, for example `params.sidekicks`.
    """

    def __init__(self, code: str, message: str, hint: str = "", *, field: str = "") -> None:
        super().__init__(code, message, hint)
        self.field = field


def status_of(error: StrategyError) -> int:
    """The HTTP status of an error: what the request can help is 4xx."""
    if error.code in _STATUS_BY_CODE:
        return _STATUS_BY_CODE[error.code]
    if isinstance(error, TrustError):
        return 403
    if isinstance(error, ResolveError):
        return 404
    return 422


def problem(error: StrategyError, status: int | None = None) -> JSONResponse:
    """The answer for an error."""
    status = status_of(error) if status is None else status
    field = getattr(error, "field", "")
    if field and isinstance(error, ParameterError):
        field = f"params.{field}"
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        **error.to_json(),
        **({"field": field} if field else {}),
    }
    return JSONResponse(document, status_code=status, media_type=MEDIA_TYPE)


class ProblemRoute(APIRoute):
    """A route whose every error becomes a problem document."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await inner(request)
            except StrategyError as error:
                return problem(error)
            except RequestValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"])
                return problem(RequestError("request_invalid", first["msg"], field=where))
            except HTTPException as error:
                code = _HTTP_CODES.get(error.status_code, "http_error")
                text = str(error.detail or HTTPStatus(error.status_code).phrase)
                return problem(RequestError(code, text, _HINTS.get(code, "")), error.status_code)
            except Exception as error:  # noqa: BLE001
                # A strategy's tree and plugins are foreign code: named, and never a 500.
                _log.exception("%s %s failed", request.method, request.url.path)
                return problem(
                    RequestError(
                        "server_failed", f"unexpected {describe(error)}", "see the server's log"
                    )
                )

        return handler


_HINTS: Final = {
    "unauthorized": "send the server's key as X-Session-API-Key",
    "not_ready": "call POST /api/init first",
}
