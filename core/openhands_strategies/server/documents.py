"""What the routes answer, for OpenAPI, each with an example."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openhands_strategies.server.problems import MEDIA_TYPE, Problem

_ENTRY: dict[str, Any] = {
    "name": "fusion",
    "reference": "fusion",
    "description": "A main agent that delegates bounded work to cheap sidekicks, in parallel",
    "version": "0.1.0",
    "tags": ["cost", "delegation"],
    "source": {"type": "distribution", "name": "openhands-strategy-fusion", "version": "0.1.0"},
    "commit": None,
    "tree": "sha256:9f2c…",
    "params_schema": {
        "type": "object",
        "properties": {"sidekicks": {"type": "integer", "minimum": 1, "maximum": 16}},
        "required": [],
        "additionalProperties": False,
    },
    "overlay": False,
    "label": "fusion",
    "capabilities": {"hooks": [], "mcp": [], "tools": ["terminal"], "agents": ["sidekick"]},
    "trusted": True,
    "error": None,
}
_ROLE: dict[str, Any] = {
    "role": "sidekick",
    "model": "openai/gpt-5-mini",
    "tasks": 2,
    "calls": 6,
    "input_tokens": 9120,
    "output_tokens": 640,
    "cached_tokens": 0,
    "seconds": 14.2,
    "cost_usd": 0.0036,
    "state": "working",
    "activity": "terminal rg -n discount",
}
_REPORT: dict[str, Any] = {
    "conversation_id": "5b0f3b0e1c7c4b0e9d1d4f6a0c9e7a11",
    "strategy": {"name": "fusion", "source": _ENTRY["source"], "commit": None, "tree": "sha256:…"},
    "layers": [],
    "params": {"sidekicks": 3},
    "status": "running",
    "answer": "",
    "roles": [_ROLE],
    "subagents": [{"id": "task_00000001", "role": "sidekick", "state": "escalated"}],
    "cost_usd": 0.0036,
    "seconds": 31.7,
    "max_budget": 2.0,
    "error": None,
}

_FROM: dict[str, Any] = {"part": "single", "commit": None}
_PLAN: dict[str, Any] = {
    "strategy": {
        "name": "single",
        "reference": "single",
        "source": {"type": "distribution", "name": "openhands-strategy-single", "version": "0.1.0"},
        "commit": None,
        "tree": "sha256:eda8…",
        "parts": [],
        "params": {"max_iterations": 200},
        "overlays": [],
    },
    "roles": [{"role": "main", "kind": "main", "model": "openai/gpt-5", "from": _FROM}],
    "tools": [{"role": "main", "name": "terminal", "params": {}, "tokens": 989, "from": _FROM}],
    "subagents": [],
    "skills": [],
    "hooks": [],
    "mcp": [],
    "limits": [{"role": "main", "name": "iterations", "value": 200, "from": _FROM}],
    "prompt_tokens": [
        {"role": "main", "system_prompt": 3222, "tools": 3879, "total": 7101, "from": _FROM}
    ],
    "estimate": "estimated with the tokenizer cl100k_base from texts and tool schemas",
}


class StrategyEntry(BaseModel):
    """A strategy, its parameters as JSON Schema, and why it cannot be started, if so."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [_ENTRY]})

    name: str
    description: str | None
    tags: list[str] = Field(description="Of the index that offers it; empty where none does.")
    source: dict[str, Any] | None
    commit: str | None
    tree: str | None
    params_schema: dict[str, Any] | None = Field(
        description="None where the parameters exist only once the code runs."
    )
    overlay: bool | None = Field(
        description="Whether it only adds to another strategy; None where its files are unread."
    )
    label: str | None = Field(
        description="Stands before its parameters where it is laid over another, or another over"
        " it: `fusion.sidekicks`. None where only its code knows its name."
    )
    capabilities: dict[str, Any]
    error: dict[str, Any] | None


class StrategyList(BaseModel):
    """All strategies that this server offers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"strategies": [_ENTRY]}]})

    strategies: list[StrategyEntry]


class Started(BaseModel):
    """A conversation that was started."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "conversation_id": "5b0f3b0e-1c7c-4b0e-9d1d-4f6a0c9e7a11",
                    "conversation": {"id": "5b0f3b0e-1c7c-4b0e-9d1d-4f6a0c9e7a11"},
                }
            ]
        }
    )

    conversation_id: str
    conversation: dict[str, Any] = Field(description="What POST /api/conversations answered.")


class RunReport(BaseModel):
    """A run: its roles with what they used, and the live state of each sub-agent."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [_REPORT]})

    conversation_id: str
    strategy: dict[str, Any]
    params: dict[str, Any]
    status: str
    roles: list[dict[str, Any]]
    subagents: list[dict[str, Any]]
    cost_usd: float | None
    seconds: float = Field(description="For which the main agent has worked so far.")
    layers: list[dict[str, Any]] = Field(description="What was laid over the strategy.")


class Reloaded(BaseModel):
    """What a reload found."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "strategies": ["fusion", "debate"],
                    "added": ["debate"],
                    "removed": [],
                    "restart_needed": ["fusion"],
                }
            ]
        }
    )

    strategies: list[str]
    added: list[str]
    removed: list[str]
    restart_needed: list[str] = Field(description="Their code changed; the earlier one runs on.")


class Plan(BaseModel):
    """What a start would use; every item says which part it comes from."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [_PLAN]})

    strategy: dict[str, Any]
    roles: list[dict[str, Any]]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for these errors."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": _WHY[status], "content": content} for status in statuses}


_WHY = {
    401: "The key is missing or wrong",
    403: "Nobody on the server has agreed to run this strategy",
    404: "There is no such strategy or run",
    409: "The strategy's code changed since the server started",
    413: "The body is too large",
    422: "Something in the request, or the strategy itself, cannot be used",
    429: "The server runs as many conversations as it may",
    502: "The server could not do it",
    503: "The server is not ready",
}
