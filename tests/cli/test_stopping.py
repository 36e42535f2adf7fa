"""Ctrl-C on a real process: agents stop, no process is left, the run can be resumed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openhands_strategies.testing import Call, Reply, ScriptedModel, Stall, call, finish
from openhands_strategies.testing.turns import Turn
from support import DELEGATING, PRICES, write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]


def after_warming_up(turn: Turn, command: str) -> Reply:
    """Run a command once, in a shell that has shown that it listens.

    A terminal of the SDK may take the first prompt of a slow shell for the end of its
    first command.
    """
    results = turn.results_of("terminal")
    if not any("ready" in result.text for result in results):
        return call("terminal", command="echo ready")
    if not any(result.arguments["command"] == command for result in results):
        return call("terminal", command=command)
    return finish("done")


def main_sleeps(turn: Turn) -> Reply:
    return after_warming_up(turn, "sleep 60")


def helpers_sleep(turn: Turn) -> Reply:
    if turn.model == "cheap":
        return main_sleeps(turn)
    if len(turn.user) > 1 or turn.results_of("task"):
        return finish("done")
    names = ("one", "two", "three")
    return Reply(
        calls=tuple(
            Call("task", {"subagent_type": "helper", "description": name, "prompt": name})
            for name in names
        )
    )


def command_is_stubborn(turn: Turn) -> Reply:
    left = "(setsid sleep 60 > /dev/null 2>&1 &); trap '' TERM INT HUP"
    return after_warming_up(turn, f"{left}; nohup sleep 60 & sleep 60")


@contextmanager
def running(tmp_path: Path, script, *options: str) -> Iterator[subprocess.Popen[str]]:
    write(tmp_path / "delegating.py", DELEGATING)
    with ScriptedModel(script, prices=PRICES) as model:
        arguments = [
            "run", "./delegating.py", "--task", "mend it", "--model", "openai/main",
            "--base-url", model.base_url, "--price", "10,40", "--price", "openai/cheap=1,4",
        ]  # fmt: skip
        with subprocess.Popen(
            [sys.executable, "-m", "openhands_strategies", *arguments, *options],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()


def interrupted(process: subprocess.Popen[str], seconds: float) -> tuple[str, str]:
    """Send the signal of Ctrl-C and wait for the end."""
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - begun < seconds
    assert process.returncode == 130, err
    assert "Traceback" not in err
    return out, err


def state_of_run(home: Path) -> str:
    (path,) = home.glob("runs/*/run.json")
    return str(json.loads(path.read_text())["status"])


def test_the_main_agents_command_ends(tmp_path: Path, watched, ohs_home: Path) -> None:
    with running(tmp_path, main_sleeps) as process:
        watched.wait_for("sleep 60")
        out, err = interrupted(process, 5)
    watched.wait_for_none()
    assert out == ""
    assert "stopped; resume with: ohs run --resume " in err.splitlines()[-1]
    assert state_of_run(ohs_home) == "interrupted"


def test_all_sub_agents_end_and_the_run_goes_on_later(
    tmp_path: Path, watched, without_tmux: None, ohs_home: Path, ohs_here
) -> None:
    with running(tmp_path, helpers_sleep, "--json") as process:
        watched.wait_for("sleep 60", count=3)
        out, _ = interrupted(process, 5)
    watched.wait_for_none()
    document = json.loads(out)
    assert document["status"] == "interrupted"
    assert document["error"]["code"] == "interrupted"
    helper = next(row for row in document["roles"] if row["role"] == "helper")
    assert helper["tasks"] == 3
    assert state_of_run(ohs_home) == "interrupted"

    with ScriptedModel(helpers_sleep, prices=PRICES) as model:
        done = ohs_here(
            "run", "--resume", document["conversation_id"], "--task", "go on",
            "--base-url", model.base_url, "--json",
        )  # fmt: skip
    assert done.code == 0, done.err
    assert json.loads(done.out)["answer"] == "done"
    assert state_of_run(ohs_home) == "finished"


def test_a_stalled_model_is_left_after_five_seconds(
    tmp_path: Path, watched, ohs_home: Path
) -> None:
    def stalls(turn: Turn) -> Reply:
        if turn.model == "cheap":
            return Reply(fault=Stall(90)) if "one" in turn.user else main_sleeps(turn)
        return helpers_sleep(turn)

    with running(tmp_path, stalls) as process:
        watched.wait_for("sleep 60", count=2)
        _, err = interrupted(process, 8)
    watched.wait_for_none()
    assert "stopped; resume with: ohs run --resume " in err
    assert state_of_run(ohs_home) == "interrupted"


@pytest.mark.parametrize("tmux", [True, False], ids=["tmux", "no-tmux"])
def test_what_a_command_left_behind_is_ended_too(
    tmp_path: Path, watched, tmux: bool, request: pytest.FixtureRequest
) -> None:
    if not tmux:
        request.getfixturevalue("without_tmux")
    with running(tmp_path, command_is_stubborn) as process:
        watched.wait_for("sleep 60", count=3)
        interrupted(process, 8)
    watched.wait_for_none()


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path, watched) -> None:
    with running(tmp_path, command_is_stubborn) as process:
        watched.wait_for("sleep 60", count=3)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        _, err = interrupted(process, 1.5)
    watched.wait_for_none()
    assert "stopping all agents" in err


def test_ctrl_c_before_the_start(tmp_path: Path, watched, ohs_home: Path) -> None:
    with running(tmp_path, main_sleeps) as process:
        assert process.stderr is not None
        assert "loading the SDK" in process.stderr.readline()
        _, err = interrupted(process, 5)
    assert "[interrupted]" in err
    watched.wait_for_none()
    assert not list(ohs_home.glob("runs/*"))
