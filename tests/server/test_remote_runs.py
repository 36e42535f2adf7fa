"""`ohs run --server` as a process, against a real agent-server and the scripted model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import (
    DEMO_PRICES,
    DEMO_TASK,
    MAIN_MODEL,
    SIDEKICK_MODEL,
    Reply,
    ScriptedModel,
    Turn,
    by_model,
    call,
    copy_sample,
    demo_script,
    finish,
    in_order,
    run_sample_tests,
)
from server_process import KEY, Server, running_server, server_environment
from support import DELEGATING, task, write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

# What `run --json` prints of a local run.
KEYS = {
    "status", "conversation_id", "strategy", "overlays", "params", "answer", "roles", "cost_usd",
    "seconds", "error", "warnings",
}  # fmt: skip
ROLE_KEYS = {
    "role", "model", "tasks", "calls", "input_tokens", "output_tokens", "cached_tokens", "seconds",
    "cost_usd", "at_main_price_usd",
}  # fmt: skip


@dataclass(frozen=True)
class Done:
    """How one `ohs` ended."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.out)["error"]
        return found


def command(server: Server, *options: str) -> list[str]:
    place = ["--server", f"http://127.0.0.1:{server.port}", "--session-key-env", "SESSION_KEY"]
    return [sys.executable, "-m", "openhands_strategies", "run", *options, *place]


def environment(key: str = KEY) -> dict[str, str]:
    return {**os.environ, "SESSION_KEY": key}


def ohs(server: Server, *options: str, key: str = KEY, cwd: Path | None = None) -> Done:
    done = subprocess.run(
        command(server, *options),
        cwd=cwd or server.home,
        env=environment(key),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert KEY not in done.out + done.err
    assert "Traceback" not in done.err
    return Done(done.returncode, done.stdout, done.stderr)


def typed(server: Server, strategy: str, name: str, *more: str) -> list[str]:
    """The options of a run with the profile and in the workspace of this name."""
    workspace = str(server.workspace(name))
    return [
        strategy, "--task", "do it", "--workspace", workspace, "--llm-profile", f"{name}-main",
        *more,
    ]  # fmt: skip


def test_fusion_runs_there_and_is_reported_as_here(server: Server, tmp_path: Path) -> None:
    workspace = copy_sample(server.workspace("remote-fusion") / "shop")
    script = demo_script(workspace, sys.executable)
    path = tmp_path / "report.json"
    with ScriptedModel(script, prices=DEMO_PRICES, latency=0.3) as model:
        price = DEMO_PRICES[MAIN_MODEL]
        server.save_profile("remote-fusion", f"openai/{MAIN_MODEL}", model.base_url, price)
        cheap, sidekick = DEMO_PRICES[SIDEKICK_MODEL], f"openai/{SIDEKICK_MODEL}"
        # The current directory is the workspace: the server is on this machine.
        done = ohs(
            server, "fusion", "--task", DEMO_TASK, "--llm-profile", "remote-fusion",
            "--param", f"sidekick_model={sidekick}", "--param", "sidekicks=3",
            "--price", f"{sidekick}={cheap.input},{cheap.output}", "--max-budget", "5",
            "--report", str(path), cwd=workspace,
        )  # fmt: skip
        assert done.code == 0, done.err
        document = json.loads(path.read_text())
        assert set(document) == KEYS
        assert {frozenset(row) for row in document["roles"]} == {frozenset(ROLE_KEYS)}
        assert document["status"] == "finished"
        assert document["params"]["sidekicks"] == 3
        assert document["cost_usd"] == pytest.approx(model.total_cost())
        assert document["seconds"] > 0
        assert document["strategy"]["name"] == "fusion"
        assert run_sample_tests(workspace, sys.executable).passed
        roles = {row["role"]: row for row in document["roles"]}
        assert roles["sidekick"]["calls"] == model.by_model()[SIDEKICK_MODEL].calls
        assert roles["sidekick"]["at_main_price_usd"] > roles["sidekick"]["cost_usd"]
    assert done.out.strip() == document["answer"].strip()
    run = document["conversation_id"]
    for line in (
        f"page       http://127.0.0.1:{server.port}/strategies#/run/{run}",
        f"workspace  {workspace} on the server",
        "model      of the server's LLM profile 'remote-fusion'",
        "limits     $5 for the whole run",
        f"main started: openai/{MAIN_MODEL}",
        "main done: ",
        "saved.",
    ):
        assert line in done.err
    assert done.err.count(f" started: {sidekick}") >= 2
    assert path.read_text().count(KEY) == 0
