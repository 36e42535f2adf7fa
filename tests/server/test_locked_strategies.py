"""A plain agent-server, whose strategies are those of the project's lock file."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, ScriptedModel, Turn, by_model, finish, say
from server_process import MODEL_KEY, PLAIN, PRICES, Server, running_server, server_environment
from support import DELEGATING, task, write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]
pytest.importorskip("openhands.agent_server")


def test_a_locked_commit_survives_a_crash_and_an_update(tmp_path: Path) -> None:
    home, repository = tmp_path / "project", tmp_path / "repository"
    home.mkdir()
    _run(home, "git", "init", "-q")
    _run(tmp_path, "git", "init", "-q", str(repository))
    old = _commit(repository, "first")
    _ohs(home, "add", f"git+file://{repository}", "--as", "delegating")
    _ohs(home, "trust", "delegating", "--yes")
    killed = threading.Event()

    def main(turn: Turn) -> Reply:
        return task("helper", "look") if turn.replies < 2 else finish("all done")

    def cheap(turn: Turn) -> Reply:
        return say("I looked") if killed.is_set() else Reply(text="too late", delay=60)

    script = by_model({"main": main, "cheap": cheap})
    with ScriptedModel(script, prices=PRICES, api_key=MODEL_KEY) as model:
        with running_server(home, [], command=PLAIN) as first:
            assert _commit_of(first) == old
            _save_settings(first, model)
            run = first.start(
                "delegating",
                task="look",
                workspace=str(first.workspace("locked")),
                prices={"openai/cheap": [1.0, 4.0]},
            )
            while not (working := first.report(run)["subagents"]):
                time.sleep(0.1)
            assert working[0]["state"] == "working"
            first.kill()
        killed.set()
        new = _commit(repository, "second")
        _ohs(home, "update")
        _ohs(home, "trust", "delegating", "--yes")
        with running_server(home, [], command=PLAIN) as second:
            assert _commit_of(second) == new
            tags = second.get(f"/api/conversations/{run}").json()["tags"]
            assert (tags["strategy"], tags["strategycommit"]) == ("delegating", old)
            assert second.post(f"/api/conversations/{run}/run").status_code == 200
            report = second.ended(run, before="error")
            assert report["status"] == "finished", second.tail()
            assert report["strategy"]["commit"] == old
            assert [one["state"] for one in report["subagents"]] == ["completed"]
        helpers = [str(one.messages[0]) for one in model.served if one.model == "cheap"]
        assert helpers
        assert all("You are the first helper." in one for one in helpers)


def _commit(repository: Path, version: str) -> str:
    text = DELEGATING.replace("You are the helper.", f"You are the {version} helper.")
    write(repository / "strategy.py", text)
    git = ("git", "-c", "user.name=T", "-c", "user.email=t@example.org")
    _run(repository, *git, "add", ".")
    _run(repository, *git, "commit", "-qm", version)
    return _run(repository, *git, "rev-parse", "HEAD").strip()


def _ohs(home: Path, *arguments: str) -> None:
    _run(home, sys.executable, "-m", "openhands_strategies", *arguments)


def _run(place: Path, *command: str) -> str:
    environ = server_environment(place) if command[0] != "git" else None
    done = subprocess.run(
        command, cwd=place, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _commit_of(server: Server) -> str:
    found: str = server.get("/api/strategies/delegating").json()["commit"]
    return found


def _save_settings(server: Server, model: ScriptedModel) -> None:
    """The server's own LLM; a start that names no profile uses it."""
    llm = {
        "model": "openai/main",
        "base_url": model.base_url,
        "api_key": MODEL_KEY,
        "input_cost_per_token": PRICES["main"].input / 1e6,
        "output_cost_per_token": PRICES["main"].output / 1e6,
    }
    answer = server.client.patch("/api/settings", json={"agent_settings_diff": {"llm": llm}})
    assert answer.status_code == 200, answer.text
