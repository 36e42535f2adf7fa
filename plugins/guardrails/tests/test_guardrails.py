"""Destructive commands are refused wherever they come from, and secrets are reported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openhands_strategies.errors import ParameterError
from openhands_strategies.testing import by_model, call, finish, in_order

if TYPE_CHECKING:
    from openhands_strategies.pytest_plugin import MakeWorkspace, PlanStrategy, RunStrategy

GUARDRAILS = Path(__file__).parents[1]
FUSION = GUARDRAILS.parent / "fusion"
SINGLE = GUARDRAILS.parent / "single"


def test_main_agent_and_sub_agent_are_guarded(
    strategy_run: RunStrategy, strategy_workspace: MakeWorkspace
) -> None:
    workspace = strategy_workspace({"notes.txt": "remember the milk\n"}, git=True)
    discard = call("terminal", command="git reset --hard")
    script = by_model(
        {
            "main": in_order(
                [
                    call("terminal", command="echo more >> notes.txt"),
                    discard,
                    call("task", subagent_type="sidekick", prompt="Tidy up."),
                    finish("tidy"),
                ]
            ),
            "cheap": in_order([discard, finish("not allowed")]),
        }
    )
    run = strategy_run(
        FUSION,
        script,
        overlays=[GUARDRAILS],
        params={"sidekick_model": "openai/cheap", "allow_edits": True},
        workspace=workspace,
    )
    run.assert_finished()
    for role in ("main", "sidekick"):
        hook = run.assert_hook(
            "PreToolUse", role=role, tool="terminal", command="guard.py", blocked=True
        )
        assert "[git-discard]" in hook.stderr
    assert (workspace / "notes.txt").read_text() == "remember the milk\nmore\n"


def test_a_printed_secret_is_reported(strategy_run: RunStrategy) -> None:
    key = "AKIA" + "Q7RSTUVWXYZ23456"
    steps = [
        call("terminal", command=f"echo {key}"),
        finish("done"),
        finish("a key was printed"),
    ]
    run = strategy_run(SINGLE, steps, overlays=[GUARDRAILS])
    run.assert_finished()
    hook = run.assert_hook("Stop", command="report_secrets.py", blocked=True)
    assert "AKIA" in hook.reason
    assert key not in hook.reason


def test_only_rules_that_exist_can_be_off(strategy_plan: PlanStrategy) -> None:
    with pytest.raises(ParameterError) as caught:
        strategy_plan(SINGLE, overlays=[GUARDRAILS], params={"guardrails.allow": "sudo,nothing"})
    assert caught.value.code == "param_choice"
