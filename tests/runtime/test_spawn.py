"""Making sub-agents: their directory, their LLM, and what reaches them of their parent."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies import AgentSpec, Blueprint, BuildError, SubAgent
from openhands_strategies.project.home import Home
from openhands_strategies.runtime.entries import TASK_TOOL_SET, Entry, ModelChoice, Scope
from openhands_strategies.runtime.spawn import (
    build_subagent,
    entry_llm,
    find_subagent,
    open_conversation,
    workspace_of,
)
from openhands_strategies.runtime.task_tools import register_task_tools
from openhands_strategies.runtime.usage import Price, known_price


def entry(**fields: Any) -> Entry:
    return Entry(**{"description": "helps", "kind": "declared", **fields})


# Workspace


def test_a_sub_agent_works_where_its_parent_does(make_conversation: Any, tmp_path: Path) -> None:
    parent = make_conversation()
    assert workspace_of(entry(), parent) == tmp_path / "ws"
    assert workspace_of(entry(workspace="sub/dir"), parent) == tmp_path / "ws/sub/dir"
    assert workspace_of(entry(workspace="."), parent) == tmp_path / "ws"
    assert workspace_of(entry(workspace="a/../b"), parent) == tmp_path / "ws/b"


def test_an_absolute_workspace_is_the_strategys_own_choice(
    make_conversation: Any, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    assert workspace_of(entry(workspace=str(other)), make_conversation()) == other


@pytest.mark.parametrize("workspace", ["..", "../ws2", "a/../../x", "link", "link/deeper"])
def test_a_relative_workspace_stays_below(
    make_conversation: Any, tmp_path: Path, workspace: str
) -> None:
    parent = make_conversation()
    (tmp_path / "ws/link").symlink_to(tmp_path)
    with pytest.raises(BuildError) as caught:
        workspace_of(entry(workspace=workspace), parent)
    assert caught.value.code == "workspace_outside"
    assert repr(workspace) in caught.value.message


# LLM


def test_the_llm_of_a_sub_agent(make_llm: Any, profiles: Any) -> None:
    parent = make_llm(input_cost_per_token=1e-5, output_cost_per_token=4e-5)
    parent.metrics.add_cost(0.5)
    profiles.save("saved", make_llm("openai/saved"), include_secrets=True)
    scope = Scope(prices={"openai/cheap": (1.0, 4.0)})
    same = entry_llm(entry(), parent, scope, "helper")
    cheap = entry_llm(entry(llm=ModelChoice(model="openai/cheap")), parent, scope, "helper")
    saved = entry_llm(entry(llm=ModelChoice(profile="saved")), parent, scope, "helper")
    assert [llm.model for llm in (same, cheap, saved)] == [
        "openai/main",
        "openai/cheap",
        "openai/saved",
    ]
    assert known_price(same) == known_price(parent)
    assert known_price(cheap) == Price(pytest.approx(1.0), pytest.approx(4.0))
    for llm in (same, cheap, saved):
        assert llm.usage_id == "helper"
        assert llm.metrics.accumulated_cost == 0


# Agent


def test_a_declared_agent_needs_nothing_but_its_entry(make_llm: Any) -> None:
    from openhands.sdk import Agent

    scope = Scope(
        agents={
            "helper": entry(
                tools=({"name": "terminal", "params": {"no_change_timeout_seconds": 5}},),
                suffix="You are the helper.",
                concurrency=3,
            )
        }
    )
    agent = build_subagent("helper", scope, Agent(llm=make_llm(), tools=[]))
    assert [(tool.name, tool.params) for tool in agent.tools] == [
        ("terminal", {"no_change_timeout_seconds": 5})
    ]
    assert agent.agent_context is not None
    assert agent.agent_context.system_message_suffix == "You are the helper."
    assert agent.tool_concurrency_limit == 3
    assert agent.condenser is not None


def test_every_build_has_llms_of_its_own(make_llm: Any) -> None:
    from openhands.sdk import Agent

    scope = Scope(agents={"helper": entry()})
    parent = Agent(llm=make_llm(), tools=[])
    one, other = (build_subagent("helper", scope, parent) for _ in range(2))
    llms = [parent.llm, *one.get_all_llms(), *other.get_all_llms()]
    assert len({id(llm.metrics) for llm in llms}) == len(llms) == 5


FLEET = """
    from openhands.sdk import Agent, LLM, Tool, register_agent
    from openhands.tools.task import TaskToolSet
    from openhands_strategies import *

    def factory(llm):
        return Agent(llm=llm, tools=[], tool_concurrency_limit=2)

    class Fleet(Strategy):
        name = "fleet"
        description = "Sub-agents of all kinds"
        params = [StrategyParam("suffix", default="none")]

        def setup(self):
            register_agent("registered", factory, "registered by name")

        def build(self, context):
            if context.params["suffix"] == "boom":
                raise RuntimeError("no")
            inner = SubAgent(description="inner", agent=AgentSpec(suffix=context.params["suffix"]))
            team = Blueprint(
                agent=Agent(llm=context.llm_for("openai/lead"), tools=[]),
                subagents={"inner": inner},
            )
            return Blueprint(
                agent=Agent(llm=context.llm, tools=[]),
                subagents={
                    "made": SubAgent(description="made", agent=factory),
                    "broken": SubAgent(description="broken", agent=lambda llm: 1 / 0),
                    "team": SubAgent(description="team", agent=team),
                    "cheap": SubAgent(description="team", agent=team, model="openai/cheap"),
                },
            )
"""


@pytest.fixture
def fleet(load_text: Any, home: Home, make_llm: Any) -> Any:
    """The scope of the strategy above, as `prepare` writes it."""
    from openhands_strategies.runtime.prepare import Settings, prepare

    return prepare(load_text(FLEET), make_llm(), {"suffix": "Mine."}, Settings(home=home))


def test_a_factory_is_built_again_from_the_stored_tree(fleet: Any, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("raise RuntimeError('changed since')")
    for alias in ("made", "registered"):
        agent = build_subagent(alias, fleet.scope, fleet.agent)
        assert agent.tool_concurrency_limit == 2
        assert agent.llm.usage_id == alias
        assert agent.tools == []


def test_a_blueprint_as_sub_agent_has_its_own_sub_agents_only(fleet: Any) -> None:
    register_task_tools()
    team = build_subagent("team", fleet.scope, fleet.agent)
    assert [tool.name for tool in team.tools] == [TASK_TOOL_SET]
    below = Scope.model_validate(team.tools[0].params)
    assert list(below.agents) == ["inner"]
    assert below.path == ("team",)
    inner = build_subagent("inner", below, team)
    assert inner.agent_context is not None
    assert inner.agent_context.system_message_suffix == "Mine."
    assert inner.tools == []


def test_the_model_that_a_sub_agent_names_rules(fleet: Any) -> None:
    assert build_subagent("cheap", fleet.scope, fleet.agent).llm.model == "openai/cheap"


def test_a_factory_that_raises_is_named(fleet: Any) -> None:
    with pytest.raises(BuildError) as caught:
        build_subagent("broken", fleet.scope, fleet.agent)
    assert caught.value.code == "factory_failed"
    assert "'broken'" in caught.value.message
    assert "ZeroDivisionError" in caught.value.message


def test_code_without_a_source_cannot_be_built_again(make_llm: Any) -> None:
    from openhands.sdk import Agent

    scope = Scope(agents={"made": entry(kind="code")})
    with pytest.raises(BuildError) as caught:
        build_subagent("made", scope, Agent(llm=make_llm(), tools=[]))
    assert caught.value.code == "strategy_source_unknown"
    assert "AgentSpec" in caught.value.hint


def test_an_alias_that_the_strategy_no_longer_builds() -> None:
    inner = Blueprint(agent=None, subagents={"b": SubAgent(description="d", agent=AgentSpec())})  # type: ignore[arg-type]
    blueprint = Blueprint(agent=None, subagents={"a": SubAgent(description="d", agent=inner)})  # type: ignore[arg-type]
    assert find_subagent(blueprint, ["a", "b"]).description == "d"
    with pytest.raises(BuildError) as caught:
        find_subagent(blueprint, ["a", "c"])
    assert caught.value.code == "subagent_missing"
    assert "'a/c'" in caught.value.message


# Conversation


def opened(parent: Any, tmp_path: Path, **fields: Any) -> Any:
    scope = Scope(agents={"helper": entry(**fields)})
    conversation = open_conversation(
        build_subagent("helper", scope, parent.agent),
        parent,
        entry=scope.agents["helper"],
        directory=tmp_path / "tasks",
        conversation_id=uuid.UUID(int=7),
        label="helper",
        callback=lambda event: None,
    )
    conversation._ensure_agent_ready()
    return conversation


@pytest.mark.parametrize("times", [1, 2], ids=["new", "resumed"])
def test_limits_policy_and_silence_reach_a_new_and_a_resumed_task(
    make_conversation: Any, tmp_path: Path, times: int
) -> None:
    from openhands.sdk.security.confirmation_policy import AlwaysConfirm

    parent = make_conversation(max_iteration_per_run=44)
    parent.set_confirmation_policy(AlwaysConfirm())
    for _ in range(times):
        child = opened(parent, tmp_path, iterations=5, workspace="sub")
        child.close()
    assert child.max_iteration_per_run == 5
    assert isinstance(child.state.confirmation_policy, AlwaysConfirm)
    assert child._visualizer is None
    assert Path(child.state.workspace.working_dir) == tmp_path / "ws/sub"
    assert (tmp_path / "tasks" / uuid.UUID(int=7).hex / "base_state.json").is_file()


def test_without_a_limit_of_its_own_the_parents_counts(
    make_conversation: Any, tmp_path: Path
) -> None:
    child = opened(make_conversation(max_iteration_per_run=44), tmp_path)
    child.close()
    assert child.max_iteration_per_run == 44
