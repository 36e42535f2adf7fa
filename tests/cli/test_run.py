"""Whole runs through the command, in this process: output, report, resume."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openhands_strategies.testing import Call, Reply, ScriptedModel, call, finish
from openhands_strategies.testing.turns import Turn
from support import DELEGATING, PRICES, write

pytestmark = pytest.mark.e2e


def script(turn: Turn) -> Reply:
    """Main delegates once, then finishes; a second request is answered at once."""
    if turn.model == "cheap":
        return finish("FOUND \x1b[31mit")
    if not turn.results_of("task"):
        arguments = {"subagent_type": "helper", "description": "look", "prompt": "look"}
        return Reply(calls=(Call("task", arguments),))
    return finish(f"answer {len(turn.user)}\x07")


@pytest.fixture
def typed(tmp_path: Path):
    """A strategy, a running model, and the options that name both."""
    write(tmp_path / "delegating.py", DELEGATING)
    with ScriptedModel(script, prices=PRICES) as model:
        yield [
            "run", "./delegating.py", "--task", "mend it", "--model", "openai/main",
            "--base-url", model.base_url, "--price", "10,40", "--price", "openai/cheap=1,4",
        ]  # fmt: skip


def test_the_answer_goes_to_stdout_and_the_rest_to_stderr(ohs_here, typed: list[str]) -> None:
    done = ohs_here(*typed)
    assert done.code == 0
    assert done.out == "answer 1\\x07\n"
    said = done.err
    assert "delegating from" in said
    assert "delegating.py, tree " in said
    assert "main: openai/main, $10 in, $40 out for a million tokens" in said
    assert "helper: openai/cheap, $1 in, $4 out" in said
    assert "nothing: agents run commands in" in said
    assert "--confirm risky asks" in said
    # A task that starts and ends between two looks has one line.
    for line in ("main started", "helper task_00000001 (look) ", "main done", "saved."):
        assert line in said
    assert "\x1b" not in said


def test_json_is_the_report_and_nothing_else(
    ohs_here, typed: list[str], tmp_path: Path, ohs_home: Path
) -> None:
    path = tmp_path / "report.json"
    done = ohs_here(*typed, "--param", "steps=7", "--json", "--report", str(path))
    assert done.code == 0
    document = json.loads(done.out)
    assert set(document) >= {
        "status", "conversation_id", "strategy", "params", "answer", "roles", "cost_usd",
        "seconds", "error",
    }  # fmt: skip
    assert document["status"] == "finished"
    assert document["params"]["steps"] == 7
    assert [row["role"] for row in document["roles"]] == ["main", "helper"]
    assert document["cost_usd"] == pytest.approx(sum(row["cost_usd"] for row in document["roles"]))
    assert document["error"] is None
    assert json.loads(path.read_text()) == document
    assert "started" not in done.err
    run = json.loads((ohs_home / "runs" / document["conversation_id"] / "run.json").read_text())
    assert run["status"] == "finished"
    assert run["workspace"] == str(tmp_path)


def test_an_unknown_price_is_null_and_said(ohs_here, typed: list[str]) -> None:
    options = typed[: typed.index("--price")]
    done = ohs_here(*options, "--param", "dollars=0.5", "--json")
    document = json.loads(done.out)
    assert document["cost_usd"] is None
    assert {row["cost_usd"] for row in document["roles"]} == {None}
    assert "price unknown (--price openai/main=IN,OUT sets it)" in done.err
    assert "$0.5 for helper cannot be enforced" in done.err


def test_a_run_is_resumed_with_what_it_was_started_with(ohs_here, typed: list[str]) -> None:
    first = json.loads(ohs_here(*typed, "--param", "steps=7", "--json").out)
    resume = ["run", "--resume", first["conversation_id"]]
    again = ohs_here(*resume, "--task", "and then?", "--param", "steps=7", "--json")
    assert again.code == 0, again.err
    document = json.loads(again.out)
    assert document["answer"] == "answer 2\x07"
    assert document["params"] == first["params"]
    # The first run's calls are counted once, and its prices still hold.
    assert [row["calls"] for row in document["roles"]] == [3, 1]
    assert document["cost_usd"] > first["cost_usd"]

    idle = ohs_here(*resume)
    assert idle.code == 2
    assert "[nothing_to_resume]" in idle.err
    for option, reason in (
        (["--param", "steps=8"], "it was started with steps=7"),
        (["--workspace", "/"], "it works in"),
        (["--confirm", "always"], "it was started with never"),
    ):
        refused = ohs_here(*resume, "--task", "more", *option)
        assert refused.code == 2
        assert "[resume_conflict]" in refused.err
        assert reason in refused.err


def test_a_limit_is_exit_code_1_with_a_report(ohs_here, typed: list[str]) -> None:
    done = ohs_here(*typed, "--max-budget", "0.00001", "--json")
    assert done.code == 1
    document = json.loads(done.out)
    assert document["status"] == "limit"
    assert document["error"]["code"] == "budget_spent"
    assert document["conversation_id"] in document["error"]["hint"]


def test_a_failing_model_is_exit_code_1_with_one_error(ohs_here, tmp_path: Path) -> None:
    write(tmp_path / "delegating.py", DELEGATING)
    with ScriptedModel(lambda _: finish("x"), api_key="right-key-of-the-server") as model:
        done = ohs_here(
            "run", "./delegating.py", "--task", "x", "--model", "openai/main", "--base-url",
            model.base_url,
        )  # fmt: skip
    assert done.code == 1
    assert done.out == ""
    assert "[model_refused_key]" in done.err
    assert "Traceback" not in done.err


def test_without_a_terminal_what_is_asked_about_is_rejected(ohs_here, tmp_path: Path) -> None:
    write(tmp_path / "delegating.py", DELEGATING)

    def tries(turn: Turn) -> Reply:
        if turn.results_of("terminal"):
            return finish(turn.results_of("terminal")[0].text)
        return call("terminal", command="touch made", security_risk="HIGH")

    with ScriptedModel(tries, prices=PRICES) as model:
        done = ohs_here(
            "run", "./delegating.py", "--task", "x", "--model", "openai/main", "--base-url",
            model.base_url, "--confirm", "always",
        )  # fmt: skip
    assert done.code == 0, done.err
    assert "nobody can answer here, so these are rejected" in done.err
    assert "nobody can confirm actions in this run" in done.out
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(("share", "warned"), [("0.05", 1), ("0.9", 0)])
def test_a_budgets_warning_is_told_once(
    ohs_here, typed: list[str], share: str, warned: int
) -> None:
    budget = ("--with", "budget", "--param", "budget.limit=1")
    done = ohs_here(*typed, *budget, "--param", f"budget.warn_at={share}")
    assert done.code == 0, done.err
    assert done.out == "answer 1\\x07\n"
    lines = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert len(lines) == warned, done.err
    assert all("of the budget of $1 are spent" in line for line in lines)
