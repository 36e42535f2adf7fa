"""The scoped task tool in place of the stock one, and sub-agents written down as data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openhands_strategies import AgentSpec, Blueprint, BuildError, Limits, SubAgent
from openhands_strategies.compose.merge import concatenated
from openhands_strategies.runtime.entries import MAX_DEPTH, TASK_TOOL_SET, Entry, Scope
from openhands_strategies.runtime.equip import (
    entries_of,
    equip,
    has_task_tool,
    require_tools,
)

WHERE = "strategy 'x' (./x)"


def sub(**fields: Any) -> SubAgent:
    return SubAgent(**{"description": "d", "agent": AgentSpec(), **fields})


def hooks(*commands: str) -> Any:
    from openhands.sdk.hooks import HookConfig

    entries = [{"type": "command", "command": command} for command in commands]
    return HookConfig.model_validate({"pre_tool_use": [{"matcher": "*", "hooks": entries}]})


def commands_of(entry: Entry) -> list[str]:
    assert entry.hooks is not None
    matchers = entry.hooks["pre_tool_use"]
    return [hook["command"] for matcher in matchers for hook in matcher["hooks"]]


def written(subagents: dict[str, SubAgent], fleet_hooks: Any = None) -> dict[str, Entry]:
    found = entries_of(subagents, fleet_hooks=fleet_hooks, where=WHERE)
    json.dumps([entry.model_dump(mode="json") for entry in found.values()])
    return found


def refusal(subagents: dict[str, SubAgent]) -> BuildError:
    with pytest.raises(BuildError) as caught:
        written(subagents)
    assert caught.value.message.startswith(WHERE)
    return caught.value


# Sub-agents as data


def test_declared_data_is_written_in_full() -> None:
    spec = AgentSpec(
        tools=("terminal", {"name": "terminal", "params": {"no_change_timeout_seconds": 5}}),
        suffix="Be brief.",
        concurrency=2,
    )
    entry = written(
        {
            "helper": sub(
                description="helps",
                agent=spec,
                profile="cheap",
                limits=Limits(iterations=5, budget=0.5),
                workspace="sub/dir",
                escalation="HELP",
            )
        }
    )["helper"]
    assert (entry.kind, entry.description, entry.suffix) == ("declared", "helps", "Be brief.")
    assert [tool["name"] for tool in entry.tools] == ["terminal", "terminal"]
    assert entry.tools[1]["params"] == {"no_change_timeout_seconds": 5}
    assert (entry.llm.model, entry.llm.profile) == (None, "cheap")
    assert (entry.iterations, entry.budget, entry.concurrency) == (5, 0.5, 2)
    assert (entry.workspace, entry.escalation, entry.hooks) == ("sub/dir", "HELP", None)


def test_the_main_agents_hooks_reach_every_sub_agent_first(make_llm: Any) -> None:
    from openhands.sdk import Agent

    nested = Blueprint(
        agent=Agent(llm=make_llm(), tools=[]),
        subagents={"inner": sub(hooks=hooks("inner"))},
        hooks=hooks("nested"),
    )
    found = written(
        {"plain": sub(), "own": sub(hooks=hooks("own")), "team": sub(agent=nested)},
        hooks("fleet"),
    )
    assert commands_of(found["plain"]) == ["fleet"]
    assert commands_of(found["own"]) == ["fleet", "own"]
    assert commands_of(found["team"]) == ["fleet", "nested"]
    assert commands_of(found["team"].agents["inner"]) == ["fleet", "nested", "inner"]


def test_a_blueprint_keeps_its_limits_unless_the_sub_agent_has_its_own(make_llm: Any) -> None:
    from openhands.sdk import Agent

    inner = Blueprint(
        agent=Agent(llm=make_llm(), tools=[]), limits=Limits(iterations=7, budget=0.7)
    )
    found = written(
        {"a": sub(agent=inner), "b": sub(agent=inner, limits=Limits(iterations=2, budget=0.2))}
    )
    assert (found["a"].iterations, found["a"].budget) == (7, 0.7)
    assert (found["b"].iterations, found["b"].budget) == (2, 0.2)


def test_a_factory_is_code_and_may_meet_its_siblings() -> None:
    entry = written({"made": sub(agent=lambda llm: None)})["made"]
    assert (entry.kind, entry.same_scope) == ("code", True)


def nest(levels: int, agent: Any) -> dict[str, SubAgent]:
    inner = {"leaf": sub()} if levels == 1 else nest(levels - 1, agent)
    return inner if levels == 1 else {"n": sub(agent=Blueprint(agent=agent, subagents=inner))}


def test_nesting_ends_at_a_depth_that_is_known_when_building(make_llm: Any) -> None:
    from openhands.sdk import Agent

    agent = Agent(llm=make_llm(), tools=[])
    written(nest(MAX_DEPTH, agent))
    error = refusal(nest(MAX_DEPTH + 1, agent))
    assert error.code == "depth_limit"
    assert str(MAX_DEPTH) in error.message


def test_an_order_that_names_nobody() -> None:
    error = refusal({"a": sub(), "b": sub(after=("c",))})
    assert error.code == "after_unknown"
    assert "'b' comes after 'c'" in error.message
    assert error.hint == "aliases: a, b"


@pytest.mark.parametrize(
    "subagents",
    [
        {"a": sub(after=("a",))},
        {"a": sub(after=("b",)), "b": sub(after=("a",)), "c": sub()},
    ],
)
def test_an_order_that_goes_in_a_circle(subagents: dict[str, SubAgent]) -> None:
    error = refusal(subagents)
    assert error.code == "after_cycle"
    assert "a" in error.message
    assert ", c" not in error.message


def test_an_order_that_works_is_kept() -> None:
    found = written({"c": sub(after=("a", "b")), "b": sub(after=("a",)), "a": sub()})
    assert found["c"].after == ("a", "b")


@pytest.mark.parametrize("alias", ["", "  ", "a\nb"])
def test_an_alias_that_is_no_name(alias: str) -> None:
    assert refusal({alias: sub()}).code == "alias_invalid"


def test_a_tool_that_nobody_registers() -> None:
    error = refusal({"a": sub(agent=AgentSpec(tools=("no_such_tool",)))})
    assert error.code == "tool_unknown"
    assert "'no_such_tool'" in error.message
    assert "'a'" in error.message


# The tool set


def agent_with(make_llm: Any, *names: str) -> Any:
    from openhands.sdk import Agent, Tool

    return Agent(llm=make_llm(), tools=[Tool(name=name) for name in names])


SCOPE = Scope(agents={"helper": Entry(description="helps", kind="declared")})


@pytest.mark.parametrize("stock", ["task_tool_set", "TaskToolSet", "task"])
def test_the_stock_task_tool_gives_way_to_ours(make_llm: Any, stock: str) -> None:
    agent = agent_with(make_llm, stock)
    assert has_task_tool(agent)
    require_tools(["terminal"], WHERE)
    equipped = equip(agent, SCOPE, WHERE)
    assert [tool.name for tool in equipped.tools] == [TASK_TOOL_SET]
    assert Scope.model_validate(equipped.tools[0].params) == SCOPE
    assert [tool.name for tool in agent.tools] == [stock]


def test_without_sub_agents_there_is_no_task_tool_at_all(make_llm: Any) -> None:
    agent = agent_with(make_llm, "task_tool_set", "terminal")
    assert [tool.name for tool in equip(agent, Scope(), WHERE).tools] == ["terminal"]


def test_equipping_twice_gives_one_tool_set(make_llm: Any) -> None:
    twice = equip(equip(agent_with(make_llm, "terminal"), SCOPE, WHERE), SCOPE, WHERE)
    assert [tool.name for tool in twice.tools] == ["terminal", TASK_TOOL_SET]


def test_at_the_last_level_nobody_is_offered(make_llm: Any) -> None:
    deep = SCOPE.model_copy(update={"path": ("a",) * MAX_DEPTH})
    assert equip(agent_with(make_llm), deep, WHERE).tools == []
    last = SCOPE.model_copy(update={"path": ("a",) * (MAX_DEPTH - 1)})
    assert [tool.name for tool in equip(agent_with(make_llm), last, WHERE).tools] == [TASK_TOOL_SET]


def test_a_tool_that_is_not_registered_is_named(make_llm: Any) -> None:
    with pytest.raises(BuildError) as caught:
        equip(agent_with(make_llm, "no_such_tool"), Scope(), WHERE)
    assert caught.value.code == "tool_unknown"
    assert "'no_such_tool'" in caught.value.message


def test_the_removed_delegate_tool_names_its_replacement(make_llm: Any) -> None:
    with pytest.raises(BuildError) as caught:
        equip(agent_with(make_llm, "DelegateTool"), Scope(), WHERE)
    assert caught.value.code == "tool_removed"
    assert "TaskToolSet" in caught.value.hint


@pytest.mark.parametrize("name", ["terminal", "file_editor", "grep", "glob", "task_tracker"])
def test_stock_tools_of_declared_data_are_imported_when_named(name: str) -> None:
    from openhands.sdk.tool.registry import list_registered_tools

    require_tools([name], WHERE)
    assert name in list_registered_tools()


def test_tools_that_every_agent_has_need_no_registration() -> None:
    require_tools(["FinishTool", "ThinkTool"], WHERE)


# Hooks


def test_no_hooks_are_none() -> None:
    from openhands.sdk.hooks import HookConfig

    assert concatenated([]) is None
    assert concatenated([None, HookConfig()]) is None


def test_hooks_are_put_one_after_the_other() -> None:
    merged = concatenated([hooks("a"), None, hooks("b", "c")])
    assert merged is not None
    commands = [hook.command for matcher in merged.pre_tool_use for hook in matcher.hooks]
    assert commands == ["a", "b", "c"]
