"""MCP servers of parts reach everyone above them."""

from __future__ import annotations

from typing import Any

import pytest

from openhands_strategies import Blueprint, SubAgent
from openhands_strategies.compose.brought import attributed, servers_of, with_servers
from openhands_strategies.compose.conflict import MergeConflict
from openhands_strategies.runtime.hoisting import hoisted


def server(command: str) -> Any:
    """A server as the SDK in use keeps it."""
    try:
        from openhands.sdk.mcp.config import MCPServer
    except ImportError:
        return {"command": command}
    from pydantic import TypeAdapter

    return TypeAdapter(MCPServer).validate_python({"command": command})


@pytest.fixture
def blueprint(make_llm: Any) -> Any:
    def make(below: dict[str, Blueprint] | None = None, **servers: str) -> Blueprint:
        from openhands.sdk import Agent

        agent = with_servers(
            Agent(llm=make_llm(), tools=[]), {name: server(c) for name, c in servers.items()}
        )
        subagents = {
            alias: SubAgent(description=alias, agent=inner)
            for alias, inner in (below or {}).items()
        }
        return Blueprint(agent=agent, subagents=subagents)

    return make


def test_servers_go_up_and_keep_their_part(blueprint: Any) -> None:
    deepest = attributed(blueprint(search="one"), "deepest", "c0ffee")
    middle = attributed(blueprint({"deepest": deepest}, files="two"), "middle", None)
    whole = hoisted(attributed(blueprint({"middle": middle}), "whole", None, inside=False), "whole")
    assert set(servers_of(whole.agent)) == {"search", "files"}
    inner = whole.subagents["middle"].agent
    assert isinstance(inner, Blueprint)
    assert set(servers_of(inner.agent)) == {"search", "files"}
    parts = {(b.name, b.part, b.commit) for b in whole.brought if b.kind == "mcp"}
    assert parts == {("search", "middle/deepest", "c0ffee"), ("files", "middle", None)}


def test_two_servers_of_one_name(blueprint: Any) -> None:
    same = blueprint({"a": blueprint(search="one"), "b": blueprint(search="one")})
    assert set(servers_of(hoisted(same, "whole").agent)) == {"search"}
    other = blueprint({"a": blueprint(search="one"), "b": blueprint(search="two")})
    with pytest.raises(MergeConflict, match="mcp 'search'"):
        hoisted(other, "whole")
