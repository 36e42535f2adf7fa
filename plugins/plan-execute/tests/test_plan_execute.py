"""No work without a plan, and none by the planner."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from openhands_strategies.testing import Price, by_model, call, finish, in_order

if TYPE_CHECKING:
    from openhands_strategies.pytest_plugin import MakeWorkspace, RunStrategy

PLAN_EXECUTE = Path(__file__).parents[1]
MODELS = {"planner_model": "openai/planner", "executor_model": "openai/executor"}
PRICES = {name: Price(1.0, 4.0) for name in ("main", "planner", "executor")}
PLAN = "PLAN: write one line to result.txt"


def test_the_executor_waits_for_the_plan_and_gets_it(
    strategy_run: RunStrategy, strategy_workspace: MakeWorkspace
) -> None:
    workspace = strategy_workspace({})
    script = by_model(
        {
            "main": in_order(
                [
                    call("task", subagent_type="executor", prompt="Just do it."),
                    call("task", subagent_type="planner", prompt="Plan it."),
                    call("task", subagent_type="executor", prompt="Carry it out."),
                    finish("It is done."),
                ]
            ),
            "planner": in_order([finish(PLAN)]),
            "executor": in_order(
                [call("terminal", command="echo line > result.txt"), finish("No deviation.")]
            ),
        }
    )
    run = strategy_run(PLAN_EXECUTE, script, params=MODELS, prices=PRICES, workspace=workspace)
    run.assert_finished()
    assert [(one.role, one.state) for one in run.delegations] == [
        ("executor", "failed"),
        ("planner", "completed"),
        ("executor", "completed"),
    ]
    refused = run.delegations[0]
    assert refused.started is None
    assert "planner" in refused.result
    run.assert_prompt("executor", PLAN)
    run.assert_costs()
    assert (workspace / "result.txt").read_text() == "line\n"


def test_the_planner_changes_nothing(
    strategy_run: RunStrategy, strategy_workspace: MakeWorkspace
) -> None:
    workspace = strategy_workspace({"notes.txt": "remember the milk\n"})
    path = str(workspace / "new.txt")
    script = by_model(
        {
            "main": in_order(
                [call("task", subagent_type="planner", prompt="Plan it."), finish("Planned.")]
            ),
            "planner": in_order(
                [
                    call("file_editor", command="view", path=str(workspace / "notes.txt")),
                    call("file_editor", command="create", path=path, file_text="mine"),
                    finish(PLAN),
                ]
            ),
        }
    )
    run = strategy_run(PLAN_EXECUTE, script, params=MODELS, prices=PRICES, workspace=workspace)
    run.assert_finished()
    read = run.assert_tool_call("planner", "file_editor", command="view")
    assert "milk" in read.result
    run.assert_hook("PreToolUse", role="planner", tool="file_editor", blocked=True)
    assert not Path(path).exists()
    assert "terminal" not in run.role("planner").tools
    assert {"terminal", "file_editor"}.isdisjoint(run.main.tools)
