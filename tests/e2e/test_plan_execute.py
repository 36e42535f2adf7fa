"""Plan-execute: a plan first, by an agent that cannot edit, and word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, Turn, call, finish, in_order, say
from support import Roles, bench, task, tool_texts

pytestmark = pytest.mark.e2e

ROLES = Roles(
    {
        "planner": "You are the planner",
        "executor": "You are the executor",
        "main": "Leading a planner",
    }
)


def test_the_executor_gets_the_plan_and_reports_deviations(tmp_path: Path) -> None:
    settings = tmp_path / "ws" / "settings.toml"
    done = "DONE:\n- step 1: written\nDEVIATIONS:\n- step 1: other name\nOPEN:\n- nothing"
    script = ROLES.script(
        {
            "main": [
                task("executor", "start"),
                task("planner", "move the settings"),
                task("executor", "move the settings"),
                finish("done, with one deviation"),
            ],
            "planner": [
                call("file_editor", command="create", path=str(settings), file_text="x = 1\n"),
                say("PLAN: 1. write settings.toml"),
            ],
            "executor": [
                call("file_editor", command="create", path=str(settings), file_text="a = 1\n"),
                say(done),
            ],
        }
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run("plan-execute", "move the settings", {"executor_model": "openai/cheap"})
        main, planner, executor = (ROLES.served(b, r) for r in ("main", "planner", "executor"))
    assert report.status == "finished"
    assert settings.read_text() == "a = 1\n"
    told = tool_texts(main[-1])
    assert "only after 'planner' has completed" in told[0]
    assert "DEVIATIONS:\n- step 1: other name" in told[2]
    assert "The planner may not edit" in tool_texts(planner[-1])[0]
    assert not {"terminal", "task"} & set(planner[0].tools)
    assert not {"terminal", "file_editor"} & set(main[0].tools)
    assert {"terminal", "file_editor"} <= set(executor[0].tools)
    assert {one.model for one in executor} == {"cheap"}
    prompt = str(executor[0].messages[1]["content"])
    assert prompt.index("PLAN: 1. write settings.toml") < prompt.index("move the settings")
    assert report.cost_usd == pytest.approx(b.model.total_cost())


def test_a_plan_that_does_not_hold_is_made_anew_within_bounds(tmp_path: Path) -> None:
    def executor(turn: Turn) -> Reply:
        if "SECOND PLAN" in turn.user[0]:
            return say("DONE:\n- step 1: done\nDEVIATIONS:\n- none\nOPEN:\n- nothing")
        return say("ESCALATE_TO_MAIN: step 1 names a file that does not exist")

    def script(turn: Turn) -> Reply:
        role = ROLES.of(turn.system)
        if role == "executor":
            return executor(turn)
        if role == "planner":
            return in_order([say("FIRST PLAN"), say("SECOND PLAN")])(turn)
        return in_order(
            [
                task("planner"),
                task("executor"),
                task("planner", "the file does not exist", resume="task_00000001"),
                task("executor"),
                task("planner", "once more", resume="task_00000001"),
                finish("done"),
            ]
        )(turn)

    with bench(tmp_path / "ws", script) as b:
        report = b.run("plan-execute")
        told = tool_texts(ROLES.served(b, "main")[-1])
        first, second = (str(one.messages[1]["content"]) for one in ROLES.served(b, "executor"))
    assert report.status == "finished"
    assert "Status: escalated" in told[1]
    assert "FIRST PLAN" in first
    assert "SECOND PLAN" in second
    assert "FIRST PLAN" not in second
    assert "DEVIATIONS:\n- none" in told[3]
    assert "'planner' was asked 2 times" in told[4]


def test_a_planner_that_runs_out_of_steps_ends_the_work(tmp_path: Path) -> None:
    def script(turn: Turn) -> Reply:
        if ROLES.of(turn.system) == "planner":
            return call("think", thought=f"hm {turn.replies}")
        return in_order([task("planner"), task("executor"), finish("no plan")])(turn)

    with bench(tmp_path / "ws", script) as b:
        report = b.run("plan-execute", params={"planner_iterations": 2})
        told = tool_texts(ROLES.served(b, "main")[-1])
        assert len(ROLES.served(b, "planner")) == 2
        assert ROLES.served(b, "executor") == []
    assert report.status == "failed"
    assert "no further task is accepted" in told[1]
