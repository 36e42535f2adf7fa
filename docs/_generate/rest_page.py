"""Reference of the REST API, from the OpenAPI description of the server's own routes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from docstrings import table


def document() -> dict[str, Any]:
    """The OpenAPI document of our routes alone, as the agent-server mounts them."""
    from fastapi import FastAPI

    from openhands_strategies.server.catalogue import Catalogue
    from openhands_strategies.server.routes import strategies_router
    from openhands_strategies.server.setup import read_setup

    app = FastAPI()
    app.include_router(strategies_router(Catalogue(read_setup())), prefix="/api")
    return app.openapi()


def page() -> str:
    """Every route with what it takes and what it answers."""
    described = document()
    schemas = described["components"]["schemas"]
    pieces = [
        piece
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        for piece in _route(f"{method.upper()} {path}", operation, schemas)
    ]
    return "\n\n".join(piece for piece in pieces if piece)


def _route(name: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    yield f"## {name}"
    yield str(operation["description"])
    yield from _body(operation)
    (status, answer), *problems = (
        (status, one) for status, one in operation["responses"].items() if "content" in one
    )
    reference = answer["content"]["application/json"]["schema"]["$ref"]
    schema = schemas[reference.rpartition("/")[2]]
    yield f"Answers {status}: {schema['description']}"
    yield table(("field", "type", "meaning"), list(_fields(schema)))
    rows = [(status, str(one["description"])) for status, one in problems]
    yield table(("status", "when"), rows)


def _body(operation: dict[str, Any]) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return
    yield "The body:"
    yield table(("field", "type", "meaning"), list(_fields(content["schema"], body=True)))
    yield "For example:"
    yield f"```json\n{json.dumps(content['example'], indent=2)}\n```"


def _fields(schema: dict[str, Any], *, body: bool = False) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", []) if body else []
    for name, one in schema["properties"].items():
        told = str(one.get("description", ""))
        needed = "Required. " if name in required else ""
        yield f"`{name}`", _type(one), f"{needed}{told}".strip()


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}" if schema.get("items") else "list"
    return str(schema.get("type", "any"))
