"""How much the extension adds to the agent-server: time to ready, time to the first event,
many starts at once, and what the process keeps after many starts and after many builds.

`python bench/serving.py` measures all of it; `ready`, `starts` or `builds` one of them. Ends
with 1 when ours takes more than SLOWER times as long as upstream, when a start does not
finish, or when a table of the process has grown by what was started or built.
"""

from __future__ import annotations

import json
import os
import signal
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

from kept import grown, kept

from openhands_strategies.testing import Turn, call, finish, in_order, say
from server_process import Server, running_server

ROUNDS = int(os.environ.get("ROUNDS", "3"))
STARTS = int(os.environ.get("STARTS", "200"))
BUILDS = int(os.environ.get("BUILDS", "10000"))
SLOWER = 1.1
WARM_UP = 5
UPSTREAM = [str(Path(sys.executable).parent / "agent-server"), "--host", "127.0.0.1"]

# Those of `single`: what is measured is the way to the agent, not the agent.
TOOLS = [{"name": name} for name in ("terminal", "file_editor", "task_tracker")]
# One agent; and with our extension the same one, and one with sidekicks.
CONTESTANTS: Sequence[tuple[str, Sequence[str] | None, list[str], list[str | None]]] = (
    ("upstream", UPSTREAM, [], [None]),
    ("ohs serve", None, ["--extensions", "single", "fusion"], ["single", "fusion"]),
)


def first_event(server: Server, strategy: str | None) -> float:
    """Seconds from the request to the first call of the model; None is upstream's own start."""
    with server.model(in_order([finish("done")]), "bench") as model:
        workspace = str(server.workspace("bench"))
        begun = time.monotonic()
        if strategy is not None:
            body = {"task": "x", "workspace": workspace, "llm_profile": "bench-main"}
            answer = server.post(f"/api/strategies/{strategy}/start", json=body)
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
        "agent": {"kind": "Agent", "llm": llm, "tools": TOOLS},
        "workspace": {"working_dir": workspace},
        "initial_message": {"role": "user", "content": [{"type": "text", "text": "x"}]},
        "autotitle": False,
    }


def ready(home: Path) -> bool:
    """Alternate upstream alone and ours, so that the machine's mood hits both."""
    held = True
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, command, arguments, strategies in CONTESTANTS:
            begun = time.monotonic()
            with running_server(home, arguments, command=command) as server:
                times.setdefault(f"{name}: ready", []).append(time.monotonic() - begun)
                for strategy in strategies:
                    first_event(server, strategy)  # warms up
                for strategy in strategies * 5:
                    label = f"{strategy or name}: first event"
                    times.setdefault(label, []).append(first_event(server, strategy))
    for contestant, what in (
        ("ohs serve", "ready"),
        ("single", "first event"),
        ("fusion", "first event"),
    ):
        one = statistics.median(times[f"upstream: {what}"])
        other = statistics.median(times[f"{contestant}: {what}"])
        fast = other / one <= SLOWER
        print(
            f"{what}: upstream {one:.3f} s, {contestant} {other:.3f} s, "
            f"ratio {other / one:.2f}, at most {SLOWER}: {told(fast)}"
        )
        held = held and fast
    return held


def told(held: bool) -> str:
    return "held" if held else "NOT HELD"


def script(turn: Turn) -> Any:
    if turn.model != "main":
        return say("seen")
    if turn.replies == 0:
        return call("task", subagent_type="sidekick", prompt="look")
    return finish("done")


def starts(home: Path) -> bool:
    """Real starts at once, each with a sub-agent, until all have finished."""
    environ = {"OH_MAX_CONCURRENT_RUNS": str(STARTS + 10), "KEPT": str(home / "kept.json")}
    counting = ["--extra-python-path", str(Path(__file__).parent), "--import-modules", "kept"]
    with (
        running_server(home, ["--extensions", "fusion", *counting], **environ) as server,
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

        def many(count: int) -> list[str]:
            with ThreadPoolExecutor(50) as pool:
                return list(pool.map(one, range(count)))

        def all_ended(runs: list[str]) -> int:
            return [server.ended(run, 600)["status"] for run in runs].count("finished")

        all_ended(many(WARM_UP))
        before, begun = kept_by(server, home / "kept.json"), time.monotonic()
        runs = many(STARTS)
        accepted = time.monotonic() - begun
        finished = all_ended(runs)
        seconds = time.monotonic() - begun
        after = kept_by(server, home / "kept.json")
    print(
        f"{STARTS} starts: accepted after {accepted:.1f} s, "
        f"{finished} finished after {seconds:.1f} s"
    )
    return said_kept(before, after) and finished == STARTS


def kept_by(server: Server, path: Path) -> dict[str, int]:
    """Ask the server's process what it keeps."""
    path.unlink(missing_ok=True)
    server.process.send_signal(signal.SIGUSR1)
    until = time.monotonic() + 60
    while not path.exists():
        if time.monotonic() > until:
            raise SystemExit(f"the server does not say what it keeps: {server.tail()}")
        time.sleep(0.05)
    found: dict[str, int] = json.loads(path.read_text())
    return found


def said_kept(before: dict[str, int], after: dict[str, int]) -> bool:
    """Print what is kept before and after, and whether no table has grown."""
    more = grown(before, after)
    print(f"kept before {before}")
    print(f"kept after  {after}: {'GROWN: ' + ', '.join(more) if more else 'no table has grown'}")
    return not more


def builds(home: Path) -> bool:
    """Build a strategy many times and count what the process keeps."""
    os.environ["OHS_HOME"] = str(home / "ohs")
    from openhands.sdk import LLM

    from openhands_strategies import Settings, find_home, load, prepare, resolve

    located, llm = resolve("fusion"), LLM(model="openai/main", api_key="k", usage_id="main")

    def build(count: int) -> None:
        for number in range(count):
            params = {"sidekicks": number % 16 + 1, "sidekick_model": f"openai/m{number % 7}"}
            prepare(load(located, find_home()), llm, params, Settings(home=find_home()))

    build(100)
    before, begun = kept(), time.monotonic()
    build(BUILDS)
    seconds, after = time.monotonic() - begun, kept()
    print(f"{BUILDS} builds: {seconds / BUILDS * 1000:.1f} ms each")
    return said_kept(before, after)


def main(names: Sequence[str]) -> int:
    """Measure, print, and say whether all bounds hold."""
    held = True
    with tempfile.TemporaryDirectory(prefix="ohs_bench_") as folder:
        for measure in (ready, starts, builds):
            if not names or measure.__name__ in names:
                held = measure(Path(folder) / measure.__name__) and held
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
