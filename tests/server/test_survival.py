"""A server that is killed, and started again in another way, goes on with its runs."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import Reply, Turn, by_model, call, finish, in_order, say
from server_process import MODEL_KEY, PLAIN, Server, running_server, server_environment
from support import write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]
pytest.importorskip("openhands.agent_server")

CODED = '''
from openhands.sdk import Agent, AgentContext, Tool
from openhands_strategies import Blueprint, Strategy, StrategyParam, SubAgent

class Coded(Strategy):
    """Its helper is made by code."""
    name = "coded"
    description = "A helper that Python code makes"
    params = [StrategyParam(name="word", description="A word", default="none")]

    def build(self, context):
        word = context.params["word"]
        def helper(llm):
            suffix = f"VERSION helper, {word}"
            cheap = {"model": "openai/cheap",
                     "input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6}
            return Agent(llm=llm.model_copy(update=cheap),
                         tools=[Tool(name="terminal", params={"terminal_type": "subprocess"})],
                         agent_context=AgentContext(system_message_suffix=suffix))
        return Blueprint(agent=Agent(llm=context.llm),
                         subagents={"helper": SubAgent(description="helps", agent=helper)})
'''


def test_kill_9_and_another_server_with_other_code(tmp_path: Path) -> None:
    home = tmp_path / "server"
    strategy = write(home / "coded.py", CODED.replace("VERSION", "first"))

    def cheap(turn: Turn) -> Reply:
        if turn.replies == 0:
            return call("terminal", command="echo looked > looked; cat looked")
        if "patient" in turn.system:
            return Reply(text="I looked", delay=4)
        if turn.attempt == 0 and "first" in turn.system:
            return Reply(text="too late", delay=20)
        return say("I looked")

    task = call("task", subagent_type="helper", prompt="look")
    script = by_model({"main": in_order([task, task, finish("all done")]), "cheap": cheap})
    # Neither a session key nor a secret key: `ohs serve` makes one and keeps it.
    none = {"OH_SESSION_API_KEYS_0": "", "OH_SECRET_KEY": ""}
    with (
        running_server(home, ["--extensions", "./coded.py"], **none) as first,
        first.model(script, "surviving") as model,
    ):
        run = first.start(
            "coded",
            task="look",
            workspace=str(first.workspace("surviving")),
            llm_profile="surviving-main",
            params={"word": "sesame"},
            tags={"kept": "yes"},
        )
        while sum(one.model == "cheap" for one in model.served) < 1:
            time.sleep(0.05)
        time.sleep(1)
        working = first.report(run)
        assert working["status"] == "running"
        assert [one["state"] for one in working["subagents"]] == ["working"]
        first.kill()
        key = home / "ohs" / "server.key"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        strategy.write_text(CODED.replace("VERSION", "second"))
        # It finds the key that the first one has made. Upstream leases a conversation to one
        # server; a dead one's lease runs out.
        with running_server(
            home,
            [],
            command=PLAIN,
            OHS_EXTENSIONS="./coded.py",
            OH_MAX_CONCURRENT_RUNS="1",
            **none,
        ) as second:
            _goes_on(second, run)
            served = [one for one in model.served if one.model == "cheap"]
            assert all("first helper, sesame" in str(one.messages[0]) for one in served)
            # What starts now is the new code.
            fresh = second.start("coded", **_patient(second))
            # It may run one at a time.
            full = second.post("/api/strategies/coded/start", json=_patient(second))
            assert full.status_code == 429
            assert full.json()["code"] == "server_busy"
            # A refused start leaves nothing behind.
            kept = [one.parent for one in (home / "workspace").rglob("run.json")]
            assert len(kept) == 2
            assert all((one / "meta.json").is_file() for one in kept)
            assert second.ended(fresh)["status"] == "finished"
            last = [one for one in model.served if one.model == "cheap"][-1]
            assert "second helper, patient" in str(last.messages[0])
            total = second.report(run)["cost_usd"] + second.report(fresh)["cost_usd"]
            assert total == pytest.approx(model.total_cost())
    for path in home.rglob("*"):
        if path.is_file():
            assert MODEL_KEY.encode() not in path.read_bytes(), path


def _patient(server: Server) -> dict[str, Any]:
    return {
        "task": "look",
        "workspace": str(server.workspace("surviving")),
        "llm_profile": "surviving-main",
        "params": {"word": "patient"},
    }


def _goes_on(server: Server, run: str) -> None:
    listed = server.get("/api/conversations/search").json()
    found = next(
        one for one in listed["items"] if one["id"].replace("-", "") in run.replace("-", "")
    )
    assert found["tags"]["strategy"] == "coded"
    assert found["tags"]["kept"] == "yes"
    before = server.report(run)
    assert before["strategy"]["name"] == "coded"
    assert before["params"] == {"word": "sesame"}
    assert [one["state"] for one in before["subagents"]] == ["interrupted"]
    answer = server.post(f"/api/conversations/{run}/run")
    assert answer.status_code == 200, answer.text
    report = server.ended(run, before="error")
    assert report["status"] == "finished", server.tail()
    assert report["answer"] == "all done"
    # The interrupted task went on, with the code and parameters that it was started with.
    assert [one["id"] for one in report["subagents"]] == ["task_00000001"]
    assert report["subagents"][0]["state"] == "completed"
    assert report["strategy"]["tree"] == before["strategy"]["tree"]


def test_strict_refuses_a_broken_strategy(tmp_path: Path) -> None:
    write(tmp_path / "broken.py", "class Broken(")
    serve = [sys.executable, "-m", "openhands_strategies", "serve", "--strict"]
    done = ended(tmp_path, *serve, "--extensions", "fusion", "./broken.py", "--with", "./absent.py")
    assert done.returncode == 3, done.stderr
    assert "strategies_broken" in done.stderr
    assert "[syntax_error]" in done.stderr
    assert "[path_missing]" in done.stderr, "an overlay that is not there"
    assert "Traceback" not in done.stderr


def test_strict_without_our_command_says_why_in_one_line(tmp_path: Path) -> None:
    done = ended(tmp_path, *PLAIN, OHS_EXTENSIONS="./absent.py", OHS_STRICT="1")
    assert done.returncode == 1, done.stderr
    assert "[strategies_broken]" in done.stderr
    assert "Traceback" not in done.stderr


def ended(home: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a server that cannot start."""
    return subprocess.run(
        command,
        cwd=home,
        env=server_environment(home, **environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_what_the_agent_server_refuses_has_a_name(tmp_path: Path) -> None:
    serve = [sys.executable, "-m", "openhands_strategies", "serve"]
    named = ended(tmp_path, *serve, "fusion")
    assert named.returncode == 2, named.stderr
    assert "unrecognized arguments: fusion" in named.stderr
    assert "[usage]" in named.stderr
    assert "hint: strategies are named by --extensions REF" in named.stderr
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = ended(tmp_path, *serve, "--extensions", "fusion", "--port", str(port))
    assert taken.returncode == 1, taken.stderr
    assert f"another program listens on port {port} of 127.0.0.1 [port_taken]" in taken.stderr
