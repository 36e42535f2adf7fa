"""The body of plan and start: read within a size, checked, and described for OpenAPI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import Request
from openhands.sdk.conversation.types import ConversationTags
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from openhands_strategies.server.problems import RequestError

MAX_BODY: Final = 1_000_000
"""Bytes of a body."""
OWN_TAGS: Final = frozenset({"strategy", "strategycommit"})
"""Tags that say what a conversation was started with; nobody else may set them."""

_Text = Annotated[str, StringConstraints(min_length=1)]


def _texts(value: Any) -> Any:
    """Upstream's own check of tags takes texts for granted."""
    if not isinstance(value, dict):
        return value
    if not all(isinstance(one, str) for one in value.values()):
        raise ValueError("values must be texts")
    if own := sorted(OWN_TAGS & value.keys()):
        raise ValueError(f"the server itself says {own[0]!r}")
    return value


_Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class StartBody(BaseModel):
    """What to run, and how."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "task": "Find out why the tests fail and mend it.",
                    "params": {"sidekicks": 3, "sidekick_model": "openai/gpt-5-mini"},
                    "workspace": "/home/me/project",
                    "llm_profile": None,
                    "with": [],
                    "tags": {"team": "web"},
                }
            ]
        },
    )

    task: Annotated[_Text, Field(description="The user's task.")]
    params: Annotated[
        dict[str, Any], Field(description="Values for the strategy's `params_schema`.")
    ] = {}
    params_as_texts: Annotated[
        bool,
        Field(
            description="Whether texts among `params` become the declared types, as on a"
            " command line."
        ),
    ] = False
    workspace: Annotated[
        _Text, Field(description="Absolute path of the directory that agents work in.")
    ]
    llm_profile: Annotated[
        _Text | None,
        Field(description="A profile saved on the server; else the server's own settings."),
    ] = None
    overlays: Annotated[
        list[_Text],
        Field(alias="with", description="Names of the server's strategies to layer on top."),
    ] = []
    tags: Annotated[
        ConversationTags,
        BeforeValidator(_texts),
        Field(
            description="Keys of a-z and 0-9, values of at most 256 characters; not `strategy` or"
            " `strategycommit`."
        ),
    ] = {}
    max_budget: Annotated[
        Annotated[float, Field(gt=0, allow_inf_nan=False)] | None,
        Field(description="US dollars that all agents may spend together."),
    ] = None
    prices: Annotated[
        dict[str, Annotated[list[_Dollars], Field(min_length=2, max_length=2)]],
        Field(description="Model to US dollars for a million tokens of input and of output."),
    ] = {}
    confirmation: Annotated[
        Literal["never", "risky", "always"] | None,
        Field(description="Which actions wait for a yes; the strategy's own choice by default."),
    ] = None


def request_body() -> dict[str, Any]:
    """The OpenAPI description of a `StartBody`."""
    schema = StartBody.model_json_schema(by_alias=True)
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema, "example": schema["examples"][0]},
            },
        }
    }


async def start_body(request: Request) -> StartBody:
    """Read and check a body; the key has been checked by then.

    Raises:
        RequestError: `body_too_large`, `body_invalid`, or `request_invalid` with the field.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            raise RequestError(
                "body_too_large",
                f"the body has more than {MAX_BODY} bytes",
                "put long material into a file of the workspace and name it in the task",
            )
    try:
        document = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RequestError(
            "body_invalid", f"the body is no JSON: {error}", "send one JSON object"
        ) from error
    try:
        return StartBody.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise RequestError(
            "request_invalid",
            f"{field or 'the body'}: {first['msg']}",
            "see the description of this route in /docs",
            field=field,
        ) from error


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def workspace_of(body: StartBody, allowed: tuple[Path, ...], *, here: bool) -> Path:
    """The workspace of a body as an absolute path.

    Args:
        body: The body.
        allowed: Directories that it must be in or below; empty means anywhere.
        here: Whether runs work on this machine, so that the directory must exist.

    Raises:
        RequestError: `workspace_relative`, `workspace_outside` or `workspace_missing`.
    """
    try:
        path = Path(body.workspace)
        if not path.is_absolute():
            raise _bad_workspace("relative", "must be an absolute path", "")
        resolved = path.resolve()
        if allowed and not any(resolved.is_relative_to(one) for one in allowed):
            places = ", ".join(str(one) for one in allowed)
            raise _bad_workspace("outside", "is outside what this server allows", f"it: {places}")
        if here and not resolved.is_dir():
            raise _bad_workspace("missing", "is no directory on the server", "create it first")
    except (ValueError, OSError, RuntimeError) as error:
        if isinstance(error, RequestError):
            raise
        raise _bad_workspace("invalid", f"cannot be used: {error}", "") from error
    return resolved


def _bad_workspace(kind: str, what: str, hint: str) -> RequestError:
    return RequestError(f"workspace_{kind}", f"the workspace {what}", hint, field="workspace")
