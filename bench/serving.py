"""How much the extension adds to the agent-server: time to ready, time to the first event,
many starts at once, and what stays in memory after many builds.

`python bench/serving.py` measures all of it; `ready`, `starts` or `builds` one of them.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("OPENHANDS_SUPPRESS_BANNER", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from openhands_strategies.testing import Turn, call, finish, in_order, say
from server_process import Server, running_server

ROUNDS = int(os.environ.get("ROUNDS", "3"))
STARTS = int(os.environ.get("STARTS", "200"))
BUILDS = int(os.environ.get("BUILDS", "10000"))
UPSTREAM = [str(Path(sys.executable).parent / "agent-server"), "--host", "127.0.0.1"]


def first_event(server: Server, ours: bool) -> float:
    """Seconds from the request to the first answer of the model."""
    with server.model(in_order([finish("done")]), "bench") as model:
        workspace = str(server.workspace("bench"))
        begun = time.monotonic()
        if ours:
            body = {"task": "x", "workspace": workspace, "llm_profile": "bench-main"}
            answer = server.post("/api/strategies/fusion/start", json=body)
        else:
            answer = server.post(
                "/api/conversations", json=upstream_body(model.base_url, workspace)
            )
        assert answer.status_code == 201, answer.text
        while not model.served:
            time.sleep(0.005)
        return time.monotonic() - begun


def upstream_body(base_url: str, workspace: str) -> dict[str, Any]:
    llm = {"model": "openai/main", "base_url": base_url, "api_key": "k", "usage_id": "main"}
    return {
        "agent": {"kind": "Agent", "llm": llm, "tools": [{"name": "terminal"}]},
        "workspace": {"working_dir": workspace},
        "initial_message": {"role": "user", "content": [{"type": "text", "text": "x"}]},
        "autotitle": False,
    }


def ready(home: Path) -> None:
    """Alternate upstream alone and ours, so that the machine's mood hits both."""
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, command, arguments in (
            ("upstream", UPSTREAM, []),
            ("ohs serve", None, ["--extensions", "fusion"]),
        ):
            begun = time.monotonic()
            with running_server(home, arguments, command=command) as server:
                times.setdefault(f"{name}: ready", []).append(time.monotonic() - begun)
                first_event(server, ours=command is None)  # warms up
                for _ in range(5):
                    seconds = first_event(server, ours=command is None)
                    times.setdefault(f"{name}: first event", []).append(seconds)
    for what in ("ready", "first event"):
        one = statistics.median(times[f"upstream: {what}"])
        other = statistics.median(times[f"ohs serve: {what}"])
        print(f"{what}: upstream {one:.2f} s, ours {other:.2f} s, ratio {other / one:.2f}")


def script(turn: Turn) -> Any:
    if turn.model != "main":
        return say("seen")
    if turn.replies == 0:
        return call("task", subagent_type="sidekick", prompt="look")
    return finish("done")


def starts(home: Path) -> None:
    """Real starts at once, each with a sub-agent, until all have finished."""
    environ = {"OH_MAX_CONCURRENT_RUNS": str(STARTS + 10)}
    with (
        running_server(home, ["--extensions", "fusion"], **environ) as server,
        server.model(script, "many"),
    ):

        def one(number: int) -> str:
            return server.start(
                "fusion",
                task="x",
                workspace=str(server.workspace(f"many{number}")),
                llm_profile="many-main",
                params={"sidekick_model": "openai/cheap"},
            )

        begun = time.monotonic()
        with ThreadPoolExecutor(50) as pool:
            runs = list(pool.map(one, range(STARTS)))
        accepted = time.monotonic() - begun
        ended = [server.ended(run, 600)["status"] for run in runs]
        seconds = time.monotonic() - begun
        finished = ended.count("finished")
        print(
            f"{STARTS} starts: accepted after {accepted:.1f} s, "
            f"{finished} finished after {seconds:.1f} s"
        )


def builds(home: Path) -> None:
    """Build a strategy many times and count what the process keeps."""
    os.environ["OHS_HOME"] = str(home / "ohs")
    from openhands.sdk import LLM
    from openhands.sdk.subagent.registry import get_registered_agent_definitions
    from openhands.sdk.tool.registry import list_registered_tools

    from openhands_strategies.project.home import find_home
    from openhands_strategies.registry.catalog import resolve
    from openhands_strategies.runtime.loader import load
    from openhands_strategies.runtime.prepare import Settings, prepare

    located, llm = resolve("fusion"), LLM(model="openai/main", api_key="k", usage_id="main")

    def build(count: int) -> None:
        for number in range(count):
            params = {"sidekicks": number % 16 + 1, "sidekick_model": f"openai/m{number % 7}"}
            prepare(load(located, find_home()), llm, params, Settings(home=find_home()))

    def kept() -> Sequence[int]:
        gc.collect()
        agents, tools = get_registered_agent_definitions(), list_registered_tools()
        return len(agents), len(tools), len(sys.modules), len(gc.get_objects())

    build(100)
    before, begun = kept(), time.monotonic()
    build(BUILDS)
    seconds, after = time.monotonic() - begun, kept()
    print(
        f"{BUILDS} builds: {seconds / BUILDS * 1000:.1f} ms each; "
        f"agents, tools, modules, objects before {before}, after {after}"
    )


def main(names: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="ohs_bench_") as folder:
        for measure in (ready, starts, builds):
            if not names or measure.__name__ in names:
                measure(Path(folder) / measure.__name__)


if __name__ == "__main__":
    main(sys.argv[1:])
