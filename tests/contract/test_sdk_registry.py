"""The SDK's global agent registry, which we empty and restore around a strategy's code."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.contract


@pytest.fixture
def registry() -> Iterator[Any]:
    from openhands.sdk.subagent import registry as module

    before = dict(module._agent_factories)
    yield module
    module._agent_factories.clear()
    module._agent_factories.update(before)


def factory(llm: Any) -> Any:
    from openhands.sdk import Agent

    return Agent(llm=llm, tools=[])


def test_one_dictionary_under_one_reentrant_lock(registry: Any) -> None:
    # rfc.py swaps the dictionary's content while it holds the lock, and nests.
    assert type(registry._agent_factories) is dict
    with registry._registry_lock, registry._registry_lock:
        registry.register_agent("inside_4711", factory, "d")
    assert "inside_4711" in registry._agent_factories


def test_the_public_function_writes_into_that_dictionary(registry: Any) -> None:
    # What `openhands.sdk.register_agent` adds must be what we capture.
    from openhands.sdk import register_agent

    register_agent(name="public_4711", factory_func=factory, description="does things")
    made = registry._agent_factories["public_4711"]
    assert made.factory_func is factory
    assert (made.definition.name, made.definition.description) == ("public_4711", "does things")


def test_a_second_registration_raises(registry: Any) -> None:
    # The reason why loading an RFC file twice needs the capture.
    registry.register_agent("twice_4711", factory, "d")
    with pytest.raises(ValueError, match="already registered"):
        registry.register_agent("twice_4711", factory, "d")


def test_the_fields_that_become_limits_and_hooks() -> None:
    # rfc.py reads these of every captured definition; 1.21 has no budget and drops it.
    from openhands.sdk.subagent import AgentDefinition

    fields = AgentDefinition.model_fields
    assert {"name", "description", "max_iteration_per_run", "hooks"} <= set(fields)
    definition = AgentDefinition.model_validate(
        {"name": "a", "description": "d", "max_budget_per_run": 0.5}
    )
    knows_budget = "max_budget_per_run" in fields
    assert getattr(definition, "max_budget_per_run", None) == (0.5 if knows_budget else None)


def test_upstream_has_no_strategy_module() -> None:
    # The RFC's module name is ours only as long as this holds.
    import openhands.sdk

    ours = sys.modules.get("openhands.sdk.strategy")
    if ours is not None:
        assert ours.__name__ == "openhands_strategies.strategy"
    else:
        assert not hasattr(openhands.sdk, "strategy")
    files = importlib.util.find_spec("openhands.sdk")
    assert files is not None
    assert files.submodule_search_locations is not None
    found = importlib.machinery.PathFinder.find_spec(
        "openhands.sdk.strategy", list(files.submodule_search_locations)
    )
    assert found is None
