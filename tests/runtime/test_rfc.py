"""RFC-style files run unchanged, and leave the SDK's global registry as they found it."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openhands_strategies import LoadError
from openhands_strategies import strategy as protocol
from openhands_strategies.project.home import Home
from openhands_strategies.runtime.building import build_blueprint, check_params, declared_params
from openhands_strategies.runtime.loader import Loaded, load_again
from openhands_strategies.runtime.rfc import (
    RFC_MODULE,
    as_subagents,
    captured_registrations,
    provide_rfc_module,
)

LoadText = Callable[..., Loaded]

WATERFALL = """
    from openhands.sdk import Agent, Tool, register_agent
    from openhands.sdk.strategy import Strategy, StrategyParam
    from openhands.tools.task import TaskToolSet

    def coder(llm):
        return Agent(llm=llm, tools=[])

    class Waterfall(Strategy):
        name = "waterfall"
        description = "Phases"
        params = [StrategyParam("max_turns", "Turns", "integer", 8)]

        def setup(self):
            register_agent(name="coder", factory_func=coder, description="{who} writes code")
            {after}

        def build_agent(self, llm, params=None):
            return Agent(llm=llm, tools=[Tool(name=TaskToolSet.name)])
"""


def waterfall(who: str = "it", after: str = "pass") -> str:
    return textwrap.dedent(WATERFALL).replace("{who}", who).replace("{after}", after)


@pytest.fixture
def registry() -> Iterator[dict[str, Any]]:
    """The SDK's own global registry; put back as it was when the test ends."""
    from openhands.sdk.subagent import registry as module

    before = dict(module._agent_factories)
    yield module._agent_factories
    module._agent_factories.clear()
    module._agent_factories.update(before)


def foreign(name: str) -> None:
    """Somebody else's agent in the global registry."""
    from openhands.sdk import Agent, register_agent

    register_agent(
        name=name, factory_func=lambda llm: Agent(llm=llm, tools=[]), description="foreign"
    )


def test_the_rfcs_import_finds_our_protocol(load_text: LoadText, registry: Any) -> None:
    loaded = load_text(waterfall())
    assert isinstance(loaded.strategy, protocol.Strategy)
    assert sys.modules[RFC_MODULE] is protocol
    import openhands.sdk

    assert openhands.sdk.strategy is protocol


def test_providing_it_twice_changes_nothing() -> None:
    provide_rfc_module()
    first = sys.modules[RFC_MODULE]
    provide_rfc_module()
    assert sys.modules[RFC_MODULE] is first


def test_what_setup_registers_becomes_the_strategys_own(
    load_text: LoadText, registry: dict[str, Any]
) -> None:
    before = dict(registry)
    loaded = load_text(waterfall())
    assert registry == before
    assert list(loaded.registered) == ["coder"]
    assert loaded.registered["coder"].description == "it writes code"


def test_loading_twice_is_harmless(load_text: LoadText, home: Home, registry: Any) -> None:
    first, second = load_text(waterfall()), load_text(waterfall())
    third = load_again(first.origin, home)
    assert [list(one.registered) for one in (first, second, third)] == [["coder"]] * 3


def test_a_name_that_the_global_registry_has_is_no_clash(
    load_text: LoadText, registry: dict[str, Any]
) -> None:
    foreign("coder")
    before = dict(registry)
    loaded = load_text(waterfall("ours"))
    assert registry == before
    assert registry["coder"].definition.description == "foreign"
    assert loaded.registered["coder"].description == "ours writes code"


def test_two_strategies_that_both_register_coder_live_side_by_side(
    load_text: LoadText, registry: Any
) -> None:
    first = load_text(waterfall("first"), file="a/strategy.py")
    second = load_text(waterfall("second"), file="b/strategy.py")
    assert first.registered["coder"].description == "first writes code"
    assert second.registered["coder"].description == "second writes code"


def test_a_setup_that_raises_leaves_the_registry_too(
    load_text: LoadText, registry: dict[str, Any]
) -> None:
    foreign("coder")
    before = dict(registry)
    with pytest.raises(LoadError) as caught:
        load_text(waterfall(after="raise OSError('late')"))
    assert caught.value.code == "setup_failed"
    assert registry == before


def test_a_module_that_registers_at_import_does_so_once_for_every_load(
    load_text: LoadText, home: Home, registry: dict[str, Any]
) -> None:
    before = dict(registry)
    text = waterfall().replace("        register_agent(", "        (lambda **_: None)(")
    text += 'register_agent(name="tester", factory_func=coder, description="tests")\n'
    first, second = load_text(text), load_text(text)
    third = load_again(first.origin, home)
    assert [list(one.registered) for one in (first, second, third)] == [["tester"]] * 3
    assert registry == before


def test_a_module_that_raises_after_it_registered_leaves_the_registry(
    load_text: LoadText, registry: dict[str, Any]
) -> None:
    before = dict(registry)
    text = waterfall() + 'register_agent(name="x", factory_func=coder, description="x")\n1 / 0\n'
    with pytest.raises(LoadError):
        load_text(text)
    assert registry == before


def test_the_blueprint_offers_what_was_registered(
    load_text: LoadText, home: Home, make_llm: Any, registry: Any
) -> None:
    loaded = load_text(waterfall())
    blueprint = build_blueprint(loaded, make_llm(), check_params(loaded, {}), home=home)
    assert list(blueprint.subagents) == ["coder"]
    assert [param.name for param in declared_params(loaded)] == ["max_turns"]


def test_what_build_agent_registers_is_captured_as_well(
    load_text: LoadText, home: Home, make_llm: Any, registry: dict[str, Any]
) -> None:
    before = dict(registry)
    text = waterfall().replace(
        "        return Agent(llm=llm, tools=[Tool",
        '        register_agent(name="late", factory_func=coder, description="late")\n'
        "        return Agent(llm=llm, tools=[Tool",
    )
    loaded = load_text(text)
    for _ in range(2):
        blueprint = build_blueprint(loaded, make_llm(), {}, home=home)
        assert list(blueprint.subagents) == ["coder", "late"]
    assert registry == before


def test_an_agent_without_the_task_tool_is_offered_nobody(
    load_text: LoadText, home: Home, make_llm: Any, registry: Any
) -> None:
    loaded = load_text(waterfall().replace("tools=[Tool(name=TaskToolSet.name)]", "tools=[]"))
    assert build_blueprint(loaded, make_llm(), {}, home=home).subagents == {}


def test_a_definition_brings_its_limits_and_hooks(registry: Any) -> None:
    from openhands.sdk import Agent, register_agent
    from openhands.sdk.hooks import HookConfig
    from openhands.sdk.subagent import AgentDefinition

    hooks = HookConfig.model_validate(
        {"pre_tool_use": [{"matcher": "*", "hooks": [{"type": "command", "command": "true"}]}]}
    )
    with captured_registrations() as captured:
        register_agent(
            name="tester",
            factory_func=lambda llm: Agent(llm=llm, tools=[]),
            description=AgentDefinition(
                name="tester", description="tests", max_iteration_per_run=7, hooks=hooks
            ),
        )
    tester = as_subagents(captured)["tester"]
    assert (tester.description, tester.limits.iterations) == ("tests", 7)
    assert tester.hooks == hooks


def test_a_capture_inside_a_capture_keeps_them_apart(registry: dict[str, Any]) -> None:
    before = dict(registry)
    with captured_registrations() as outer:
        foreign("one")
        with captured_registrations() as inner:
            foreign("two")
        foreign("three")
    assert list(outer) == ["one", "three"]
    assert list(inner) == ["two"]
    assert registry == before


def test_a_strategy_of_another_base_class_is_taken_by_its_shape(
    load_text: LoadText, home: Home, make_llm: Any
) -> None:
    text = """
        from dataclasses import dataclass
        from typing import Any
        from openhands.sdk import Agent

        @dataclass
        class StrategyParam:
            name: str
            description: str
            type: str = "string"
            default: Any = None

        class Strategy:
            pass

        class Foreign(Strategy):
            name = "foreign"
            description = "Written against another base"
            params = [StrategyParam("turns", "Turns", "integer", 4)]

            def setup(self):
                pass

            def build_agent(self, llm, params=None):
                self.given = params
                return Agent(llm=llm, tools=[])
    """
    loaded = load_text(text, attribute=":Foreign")
    params = check_params(loaded, {"turns": "5"}, texts=True)
    build_blueprint(loaded, make_llm(), params, home=home)
    assert loaded.strategy.given == {"turns": 5}  # type: ignore[attr-defined]
