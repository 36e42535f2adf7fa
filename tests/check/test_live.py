"""What `ohs check` finds by running the code: load, build, compare, run."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from check_corpus import LIVE, STRATEGY, lay_out
from openhands_strategies.cli.check.report import lines
from openhands_strategies.params import StrategyParam
from openhands_strategies.runtime.checks.building import generated_problems
from openhands_strategies.runtime.checks.values import default_values, examples
from support import write

PLUGINS = sorted((Path(__file__).parents[2] / "plugins").glob("*/strategy.py"))
CHECKS = ["files", "load", "identity", "build", "json", "capabilities", "same plan",
          "generated parameters", "scripted run"]  # fmt: skip


@pytest.mark.e2e
def test_nothing_is_wrong_with_a_good_directory(check: Any, reviewer: Path) -> None:
    code, document = check("./reviewer")
    assert (code, document["findings"]) == (0, [])
    assert [row["name"] for row in document["checks"]] == CHECKS
    assert {row["status"] for row in document["checks"]} == {"passed"}
    assert all(row["seconds"] >= 0 for row in document["checks"])


@pytest.mark.e2e
@pytest.mark.parametrize("mistake", LIVE)
def test_each_mistake_has_its_own_finding(check_here: Any, tmp_path: Path, mistake: str) -> None:
    changes, expected = LIVE[mistake]
    lay_out(tmp_path / "reviewer", changes)
    code, document = check_here("./reviewer")
    found = {one["code"]: one for one in document["findings"]}
    assert expected in found, document
    assert found[expected]["file"] == "strategy.py"
    assert found[expected]["line"] > 0
    assert found[expected]["hint"]
    assert code == any(one["severity"] == "error" for one in document["findings"])


@pytest.mark.e2e
def test_what_follows_from_a_finding_is_not_told(check_here: Any, tmp_path: Path) -> None:
    lay_out(tmp_path / "reviewer", LIVE["a tool's parameter that is no JSON"][0])
    _, document = check_here("./reviewer")
    assert [one["code"] for one in document["findings"]] == ["json_differs"]
    skipped = [row["name"] for row in document["checks"] if row["status"] == "skipped"]
    assert skipped == ["capabilities", "same plan", "scripted run"]
    lay_out(tmp_path / "reviewer", LIVE["a parameter that a tool does not take"][0])
    _, document = check_here("./reviewer")
    assert [one["code"] for one in document["findings"]] == ["tool_failed", "run_failed"]
    assert all("'nonsense'" in one["message"] for one in document["findings"])


def test_builds_that_there_is_no_time_for_are_told() -> None:
    found = list(examples([StrategyParam("fast", type="boolean")], {}))
    problems = list(generated_problems(print, found, "strategy.py", 3, seconds=-1))
    assert [(one.code, one.severity, one.line) for one in problems] == [
        ("params_untested", "note", 3)
    ]


@pytest.mark.e2e
@pytest.mark.parametrize("strategy", PLUGINS, ids=lambda path: path.parent.name)
def test_the_first_party_strategies_have_no_error(check_here: Any, strategy: Path) -> None:
    code, document = check_here(str(strategy.parent))
    assert code == 0, document["findings"]
    assert {row["status"] for row in document["checks"]} == {"passed"}


@pytest.mark.e2e
def test_every_sub_agent_is_asked_once(check: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    write(
        tmp_path / "phases.py",
        f"""
        from openhands.sdk import Agent
        from openhands.sdk.hooks import HookConfig
        from openhands_strategies import AgentSpec, Blueprint, Strategy, SubAgent

        class Phases(Strategy):
            name = "phases"
            description = "Two phases, the second with a helper"

            def build(self, context):
                def one(after=()):
                    return SubAgent(description="works", agent=AgentSpec(), after=after)
                inner = Blueprint(agent=Agent(llm=context.llm, tools=[]),
                                  subagents={{"helper": one()}})
                ends = HookConfig.model_validate({{"stop": [{{"hooks": [
                    {{"command": "pwd >> {log}"}}]}}]}})
                return Blueprint(
                    agent=Agent(llm=context.llm, tools=[]), hooks=ends,
                    subagents={{
                        "second": SubAgent(description="second", agent=inner, after=("first",)),
                        "first": one(),
                    }})
        """,
    )
    code, document = check("./phases.py")
    assert [one for one in document["findings"] if one["severity"] == "error"] == []
    assert code == 0
    # main, first, second and its helper, each once, in a workspace that is gone now.
    places = log.read_text().split()
    assert len(places) == 4
    assert not any(Path(place).exists() for place in places)


@pytest.mark.e2e
def test_an_overlay_is_laid_over_a_bare_agent(check_here: Any, tmp_path: Path) -> None:
    changes = dict.fromkeys(("strategy.py", "__init__.py", "pyproject.toml"))
    directory = lay_out(tmp_path / "reviewer", changes)
    code, document = check_here("./reviewer")
    assert (code, document["findings"]) == (0, [])
    (directory / "agents" / "helper.md").write_text("---\nname: helper\ntools: [hammer]\n---\nX\n")
    code, document = check_here("./reviewer")
    assert code == 1
    assert "tool_unknown" in {one["code"] for one in document["findings"]}


@pytest.mark.e2e
def test_a_composition_is_checked_with_its_parts(check_here: Any, tmp_path: Path) -> None:
    lay_out(tmp_path / "reviewer", {})
    text = """
        from openhands_strategies.compose import pipeline

        both = pipeline("./reviewer", "./reviewer{}", name="both", description="Twice")
        """
    write(tmp_path / "both.py", text.format(""))
    code, document = check_here("./both.py")
    assert (code, [o for o in document["findings"] if o["severity"] == "error"]) == (0, [])
    broken = STRATEGY.replace('rounds=context.params["rounds"]', "rounds=1 // 0")
    lay_out(tmp_path / "reviewer2", {"strategy.py": broken})
    write(tmp_path / "both.py", text.format("2"))
    code, document = check_here("./both.py")
    assert (code, [one["code"] for one in document["findings"]]) == (1, ["build_failed"])


@pytest.mark.e2e
def test_parameters_that_the_user_gives(check_here: Any, tmp_path: Path) -> None:
    text = STRATEGY.replace('default="calm"', "required=True")
    lay_out(tmp_path / "reviewer", {"strategy.py": text})
    code, document = check_here("./reviewer")
    assert (code, [one["code"] for one in document["findings"]]) == (0, ["params_required"])
    assert check_here("./reviewer", "--param", "style=bold")[1]["findings"] == []


@pytest.mark.e2e
@pytest.mark.slow_start
def test_a_parameter_that_does_not_fit_is_the_users_mistake(check: Any, reviewer: Path) -> None:
    code, document = check("./reviewer", "--param", "style=loud")
    assert (code, document["error"]["code"]) == (2, "param_choice")


def test_examples_stand_at_the_bounds() -> None:
    params = [
        StrategyParam("steps", type="integer", minimum=1, maximum=16, default=4),
        StrategyParam("share", type="number", minimum=0.5),
        StrategyParam("mode", choices=["a", "b"], default="a"),
        StrategyParam("fast", type="boolean", default=False),
        StrategyParam("words"),
        StrategyParam("key", secret=True),
    ]
    base, made_up = default_values(params, {})
    found = list(examples(params, base, drawn=5))
    given = {name: {one.values[name] for one in found if name in one.values} for name in
             ("steps", "share", "mode", "fast")}  # fmt: skip
    assert made_up == []
    assert {1, 16} <= given["steps"] <= set(range(1, 17))
    assert 0.5 in given["share"]
    assert (given["mode"], given["fast"]) == ({"a", "b"}, {True, False})
    texts = [one.values["words"] for one in found if "words" in one.values]
    assert texts[0] == ""
    assert max(map(len, texts)) > 1000
    assert any(not text.isascii() for text in texts)
    assert not any("key" in one.values for one in found)
    assert [one.values for one in examples(params, base, drawn=5)] == [o.values for o in found]


def test_texts_are_drawn_where_any_text_makes_sense() -> None:
    params = [
        StrategyParam("greeting", description="What is said first"),
        StrategyParam("scout_model", description="Who looks"),
        StrategyParam("where", description="Path of the notes"),
        StrategyParam("key", secret=True),
    ]
    found = list(examples(params, {}, drawn=9))
    drawn = {name: [one for one in found if name in one.values] for name in
             ("greeting", "scout_model", "where", "key")}  # fmt: skip
    # Three at the bounds, then a third of what is drawn.
    assert {name: len(ones) for name, ones in drawn.items()} == {
        "greeting": 6, "scout_model": 3, "where": 3, "key": 0
    }  # fmt: skip
    assert all(one.text for one in drawn["greeting"])
    assert [one.values for one in examples(params, {}, drawn=9)] == [one.values for one in found]


def test_bounds_alone_are_told(reviewer: Path) -> None:
    told = {}
    for detail in ("bounds", "bounds and hypothesis"):
        row = {"name": "generated parameters", "status": "passed", "seconds": 1, "detail": detail}
        strategy = {"name": "x", "root": str(reviewer)}
        document = {"strategy": strategy, "findings": [], "sdk": "1.58.0", "checks": [row]}
        told[detail] = "\n".join(lines(document))
    assert "'openhands-strategies[check]'" in told["bounds"]
    assert "hypothesis" not in told["bounds and hypothesis"]


def test_examples_without_hypothesis(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "hypothesis" else real(name),
    )
    found = list(examples([StrategyParam("fast", type="boolean")], {}))
    assert [one.values for one in found] == [{"fast": True}, {"fast": False}]


def test_required_parameters_get_plausible_values() -> None:
    params = [
        StrategyParam("steps", type="integer", minimum=3, required=True),
        StrategyParam("below", type="integer", maximum=-2, required=True),
        StrategyParam("mode", choices=["a"], required=True),
        StrategyParam("words", required=True),
    ]
    values, made_up = default_values(params, {"words": "mine"})
    assert values == {"steps": 3, "below": -2, "mode": "a", "words": "mine"}
    assert made_up == ["steps", "below", "mode"]


def test_json_is_one_document_whatever_the_code_prints(check: Any, tmp_path: Path) -> None:
    text = STRATEGY.replace(
        "    def build(", "    def setup(self):\n        print('x')\n\n    def build("
    )
    lay_out(tmp_path / "reviewer", {"strategy.py": text})
    code, document = check("./reviewer")
    assert (code, json.loads(json.dumps(document))["findings"]) == (0, [])
