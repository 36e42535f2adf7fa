"""Many runs at once: nothing of one reaches another."""

from __future__ import annotations

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import Reply, Turn, call, finish, say
from server_process import Server

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

# `OHS_TEST_STARTS=100` is the whole measure; `.ci/run` takes it, 45 s on two cores.
STARTS = int(os.environ.get("OHS_TEST_STARTS", "24"))


def script(turn: Turn) -> Reply:
    """Each task names itself; whoever answers repeats the name that was asked."""
    name = re.findall(r"name\d+", turn.user[0])[-1]
    if turn.model == "main":
        alias = "sidekick" if "sidekick" in turn.system else "helper"
        if turn.replies == 0:
            return call("task", subagent_type=alias, prompt=f"repeat {name}")
        result = turn.last_result.text if turn.last_result else "nothing"
        return finish(f"{name} heard: {result}")
    return say(f"I am {turn.model} for {name}")


def test_starts_at_once_do_not_mix(server: Server) -> None:
    with server.model(script, "crowd") as model:

        def one(number: int) -> tuple[int, str]:
            fusion = number % 2 == 0
            params: dict[str, Any] = (
                {"sidekick_model": f"openai/m{number}", "sidekicks": number % 16 + 1}
                if fusion
                else {"model": f"openai/m{number}", "steps": number + 1}
            )
            run = server.start(
                "fusion" if fusion else "delegating",
                task=f"say name{number}",
                workspace=str(server.workspace(f"crowd{number}")),
                llm_profile="crowd-main",
                params=params,
                prices={f"openai/m{number}": [float(number + 1), 2.0]},
            )
            return number, run

        with ThreadPoolExecutor(STARTS) as pool:
            runs = dict(pool.map(one, range(STARTS)))
        for number, run in runs.items():
            report = server.ended(run, 300)
            assert report["status"] == "finished", report
            assert f"I am m{number} for name{number}" in report["answer"]
            roles = {row["role"]: row for row in report["roles"]}
            helper = roles["sidekick" if number % 2 == 0 else "helper"]
            assert helper["model"] == f"openai/m{number}"
            served = [one for one in model.served if one.model == f"m{number}"]
            assert len(served) == helper["calls"] == 1
            expected = (helper["input_tokens"] * (number + 1) + helper["output_tokens"] * 2) / 1e6
            assert helper["cost_usd"] == pytest.approx(expected)
            if number % 2 == 0:
                assert report["params"]["sidekicks"] == number % 16 + 1
    # Nothing of a run stands in the process-wide table of sub-agents.
    agents = server.post("/api/sub-agents", json={})
    assert "sidekick" not in agents.text


def test_builds_leave_nothing_in_the_process(server_home: Path) -> None:
    pytest.importorskip("openhands.agent_server")
    from openhands.sdk import LLM
    from openhands.sdk.subagent.registry import get_registered_agent_definitions
    from openhands.sdk.tool.registry import list_registered_tools

    from openhands_strategies.project.home import find_home
    from openhands_strategies.registry.catalog import resolve
    from openhands_strategies.runtime.loader import load
    from openhands_strategies.runtime.prepare import Settings, prepare

    home = find_home()
    places = [resolve("fusion"), resolve("./delegating", base=server_home)]
    llm = LLM(model="openai/main", api_key="k", usage_id="main")

    def kept() -> tuple[int, int, int]:
        agents, tools = get_registered_agent_definitions(), list_registered_tools()
        return len(agents), len(tools), len(sys.modules)

    def build(count: int) -> None:
        for number in range(count):
            params = {"sidekicks": number + 1} if number % 2 == 0 else {"steps": number + 1}
            made = prepare(load(places[number % 2], home), llm, params, Settings(home=home))
            assert next(iter(params.items())) in made.params.items()

    build(4)
    before = kept()
    build(16)
    assert kept() == before
