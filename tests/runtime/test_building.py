"""Building: what a strategy's own code may return, and how its mistakes are told."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies import Blueprint, BuildError, ParameterError, ResolveError, UsageError
from openhands_strategies.project.home import Home
from openhands_strategies.runtime.building import build_blueprint, check_params, declared_params
from openhands_strategies.runtime.loader import Loaded
from openhands_strategies.runtime.usage import Price, known_price
from support import write

LoadText = Callable[..., Loaded]


def building(body: str, params: str = "[]") -> str:
    """A file whose strategy builds with `body`."""
    head = f"""
        from openhands.sdk import Agent, Tool
        from openhands_strategies import *

        class Built(Strategy):
            name = "built"
            description = "Built"
            params = {params}

            def build(self, context):
    """
    indented = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
    return textwrap.dedent(head).rstrip() + "\n" + indented + "\n"


@pytest.fixture
def build(load_text: LoadText, home: Home, make_llm: Any, tmp_path: Path) -> Any:
    def run(body: str, params: str = "[]", values: Any = None, **options: Any) -> Blueprint:
        loaded = load_text(building(body, params))
        checked = check_params(loaded, values or {})
        return build_blueprint(loaded, make_llm(), checked, home=home, **options)

    return run


def test_a_blueprint_comes_back_as_built(build: Any) -> None:
    blueprint = build("return Blueprint(agent=Agent(llm=context.llm, tools=[]), prompt='<{task}>')")
    assert blueprint.first_message("x") == "<x>"


def test_an_agent_alone_is_a_blueprint_too(build: Any) -> None:
    blueprint = build("return Agent(llm=context.llm, tools=[])")
    assert blueprint.agent.llm.model == "openai/main"
    assert blueprint.prompt == "{task}"


@pytest.mark.parametrize(
    ("body", "got"),
    [
        ("pass", "NoneType"),
        ("return 'an agent'", "str"),
        ("return Blueprint", "the class Blueprint"),
        ("return Agent", "the class Agent"),
        ("return Blueprint(agent='x')", "a Blueprint whose agent is str"),
        ("return [Agent(llm=context.llm, tools=[])]", "list"),
    ],
)
def test_anything_else_is_refused_and_named(build: Any, body: str, got: str) -> None:
    with pytest.raises(BuildError) as caught:
        build(body)
    assert caught.value.code == "build_result"
    assert "'built'" in caught.value.message
    assert "one.py" in caught.value.message
    assert caught.value.message.endswith(f"build returned {got}")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
        ("return Agent(llm=None)", "ValidationError"),
        ("raise SystemExit(2)", "SystemExit: 2"),
    ],
)
def test_a_build_that_raises(build: Any, body: str, shown: str) -> None:
    with pytest.raises(BuildError) as caught:
        build(body)
    assert caught.value.code == "build_failed"
    assert caught.value.exit_code == 3
    assert "'built'" in caught.value.message
    assert shown in caught.value.message
    assert len(caught.value.message.splitlines()) == 1


def test_what_a_strategy_refuses_itself_is_not_wrapped(build: Any) -> None:
    with pytest.raises(UsageError) as caught:
        build("raise UsageError('repo_needed', 'no repository here', 'run git init')")
    assert caught.value.code == "repo_needed"


def test_parameters_arrive_checked_and_with_defaults(build: Any) -> None:
    params = "[StrategyParam('n', type='integer', default=2), StrategyParam('who')]"
    body = "return Blueprint(agent=Agent(llm=context.llm, tools=[]), prompt=repr(context.params))"
    assert build(body, params, {"n": 5}).prompt == "{'n': 5, 'who': None}"


def test_a_wrong_parameter_is_refused_before_anything_is_built(build: Any) -> None:
    with pytest.raises(ParameterError) as caught:
        build("raise RuntimeError", "[StrategyParam('n', type='integer')]", {"m": 1})
    assert caught.value.code == "param_unknown"
    assert caught.value.message.startswith("built has no parameter")


def test_params_that_are_no_params(load_text: LoadText) -> None:
    loaded = load_text(building("pass", "['n'][:]"))
    with pytest.raises(BuildError) as caught:
        declared_params(loaded)
    assert caught.value.code == "params_invalid"
    assert "'built'" in caught.value.message


# LLMs and other strategies


def test_another_model_has_the_key_and_the_url_of_the_main_one(build: Any, make_llm: Any) -> None:
    blueprint = build("return Agent(llm=context.llm_for('openai/cheap'), tools=[])")
    main, other = make_llm(), blueprint.agent.llm
    assert (other.model, other.base_url) == ("openai/cheap", main.base_url)
    assert other.api_key.get_secret_value() == main.api_key.get_secret_value()


def test_another_model_has_the_price_that_the_user_gave(build: Any) -> None:
    blueprint = build(
        "return Agent(llm=context.llm_for('openai/cheap'), tools=[])",
        prices={"openai/cheap": Price(1.0, 4.0)},
    )
    assert known_price(blueprint.agent.llm) == Price(pytest.approx(1.0), pytest.approx(4.0))


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("context.llm_for('m', profile='p')", "llm_choice"),
        ("context.llm_for(profile='no-such-profile')", "profile_missing"),
    ],
)
def test_an_llm_that_there_is_not(build: Any, call: str, code: str, profiles: Any) -> None:
    with pytest.raises((BuildError, UsageError)) as caught:
        build(f"return Agent(llm={call}, tools=[])")
    assert caught.value.code == code


def test_another_strategy_is_found_beside_it(build: Any, tmp_path: Path) -> None:
    write(
        tmp_path / "other.py",
        """
        from openhands.sdk import Agent
        from openhands_strategies import Strategy

        class Other(Strategy):
            name = "other"
            def build_agent(self, llm, params=None):
                return Agent(llm=llm, tools=[], tool_concurrency_limit=3)
        """,
    )
    blueprint = build("return context.resolve('./other.py').build(context)")
    assert blueprint.agent.tool_concurrency_limit == 3


def test_another_strategy_that_there_is_not(build: Any) -> None:
    with pytest.raises(ResolveError) as caught:
        build("return context.resolve('./missing.py').build(context)")
    assert caught.value.code == "path_missing"


def test_two_builds_of_one_strategy_do_not_mix(
    load_text: LoadText, home: Home, make_llm: Any
) -> None:
    body = """
    helper = SubAgent(description='helps', agent=AgentSpec(), model=context.params['model'])
    return Blueprint(agent=Agent(llm=context.llm, tools=[]), subagents={'helper': helper})
    """
    loaded = load_text(building(body, "[StrategyParam('model', default='a')]"))
    one = build_blueprint(loaded, make_llm(), {"model": "x"}, home=home)
    other = build_blueprint(loaded, make_llm(), {"model": "y"}, home=home)
    assert (one.subagents["helper"].model, other.subagents["helper"].model) == ("x", "y")
