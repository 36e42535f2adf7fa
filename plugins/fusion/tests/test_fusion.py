"""Sidekicks work at the same time, on their own model, and only read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from openhands_strategies.testing import Call, Reply, by_model, call, finish, in_order

if TYPE_CHECKING:
    from openhands_strategies.pytest_plugin import MakeWorkspace, RunStrategy, StartModel

FUSION = Path(__file__).parents[1]
CHEAP = {"sidekick_model": "openai/cheap"}


def test_sidekicks_work_at_the_same_time(
    strategy_run: RunStrategy, scripted_model: StartModel
) -> None:
    two = [Call("task", {"subagent_type": "sidekick", "prompt": f"Look at {one}"}) for one in "ab"]
    script = by_model(
        {
            "main": in_order([Reply(calls=tuple(two)), finish("both looked")]),
            "cheap": in_order([call("terminal", command="sleep 1; echo seen"), finish("seen")]),
        }
    )
    run = strategy_run(FUSION, scripted_model(script), params=CHEAP)
    run.assert_finished()
    run.assert_roles({"main": "main", "sidekick": "cheap"})
    run.assert_delegations(("main", "sidekick"), ("main", "sidekick"))
    run.assert_overlapping("sidekick")
    run.assert_costs()


def test_a_sidekick_only_reads_unless_it_may_edit(
    strategy_run: RunStrategy, strategy_workspace: MakeWorkspace
) -> None:
    script = by_model(
        {
            "main": in_order(
                [call("task", subagent_type="sidekick", prompt="Look"), finish("looked")]
            ),
            "cheap": in_order([call("terminal", command="rm notes.txt"), finish("gone")]),
        }
    )
    for may, blocked in ((False, True), (True, False)):
        workspace = strategy_workspace({"notes.txt": "remember the milk\n"})
        run = strategy_run(
            FUSION, script, params={**CHEAP, "allow_edits": may}, workspace=workspace
        )
        run.assert_finished()
        assert (workspace / "notes.txt").exists() is blocked
        assert any(one.blocked for one in run.hooks) is blocked
