"""A run that is killed goes on in a new process, with the code it started with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import (
    Reply,
    ScriptedModel,
    Turn,
    by_model,
    call,
    finish,
    in_order,
    say,
)
from support import DELEGATING, PRICES, write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

OPTIONS = ["--json", "--price", "10,40", "--price", "openai/cheap=1,4"]


def ohs(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "openhands_strategies", *arguments]
    return subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, "TMUX_TMPDIR": os.environ["OHS_TEST_TMUX"]},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.fixture(autouse=True)
def _own_tmux(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A killed process cannot end its terminals; they are ended here."""
    with tempfile.TemporaryDirectory(prefix="ohs") as folder:
        monkeypatch.setenv("OHS_TEST_TMUX", folder)
        yield
        for socket in Path(folder).glob("tmux-*/*"):
            subprocess.run(["tmux", "-S", str(socket), "kill-server"], check=False)


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    document: dict[str, Any] = json.loads(out)
    return {**document, "exit": process.returncode}


def test_kill_9_while_a_sub_agent_works(tmp_path: Path) -> None:
    strategy = write(tmp_path / "strategy" / "strategy.py", DELEGATING)
    workspace = tmp_path / "ws"
    workspace.mkdir()

    def helper(turn: Turn) -> Reply:
        if turn.replies == 0:
            return call("terminal", command="echo found it > note; cat note")
        if turn.attempt == 0:
            return Reply(text="too late", delay=15)
        return say("the note says: found it")

    script = by_model(
        {
            "main": in_order(
                [
                    call("task", subagent_type="helper", prompt="look"),
                    call("task", subagent_type="helper", prompt="more", resume="task_00000001"),
                    finish("all done"),
                ]
            ),
            "cheap": helper,
        }
    )
    with ScriptedModel(script, prices=PRICES) as model:
        first = ohs(
            "run",
            str(strategy.parent),
            "--task",
            "find it",
            "--workspace",
            str(workspace),
            "--model",
            "openai/main",
            "--base-url",
            model.base_url,
            *OPTIONS,
            cwd=tmp_path,
        )
        deadline = time.monotonic() + 90
        while not (workspace / "note").exists() or len(model.served) < 2:
            assert first.poll() is None, first.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        # The helper's second call is under way, or about to be.
        time.sleep(1)
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
        (run,) = (Path(os.environ["OHS_HOME"]) / "runs").iterdir()
        # What changes on disk now is not what this run started with.
        strategy.write_text(DELEGATING.replace("You are the helper.", "You are somebody else."))

        second = ohs(
            "run", "--resume", run.name, "--base-url", model.base_url, "--json", cwd=tmp_path
        )
        report = finished(second)
        assert (report["exit"], report["status"], report["answer"]) == (0, "finished", "all done")
        helpers = [one for one in model.served if one.model == "cheap"]
        prompts = [m["content"] for m in helpers[-1].messages if m["role"] == "user"]
        # One conversation: the prompt was not given again, and the new one came to the same.
        assert ["look" in str(prompt) for prompt in prompts].count(True) == 1
        assert len(prompts) == 2
        assert all("You are the helper." in str(one.messages[0]["content"]) for one in helpers)
        assert {row["role"]: row["tasks"] for row in report["roles"]} == {"main": 1, "helper": 1}
        assert report["cost_usd"] == pytest.approx(model.total_cost())


def test_resume_of_what_has_finished_needs_a_task(tmp_path: Path) -> None:
    strategy = write(tmp_path / "strategy.py", DELEGATING)
    script = by_model({"main": lambda turn: finish(f"heard {len(turn.user)}")})
    with ScriptedModel(script, prices=PRICES) as model:
        options = ["--model", "openai/main", "--base-url", model.base_url]
        run = finished(ohs("run", str(strategy), "--task", "one", *options, *OPTIONS, cwd=tmp_path))
        again = ["run", "--resume", run["conversation_id"], "--base-url", model.base_url, "--json"]
        refused = finished(ohs(*again, cwd=tmp_path))
        assert (refused["exit"], refused["error"]["code"]) == (2, "nothing_to_resume")
        more = finished(ohs(*again, "--task", "two", cwd=tmp_path))
    assert (more["status"], more["answer"]) == ("finished", "heard 2")
