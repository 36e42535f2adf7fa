"""What best-of-n builds from its parameters, and what it tells its models."""

from __future__ import annotations

from typing import Any

import pytest

from openhands_strategies.errors import ParameterError
from openhands_strategies.project.home import find_home
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.runtime.building import build_blueprint, check_params
from openhands_strategies.runtime.loader import load
from openhands_strategies.runtime.prepare import Settings, prepare
from openhands_strategies.strategy import AgentSpec, Blueprint


def main_llm() -> Any:
    from openhands.sdk import LLM

    return LLM(model="openai/main", usage_id="main", base_url="http://127.0.0.1:9")


def built(**params: object) -> Blueprint:
    loaded = load(resolve("best-of-n"), find_home())
    return build_blueprint(loaded, main_llm(), check_params(loaded, params), home=find_home())


def suffix_of(blueprint: Blueprint) -> str:
    context = blueprint.agent.agent_context
    assert context is not None
    return context.system_message_suffix or ""


def test_the_defaults() -> None:
    blueprint = built()
    attempt = blueprint.subagents["attempt"]
    assert list(blueprint.subagents) == ["attempt"]
    assert (attempt.worktree, attempt.check, attempt.rounds) == (True, None, 3)
    assert (attempt.limits.iterations, attempt.limits.budget) == (100, None)
    assert blueprint.agent.tool_concurrency_limit == 3
    assert blueprint.limits.iterations == 60
    message = blueprint.first_message("Mend {it}")
    assert message.startswith("Mend {it}\n")
    assert "3 `task` calls" in message
    suffix = suffix_of(blueprint)
    assert "you are the judge" in suffix
    assert "PASSED" not in suffix


def test_parameters_reach_everything() -> None:
    blueprint = built(
        attempts=5,
        check="pytest -q",
        attempt_model="openai/cheap",
        attempt_iterations=7,
        attempt_budget=0.5,
        judge="Short functions",
    )
    attempt = blueprint.subagents["attempt"]
    assert (attempt.check, attempt.rounds, attempt.model) == ("pytest -q", 5, "openai/cheap")
    assert (attempt.limits.iterations, attempt.limits.budget) == (7, 0.5)
    assert blueprint.agent.tool_concurrency_limit == 5
    suffix = suffix_of(blueprint)
    assert "`pytest -q`" in suffix
    assert "counts as better: Short functions" in suffix
    assert isinstance(attempt.agent, AgentSpec)
    assert "`pytest -q`" in attempt.agent.suffix
    assert "about 7 steps" in attempt.agent.suffix


@pytest.mark.parametrize("count", [1, 9])
def test_the_number_of_attempts_has_bounds(count: int) -> None:
    with pytest.raises(ParameterError) as caught:
        built(attempts=count)
    assert caught.value.field == "attempts"


def test_the_worktree_and_the_check_reach_the_tool_set() -> None:
    loaded = load(resolve("best-of-n"), find_home())
    params = check_params(loaded, {"check": "true"})
    prepared = prepare(loaded, main_llm(), params, Settings(home=find_home()))
    scope = next(
        tool.params for tool in prepared.agent.tools if tool.name == "strategy_task_tool_set"
    )
    entry = scope["agents"]["attempt"]
    assert (entry["worktree"], entry["check"], entry["rounds"]) == (True, "true", 3)
