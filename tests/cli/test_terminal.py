"""On a real terminal: the live view, and questions about actions."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from openhands_strategies.testing import Call, Reply, ScriptedModel, call, finish
from openhands_strategies.testing.turns import Turn
from support import DELEGATING, PRICES, write
from terminal import terminal

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]


def asks(turn: Turn) -> Reply:
    """Two commands of the main agent, then one of a helper."""
    results = turn.results_of("terminal")
    if turn.model == "cheap":
        return finish("done") if results else call("terminal", command="touch by-helper")
    if not results:
        return call("terminal", command="touch file-0\necho \x1b[8mhidden")
    if len(results) == 1:
        return call("terminal", command="touch file-1")
    if not turn.results_of("task"):
        arguments = {"subagent_type": "helper", "description": "look", "prompt": "look"}
        return Reply(calls=(Call("task", arguments),))
    return finish(results[0].text)


def options(model: ScriptedModel, tmp_path: Path, *more: str) -> list[str]:
    write(tmp_path / "delegating.py", DELEGATING)
    return [
        "run", "./delegating.py", "--task", "x", "--model", "openai/main",
        "--base-url", model.base_url, *more,
    ]  # fmt: skip


def test_each_action_is_asked_about_and_no_means_no(tmp_path: Path) -> None:
    with (
        ScriptedModel(asks, prices=PRICES) as model,
        terminal(tmp_path, *options(model, tmp_path, "--confirm", "always")) as screen,
    ):
        shown = screen.wait_for("Run this action? [y/N] ")
        assert "every action of every agent" in shown
        assert "main wants to use terminal" in shown
        # All lines of the command, and nothing of it hidden by the terminal.
        assert "touch file-0" in shown
        assert "echo \\x1b[8mhidden" in shown
        screen.type("\n")
        screen.wait_for("Run this action? [y/N] ")
        screen.type("y\n")
        assert "main wants to use task" in screen.wait_for("Run this action? [y/N] ")
        screen.type("y\n")
        shown = screen.wait_for("Run this action? [y/N] ")
        assert re.search(r"helper task_00000001 wants to use terminal", shown)
        screen.type("y\n")
        code, out = screen.end()
    assert code == 0, screen.seen
    assert "the user said no" in out
    assert not (tmp_path / "file-0").exists()
    assert (tmp_path / "file-1").exists()
    assert (tmp_path / "by-helper").exists()


def test_ctrl_c_at_a_question_allows_nothing_now_or_later(
    tmp_path: Path, ohs_here, watched
) -> None:
    with ScriptedModel(asks, prices=PRICES) as model:
        with terminal(tmp_path, *options(model, tmp_path, "--confirm", "always")) as screen:
            screen.wait_for("Run this action? [y/N] ")
            screen.process.send_signal(signal.SIGINT)
            screen.wait_for("resume with: ohs run --resume ")
            code, _ = screen.end(seconds=10)
        assert code == 130
        watched.wait_for_none()
        run = re.findall(r"--resume (\w+)", screen.seen)[-1]
        # Nobody can answer here: what was pending is rejected, not taken for allowed.
        done = ohs_here("run", "--resume", run, "--base-url", model.base_url, "--json")
    assert done.code == 0, done.err
    assert "nobody can confirm" in json.loads(done.out)["answer"]
    assert not (tmp_path / "file-0").exists()


def test_the_demo_draws_a_live_table_and_mends_the_sample(tmp_path: Path, watched) -> None:
    with terminal(tmp_path, "demo", "--keep", str(tmp_path / "shop")) as screen:
        first = screen.wait_for("\n")
        code, out = screen.end()
    assert code == 0, screen.seen
    assert "scripted" in first
    assert "All 22 tests pass" in out
    # Drawn over itself again and again, with all three sidekicks at the same time.
    assert screen.seen.count("total") > 10
    frames = re.split(r"role +task +state", re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen.seen))
    assert any(frame.count("sidekick") == 3 and frame.count("working") == 4 for frame in frames)
    assert any("escalated" in frame for frame in frames)
    for said in ("Look into pricing", "saved.", "OK", "ohs run fusion"):
        assert said in screen.seen
    assert "+    return day.weekday() < _SATURDAY" in screen.seen
    assert (tmp_path / "shop" / "README.md").is_file()
    watched.wait_for_none()
