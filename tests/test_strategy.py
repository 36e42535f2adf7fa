"""The protocol: its defaults, what it refuses, and that it is free of the SDK."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

import openhands_strategies
from openhands_strategies import (
    ESCALATION,
    AgentSpec,
    Blueprint,
    BuildContext,
    BuildError,
    Limits,
    Strategy,
    StrategyParam,
    SubAgent,
)

# The protocol neither looks into the agent nor into the LLM.
AGENT: Any = object()
LLM: Any = object()


def context(params: dict[str, Any] | None = None, **doors: Any) -> BuildContext:
    doors.setdefault("llms", lambda model, profile: (model, profile))
    doors.setdefault("strategies", lambda reference: reference)
    doors.setdefault("blueprints", lambda label: label)
    return BuildContext(llm=LLM, params=params or {}, **doors)


def test_build_wraps_build_agent() -> None:
    seen: list[Any] = []

    class Simple(Strategy):
        name = "simple"

        def build_agent(self, llm: Any, params: dict[str, Any] | None = None) -> Any:
            seen.append((llm, params))
            return AGENT

    blueprint = Simple().build(context({"n": 1}))
    assert blueprint.agent is AGENT
    assert seen == [(LLM, {"n": 1})]
    assert blueprint.subagents == {}
    assert blueprint.first_message("mend it") == "mend it"


def test_a_strategy_cannot_change_the_parameters_of_the_context() -> None:
    class Greedy(Strategy):
        def build_agent(self, llm: Any, params: dict[str, Any] | None = None) -> Any:
            assert params is not None
            params["n"] = 2
            return AGENT

    given_params = {"n": 1}
    Greedy().build(context(given_params))
    assert given_params == {"n": 1}


def test_a_strategy_without_build_says_which_and_what_to_write() -> None:
    class Empty(Strategy):
        name = "empty"

    with pytest.raises(BuildError) as caught:
        Empty().build(context())
    assert caught.value.code == "not_implemented"
    assert "'empty'" in caught.value.message
    assert "build(self, context)" in caught.value.hint


def test_setup_may_be_left_out() -> None:
    class Empty(Strategy):
        name = "empty"

    Empty().setup()
    assert Empty.params == ()


def test_the_context_makes_llms_and_finds_strategies() -> None:
    doors = context()
    assert doors.llm_for("m") == ("m", None)
    assert doors.llm_for(profile="p") == (None, "p")
    assert cast(Any, doors.resolve("./other.py")) == "./other.py"


def test_printing_a_context_shows_no_inner_workings() -> None:
    assert "lambda" not in repr(context())


@pytest.mark.parametrize("iterations", [0, -1])
def test_a_limit_of_no_iterations_is_refused(iterations: int) -> None:
    with pytest.raises(BuildError) as caught:
        Limits(iterations=iterations)
    assert caught.value.code == "limits"
    assert str(iterations) in caught.value.message


@pytest.mark.parametrize("budget", [0, -0.01, float("nan")])
def test_a_budget_of_nothing_is_refused(budget: float) -> None:
    with pytest.raises(BuildError) as caught:
        Limits(budget=budget)
    assert caught.value.code == "limits"


def test_limits_that_bound_something() -> None:
    assert Limits() == Limits(iterations=None, budget=None)
    assert Limits(iterations=1, budget=0.001).budget == 0.001


def test_a_sub_agent_has_a_model_or_a_profile() -> None:
    SubAgent(description="d", agent=AgentSpec(), model="m")
    SubAgent(description="d", agent=AgentSpec(), profile="p")
    with pytest.raises(BuildError) as caught:
        SubAgent(description="d", agent=AgentSpec(), model="m", profile="p")
    assert caught.value.code == "llm_choice"
    assert "'m'" in caught.value.message
    assert "'p'" in caught.value.message


def test_a_sub_agent_escalates_with_the_word_of_the_protocol() -> None:
    assert SubAgent(description="d", agent=AgentSpec()).escalation == ESCALATION
    assert ESCALATION == "ESCALATE_TO_MAIN"


@pytest.mark.parametrize(
    "value",
    [
        Limits(),
        AgentSpec(),
        SubAgent(description="d", agent=AgentSpec()),
        Blueprint(agent=AGENT),
        StrategyParam("n"),
        context(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_all_plain_data_is_frozen(value: Any) -> None:
    field = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field, None)


@given(prompt=st.text(), task=st.text())
def test_the_task_stands_in_the_prompt_as_the_user_wrote_it(prompt: str, task: str) -> None:
    prompt = prompt.replace("{task}", "")
    blueprint = Blueprint(agent=AGENT, prompt=f"Before\n{{task}}\nAfter {prompt}")
    assert blueprint.first_message(task) == f"Before\n{task}\nAfter {prompt}"


def test_braces_in_prompt_and_task_mean_nothing() -> None:
    blueprint = Blueprint(agent=AGENT, prompt='{"json": true} {task} {other} {0}')
    assert blueprint.first_message("{task} {x}") == '{"json": true} {task} {x} {other} {0}'


def test_every_public_name_exists() -> None:
    for name in openhands_strategies.__all__:
        assert hasattr(openhands_strategies, name)


def test_the_protocol_imports_neither_the_sdk_nor_pydantic() -> None:
    code = (
        "import sys, openhands_strategies;"
        "print([m for m in sys.modules if m.split('.')[0] in ('openhands', 'pydantic')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
