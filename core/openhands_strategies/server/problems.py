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
from starlette.types import Receive, Scope, Send

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


# Which part of a request is to blame for what a command line also says.
_FIELDS: Final = {
    "price_unknown": "prices",
    "workspace_not_git": "workspace",
    "workspace_submodules": "workspace",
}
_IN_LOG: Final = "the server's log shows where it happened"
# Hints that name options of a command line, in the words of a request.
_IN_A_REQUEST: Final = {
    "build_failed": _IN_LOG,
    "import_failed": _IN_LOG,
    "setup_failed": _IN_LOG,
    "overlay_alone": "start another strategy, and name this one under `with`",
    "parameter_conflict": "give each its own value under `params`, by the names in the message",
    "price_unknown": 'give `prices`, in dollars for a million tokens: {"MODEL": [IN, OUT]}',
}


class Problem(BaseModel):
    """What every error of these routes looks like."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    code: str = Field(examples=["param_range"])
    message: str = Field(examples=["fusion: parameter 'sidekicks' is 99"])
    hint: str = Field(examples=["sidekicks takes an integer from 1 to 16"])
    exit_code: int = Field(examples=[2], description="What `ohs run` ends with for it.")
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
    field = getattr(error, "field", "") or _FIELDS.get(error.code, "")
    if field and isinstance(error, ParameterError):
        field = f"params.{field}"
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        **_said(error),
        "exit_code": _exit_code(error, status),
        **({"field": field} if field else {}),
    }
    return JSONResponse(document, status_code=status, media_type=MEDIA_TYPE)


def error_json(error: StrategyError) -> dict[str, Any]:
    """An error within a document, with what `ohs run` ends with for it."""
    return {**_said(error), "exit_code": error.exit_code}


def _said(error: StrategyError) -> dict[str, str]:
    said = error.to_json()
    return {**said, "hint": _IN_A_REQUEST.get(error.code, said["hint"])}


def _exit_code(error: StrategyError, status: int) -> int:
    """What the command line ends with: of what is not the request's fault, 1."""
    return 1 if status == HTTPStatus.TOO_MANY_REQUESTS or status >= 500 else error.exit_code


class ProblemRoute(APIRoute):
    """A route whose every error becomes a problem document."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await inner(request)
            except StrategyError as error:
                if _IN_A_REQUEST.get(error.code) == _IN_LOG:
                    _log.error("%s [%s]", error.message, error.code, exc_info=error.__cause__)
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

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a method that the route does not have as it answers every error."""
        if scope["method"] in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        allowed = ", ".join(sorted(self.methods or ()))
        error = RequestError(
            "method_not_allowed", f"this route takes no {scope['method']}", f"it takes {allowed}"
        )
        answer = problem(error, HTTPStatus.METHOD_NOT_ALLOWED)
        answer.headers["Allow"] = allowed
        await answer(scope, receive, send)


_HINTS: Final = {
    "unauthorized": "send the server's key as X-Session-API-Key",
    "not_ready": "call POST /api/init first",
}
