"""kill -9 at other moments: while the main agent asks, while two sub-agents work, and before
upstream knows of the conversation."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from openhands_strategies.testing import Call, Reply, Turn, by_model, finish, say
from server_process import PLAIN, Server, running_server
from support import DELEGATING, write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]
pytest.importorskip("openhands.agent_server")


def test_every_run_goes_on_and_a_lone_record_harms_nothing(tmp_path: Path) -> None:
    write(tmp_path / "delegating" / "strategy.py", DELEGATING)
    killed = threading.Event()
    asked: list[str] = []

    def main(turn: Turn) -> Reply:
        if "alone" in turn.user[0]:
            asked.append("alone")
            return Reply(text="thought", delay=0 if killed.is_set() else 60)
        if turn.replies < 2:
            return Reply(calls=tuple(_task(prompt) for prompt in ("left", "right")))
        return finish("both looked")

    def cheap(turn: Turn) -> Reply:
        asked.append(turn.user[0])
        return say("I looked") if killed.is_set() else Reply(text="too late", delay=60)

    environ = {"OHS_EXTENSIONS": "./delegating"}
    script = by_model({"main": main, "cheap": cheap})
    with (
        running_server(tmp_path, [], command=PLAIN, **environ) as first,
        first.model(script, "crash") as model,
    ):
        alone, pair = _start(first, "alone"), _start(first, "pair")
        while {"alone", "left", "right"} - set(asked):
            time.sleep(0.05)
        working = first.report(pair)["subagents"]
        assert sorted(one["state"] for one in working) == ["working", "working"]
        first.kill()
        killed.set()
        lone = _lone_record(first, alone)
        with running_server(tmp_path, [], command=PLAIN, **environ) as second:
            assert second.get(f"/api/strategies/runs/{lone}").status_code == 404
            found = second.get("/api/conversations/search").json()["items"]
            assert {one["id"].replace("-", "") for one in found} == {
                one.replace("-", "") for one in (alone, pair)
            }
            for run, answer in ((alone, "thought"), (pair, "both looked")):
                assert second.post(f"/api/conversations/{run}/run").status_code == 200
                report = second.ended(run, before="error")
                assert report["status"] == "finished", report
                assert report["answer"] == answer
            pairs = second.report(pair)["subagents"]
            assert [one["state"] for one in pairs] == ["completed", "completed"]
            total = sum(second.report(run)["cost_usd"] for run in (alone, pair))
            assert total <= model.total_cost()


def _task(prompt: str) -> Call:
    return Call("task", {"subagent_type": "helper", "prompt": prompt})


def _start(server: Server, task: str) -> str:
    return server.start(
        "delegating",
        task=task,
        workspace=str(server.workspace(task)),
        llm_profile="crash-main",
        prices={"openai/cheap": [1.0, 4.0]},
    )


def _lone_record(server: Server, like: str) -> str:
    """What a crash leaves between our record and upstream's first file."""
    run = str(uuid4())
    record = json.loads((server.conversation_files(like) / "run.json").read_text())
    directory = server.conversation_files(run)
    directory.mkdir()
    (directory / "run.json").write_text(json.dumps({**record, "conversation_id": run}))
    return run
