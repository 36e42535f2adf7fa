"""One agent that works by itself, within its steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from openhands_strategies.testing import call, finish

if TYPE_CHECKING:
    from openhands_strategies.pytest_plugin import MakeWorkspace, RunStrategy

SINGLE = Path(__file__).parents[1]


def test_one_agent_does_the_work(
    strategy_run: RunStrategy, strategy_workspace: MakeWorkspace
) -> None:
    workspace = strategy_workspace({"notes.txt": "remember the milk\n"})
    steps = [
        call("terminal", command="wc -w < notes.txt > words.txt"),
        call("file_editor", command="create", path=f"{workspace}/done.txt", file_text="yes"),
        finish("three words"),
    ]
    run = strategy_run(SINGLE, steps, workspace=workspace)
    run.assert_finished()
    run.assert_roles({"main": "main"})
    run.assert_delegations()
    run.assert_costs()
    assert "task" not in run.main.tools
    assert not run.hooks
    assert (workspace / "words.txt").read_text().strip() == "3"
    assert (workspace / "done.txt").read_text() == "yes"


def test_the_step_limit_holds(strategy_run: RunStrategy) -> None:
    steps = [call("terminal", command=f"echo {number}") for number in range(9)]
    run = strategy_run(SINGLE, steps, params={"max_iterations": 2})
    assert run.status == "limit"
    assert run.main.calls == 2
