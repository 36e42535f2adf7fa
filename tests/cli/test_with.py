"""`--with`: overlays on the command line, in runs and in runs that go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import Reply, ScriptedModel, Turn, call, finish, say
from support import PRICES, write

pytestmark = pytest.mark.e2e

Run = Callable[..., Any]

HEAD = """
from openhands.sdk import Agent, AgentContext
from openhands_strategies import Blueprint, Strategy, StrategyParam


def agent(context, suffix):
    return Agent(llm=context.llm, agent_context=AgentContext(system_message_suffix=suffix))

"""

WORKER = (
    HEAD
    + """
class Worker(Strategy):
    name = "{name}"
    description = "Works"

    def build(self, context):
        return Blueprint(agent=agent(context, "ROLE-{name}"))
"""
)

HOUSE = (
    HEAD
    + """
class House(Strategy):
    name = "house"
    description = "House style"
    overlay = True
    params = [StrategyParam(name="tone", default="dry")]

    def build(self, context):
        return Blueprint(agent=agent(context, f"HOUSE tone={context.params['tone']}."))
"""
)

FLOW = """
from openhands_strategies.compose import pipeline

flow = pipeline("./one.py", "./two.py", name="flow")
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write(tmp_path / "one.py", WORKER.format(name="one"))
    write(tmp_path / "two.py", WORKER.format(name="two"))
    write(tmp_path / "house.py", HOUSE)
    write(tmp_path / "flow.py", FLOW)
    (tmp_path / "ws").mkdir()
    return tmp_path


def script(turn: Turn) -> Reply:
    for name in ("one", "two"):
        if f"ROLE-{name}" in turn.system:
            return say(f"{name} is done")
    told = str([message for message in turn.messages if message["role"] == "tool"])
    for name in ("one", "two"):
        if f"{name} is done" not in told:
            return call("task", subagent_type=name, prompt="T")
    return finish("all done")


@pytest.fixture
def run(files: Path, ohs_here: Run) -> Run:
    def start(model: ScriptedModel, *arguments: str) -> Any:
        chosen = ("--model", "openai/main", "--base-url", model.base_url, "--price", "10,40")
        return ohs_here("run", *arguments, "--json", *chosen)

    return start


def test_overlays_of_a_run_and_of_its_resumption(files: Path, run: Run) -> None:
    with ScriptedModel(script, prices=PRICES) as model:
        started = ["./flow.py", "--task", "T", "--workspace", "ws", "--with", "./house.py"]
        first = run(model, *started, "--param", "tone=warm", "--max-budget", "0.0001")
        report = json.loads(first.out)
        assert report["status"] == "limit"
        assert [one["name"] for one in report["overlays"]] == ["house"]
        assert report["params"] == {"house.tone": "warm"}
        # Whatever becomes of the files: the run has the code it started with.
        for name in ("one.py", "two.py", "house.py", "flow.py"):
            (files / name).write_text("raise RuntimeError('not this one')\n")
        known = report["conversation_id"]
        other = run(model, "--resume", known, "--with", "./one.py", "--max-budget", "9")
        assert other.code == 2
        assert json.loads(other.out)["error"]["code"] == "resume_conflict"
        wrong = run(model, "--resume", known, "--param", "tone=cold", "--max-budget", "9")
        assert json.loads(wrong.out)["error"]["code"] == "resume_conflict"
        second = run(model, "--resume", known, "--max-budget", "9")
        report = json.loads(second.out)
        served = [str(one.messages[0]["content"]) for one in model.served]
    assert report["status"] == "finished", report
    assert report["answer"] == "all done"
    for name in ("one", "two"):
        [system] = {text for text in served if f"ROLE-{name}" in text}
        assert "HOUSE tone=warm." in system


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["./flow.py", "--with", "./nowhere.py"], "path_missing", 3),
        (["./flow.py", "--with", "no-such-overlay"], "strategy_unknown", 3),
        (["./house.py"], "overlay_alone", 2),
        (["./house.py", "--with", "./one.py"], "overlay_alone", 3),
        (["./flow.py", "--param", "tone=x"], "param_unknown", 2),
        (["./flow.py", "--with", "./house.py", "--param", "two.tone=x"], "param_unknown", 2),
        (["./cycle.py"], "composition_cycle", 3),
    ],
)
def test_what_is_refused(
    files: Path, run: Run, arguments: list[str], code: str, exit_code: int
) -> None:
    write(files / "cycle.py", FLOW.replace("./one.py", "./cycle.py"))
    with ScriptedModel(script, prices=PRICES) as model:
        done = run(model, *arguments, "--task", "T", "--workspace", "ws")
        assert not model.served
    assert json.loads(done.out)["error"]["code"] == code
    assert done.code == exit_code
