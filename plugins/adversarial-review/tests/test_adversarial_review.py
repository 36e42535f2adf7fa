"""The reviewer has a model and a mind of its own, reads only, and is asked so often."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from openhands_strategies.testing import by_model, call, finish, in_order

if TYPE_CHECKING:
    from openhands_strategies.pytest_plugin import MakeWorkspace, RunStrategy

REVIEW = Path(__file__).parents[1]
ASKED = call("task", subagent_type="reviewer", prompt="Review the working tree.")


def test_a_reviewer_on_another_model_only_reads(
    strategy_run: RunStrategy, strategy_workspace: MakeWorkspace
) -> None:
    workspace = strategy_workspace({"code.txt": "one\n"})
    script = by_model(
        {
            "main": in_order(
                [call("terminal", command="echo two >> code.txt"), ASKED, finish("reviewed")]
            ),
            "cheap": in_order(
                [
                    call("terminal", command="cat code.txt"),
                    call("terminal", command="rm code.txt"),
                    finish("NO_FAULTS"),
                ]
            ),
        }
    )
    run = strategy_run(
        REVIEW, script, params={"reviewer_model": "openai/cheap"}, workspace=workspace
    )
    run.assert_finished()
    run.assert_roles({"main": "main", "reviewer": "cheap"})
    assert "two" in run.assert_tool_call("reviewer", "terminal", command="cat code.txt").result
    run.assert_hook("PreToolUse", role="reviewer", tool="terminal", blocked=True)
    assert (workspace / "code.txt").read_text() == "one\ntwo\n"
    assert "NO_FAULTS" in run.main.called("task")[0].result
    run.assert_costs()


def test_no_more_rounds_than_allowed(strategy_run: RunStrategy) -> None:
    script = by_model(
        {
            "main": in_order([ASKED, ASKED, ASKED, finish("enough")]),
            "cheap": in_order([finish("FAULTS: the name is bad")]),
        }
    )
    run = strategy_run(REVIEW, script, params={"rounds": 2, "reviewer_model": "openai/cheap"})
    run.assert_finished()
    assert [one.state for one in run.delegations] == ["completed", "completed", "failed"]
    assert run.role("reviewer").calls == 2
