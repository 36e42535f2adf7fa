"""best-of-n on a real repository: attempts in parallel, a check, one winner, nothing left."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import (
    Call,
    Reply,
    Script,
    ScriptedModel,
    Served,
    Turn,
    by_model,
    call,
    finish,
    in_order,
    say,
)
from support import MAIN, PRICES, bench, write

pytestmark = pytest.mark.e2e

CHECK = "python3 -c 'from calc import double; assert double(4) == 8'"
PARAMS: dict[str, Any] = {"attempt_model": "openai/cheap", "check": CHECK}
VARIANTS = ("x ** 2", "x + x", "x * 3")


def git(at: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    command = ["git", "--no-optional-locks", *identity, *arguments]
    return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True).stdout


def repository(top: Path) -> Path:
    """A repository with a bug in calc.py, an uncommitted line and an untracked file."""
    git(top.parent, "init", "-q", str(top))
    write(top / "calc.py", "def double(x):\n    return x\n")
    write(top / ".gitignore", "__pycache__/\n")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "first")
    write(top / "calc.py", "# mine\ndef double(x):\n    return x\n")
    write(top / "untracked.txt", "mine\n")
    return top


def facts(top: Path) -> dict[str, str]:
    return {
        "worktrees": git(top, "worktree", "list", "--porcelain"),
        "administration": str(sorted((top / ".git").glob("worktrees/*"))),
        "refs": git(top, "for-each-ref"),
        "reachable": git(top, "rev-list", "--objects", "--all", "--reflog"),
        "reflog": git(top, "reflog"),
        "stash": git(top, "stash", "list"),
        "index": (top / ".git" / "index").read_bytes().hex(),
        "config": (top / ".git" / "config").read_text(),
    }


def own_directory(turn: Turn) -> Path:
    found = re.search(r"You work in (\S+), a git worktree", "\n".join(turn.user))
    assert found, turn.user
    return Path(found[1])


def number_of(turn: Turn) -> int:
    """Which variant an attempt was asked for."""
    found = re.search(r"variant (\d)", "\n".join(turn.user))
    assert found, turn.user
    return int(found[1])


def edit(turn: Turn) -> Reply:
    """Change calc.py in the attempt's own directory."""
    return call(
        "file_editor",
        command="str_replace",
        path=str(own_directory(turn) / "calc.py"),
        old_str="return x",
        new_str=f"return {VARIANTS[number_of(turn)]}",
    )


def attempt(turn: Turn) -> Reply:
    return in_order([edit, lambda turn: finish(f"variant {number_of(turn)} is done")])(turn)


def start_all(turn: Turn) -> Reply:
    prompts = [f"Mend calc.py, variant {number}" for number in range(3)]
    return Reply(
        calls=[Call("task", {"subagent_type": "attempt", "prompt": one}) for one in prompts]
    )


def passed(turn: Turn) -> str:
    """Id of the one task whose check passed."""
    good = [one.text for one in turn.results_of("task") if "PASSED" in one.text]
    assert len(good) == 1, [one.text for one in turn.results_of("task")]
    found = re.search(r"Task ID: (task_\w+)", good[0])
    assert found
    return found[1]


def take_the_winner(turn: Turn) -> Reply:
    return call("apply_task", task_id=passed(turn))


MAIN_STEPS = [start_all, take_the_winner, finish("variant 1 won")]


def spans(served: list[Served]) -> list[tuple[float, float]]:
    """First start and last end of each attempt."""
    by_prompt: dict[str, list[Served]] = {}
    for one in served:
        by_prompt.setdefault(str(one.messages[1]["content"]), []).append(one)
    return [(calls[0].started, calls[-1].ended) for calls in by_prompt.values()]


def test_the_attempt_that_passes_is_applied_and_nothing_else_changes(tmp_path: Path) -> None:
    top = repository(tmp_path / "repo")
    before = facts(top)
    outcomes: list[Turn] = []

    def main(turn: Turn) -> Reply:
        outcomes.append(turn)
        return in_order(MAIN_STEPS)(turn)

    with bench(top, by_model({"main": main, "cheap": attempt}), latency=0.3) as b:
        report = b.run("best-of-n", "Mend double", PARAMS)
        attempts, first = b.served("cheap"), b.served("main")[0]
        total = b.model.total_cost()
    print(json.dumps(report.to_json(), indent=1))
    assert report.status == "finished"
    assert (top / "calc.py").read_text() == "# mine\ndef double(x):\n    return x + x\n"
    assert (top / "untracked.txt").read_text() == "mine\n"
    assert facts(top) == before
    assert set(git(top, "status", "--porcelain").splitlines()) == {
        " M calc.py",
        "?? untracked.txt",
    }
    # Three at once, each with the user's uncommitted work, each somewhere else.
    times = spans(attempts)
    assert len(times) == 3
    for one, other in itertools.combinations(times, 2):
        assert one[0] < other[1]
        assert other[0] < one[1]
    assert "apply_task" in first.tools
    assert all("apply_task" not in one.tools and "task" not in one.tools for one in attempts)
    assert report.cost_usd == pytest.approx(total)
    # What the main model was told.
    told = [one.text for one in outcomes[1].results_of("task")]
    assert sum("FAILED (exit code 1" in one for one in told) == 2
    assert sum("AssertionError" in one for one in told) == 2
    assert all("calc.py | 2 +-" in one for one in told)
    patch = re.search(r"Patch: (\S+)", told[0])
    assert patch
    assert "+    return" in Path(patch[1]).read_text()
    applied = outcomes[2].results_of("apply_task")[0].text
    assert "are in your workspace now" in applied
    assert "calc.py | 2 +-" in applied


def test_apply_task_refuses_what_it_must(tmp_path: Path) -> None:
    top = repository(tmp_path / "repo")
    seen: list[Turn] = []

    def attempts(turn: Turn) -> Reply:
        # The third one does not finish: it has two steps and needs more.
        if number_of(turn) == 2:
            return call("terminal", command="true")
        return attempt(turn)

    def main(turn: Turn) -> Reply:
        seen.append(turn)
        texts = [one.text for one in turn.results_of("task")]
        ids = [re.search(r"Task ID: (task_\w+)", one) for one in texts]
        found = {
            "completed": [
                one[1]
                for one, text in zip(ids, texts, strict=True)
                if one and "Status: completed" in text
            ],
            "limit": [
                one[1]
                for one, text in zip(ids, texts, strict=True)
                if one and "Status: limit" in text
            ],
        }
        steps: list[Callable[[], Reply]] = [
            lambda: start_all(turn),
            lambda: call("apply_task", task_id="task_000000ff"),
            lambda: call("apply_task", task_id=found["limit"][0]),
            lambda: call("task", subagent_type="attempt", prompt="one more, variant 0"),
            lambda: call("terminal", command=f"echo other > {top}/calc.py"),
            lambda: call("apply_task", task_id=found["completed"][0]),
            lambda: call(
                "terminal", command=f"printf 'def double(x):\\n    return x\\n' > {top}/calc.py"
            ),
            lambda: call("apply_task", task_id=found["completed"][0]),
            lambda: call("apply_task", task_id=found["completed"][1]),
            lambda: call("apply_task", task_id=found["completed"][0]),
            lambda: finish("done"),
        ]
        return steps[turn.replies]()

    with bench(top, by_model({"main": main, "cheap": attempts})) as b:
        report = b.run("best-of-n", "Mend double", {**PARAMS, "attempt_iterations": 2})
    assert report.status == "finished"
    answers = [one.text for one in seen[-1].results_of("apply_task")]
    expected = [
        "no task 'task_000000ff'",
        "not completed but limit",
        "(patch_conflict). Your workspace is as before",
        "are in your workspace now",
        "only one of the tasks can be",
        "is applied already",
    ]
    assert len(answers) == len(expected)
    for answer, part in zip(answers, expected, strict=True):
        assert part in answer
    assert "was asked 3 times" in seen[-1].results_of("task")[3].text
    assert not list((top / ".git").glob("worktrees/*"))


def test_a_resumed_attempt_finds_its_changes_and_works_on(tmp_path: Path) -> None:
    top = repository(tmp_path / "repo")
    strategy = write(
        tmp_path / "strategy.py",
        """
        from openhands.sdk import Agent
        from openhands_strategies import AgentSpec, Blueprint, Strategy, SubAgent

        class Apart(Strategy):
            name = "apart"
            description = "One helper in a worktree"

            def build(self, context):
                helper = SubAgent(
                    description="helps", agent=AgentSpec(tools=("file_editor",)),
                    model="openai/cheap", worktree=True, workspace="deep",
                )
                return Blueprint(agent=Agent(llm=context.llm), subagents={"helper": helper})
        """,
    )
    (top / "deep").mkdir()
    write(top / "deep" / "here.txt", "one\n")

    def helper(turn: Turn) -> Reply:
        path = str(own_directory(turn) / "deep" / "here.txt")
        # A path of the user's in a prompt leads into the worktree.
        assert str(top) not in turn.user[0]
        change = {"command": "str_replace", "path": path}
        return in_order(
            [
                call("file_editor", **change, old_str="one", new_str="two"),
                say("changed it once"),
                call("file_editor", **change, old_str="two", new_str="three"),
                say("changed it twice"),
            ]
        )(turn)

    script = by_model(
        {
            "main": in_order(
                [
                    call("task", subagent_type="helper", prompt=f"edit {top}/deep/here.txt"),
                    call("task", subagent_type="helper", prompt="more", resume="task_00000001"),
                    call("apply_task", task_id="task_00000001"),
                    finish("done"),
                ]
            ),
            "cheap": helper,
        }
    )
    with bench(top, script) as b:
        report = b.run(str(strategy), "go")
    assert report.status == "finished"
    assert (top / "deep" / "here.txt").read_text() == "three\n"
    assert not list((top / ".git").glob("worktrees/*"))


FLOW = f"""
from openhands.sdk import Agent
from openhands_strategies import Blueprint, Strategy
from openhands_strategies.compose import pipeline


class Reader(Strategy):
    name = "reader"
    description = "Reads"

    def build(self, context):
        return Blueprint(agent=Agent(llm=context.llm), prompt="READ: {{task}}")


flow = pipeline(
    "best-of-n",
    Reader(),
    name="flow",
    defaults={{"best-of-n.check": {CHECK!r}, "best-of-n.attempt_model": "openai/cheap"}},
)
"""


def test_it_works_as_a_phase_of_a_pipeline(tmp_path: Path) -> None:
    top = repository(tmp_path / "repo")
    before = facts(top)
    write(tmp_path / "flow.py", FLOW)
    during: list[str] = []

    def main(turn: Turn) -> Reply:
        if "# Best of 3" in turn.system:
            assert turn.offers("apply_task")
            return in_order(MAIN_STEPS)(turn)
        if turn.user[0].startswith("READ: "):
            # The phase before is over, and its worktrees are gone.
            during.append(git(top, "worktree", "list", "--porcelain"))
            return say("read it")
        assert not turn.offers("apply_task")
        phases = [
            call("task", subagent_type="best-of-n", prompt="Mend double"),
            call("task", subagent_type="reader", prompt="Read it"),
            finish("done"),
        ]
        return in_order(phases)(turn)

    with bench(top, by_model({"main": main, "cheap": attempt})) as b:
        report = b.run(f"{tmp_path / 'flow.py'}:flow", "Mend double")
    assert report.status == "finished"
    assert (top / "calc.py").read_text() == "# mine\ndef double(x):\n    return x + x\n"
    assert during == [before["worktrees"]]
    assert facts(top) == before


# From here on in processes of their own.


def ohs(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "openhands_strategies", *arguments],
        cwd=cwd,
        env={**os.environ, "TMUX_TMPDIR": os.environ["OHS_TEST_TMUX"]},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.fixture
def _own_tmux(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A killed process cannot end its terminals; they are ended here."""
    with tempfile.TemporaryDirectory(prefix="ohs") as folder:
        monkeypatch.setenv("OHS_TEST_TMUX", folder)
        yield
        for socket in Path(folder).glob("tmux-*/*"):
            subprocess.run(["tmux", "-S", str(socket), "kill-server"], check=False)


def start(model: ScriptedModel, workspace: Path, cwd: Path) -> subprocess.Popen[str]:
    params = [part for key, value in PARAMS.items() for part in ("--param", f"{key}={value}")]
    return ohs(
        *("run", "best-of-n", "--task", "Mend double", "--workspace", str(workspace), "--json"),
        *("--model", MAIN, "--base-url", model.base_url, *params),
        *("--price", "10,40", "--price", "openai/cheap=1,4"),
        cwd=cwd,
    )


def document(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=150)
    assert "Traceback" not in err, err
    return {**json.loads(out), "exit": process.returncode}


@pytest.mark.slow_start
@pytest.mark.usefixtures("_own_tmux")
def test_kill_9_in_the_middle_and_resume(tmp_path: Path) -> None:
    top = repository(tmp_path / "repo")
    before = facts(top)

    def attempts(turn: Turn) -> Reply:
        # The first one ends before the kill, the others are in the middle of their work.
        if turn.replies == 0:
            return edit(turn)
        if number_of(turn) != 0 and turn.attempt == 0:
            return Reply(text="too late", delay=60)
        return finish(f"variant {number_of(turn)} is done")

    script: Script = by_model({"main": in_order(MAIN_STEPS), "cheap": attempts})
    with ScriptedModel(script, prices=PRICES) as model:
        first = start(model, top, tmp_path)
        runs = Path(os.environ["OHS_HOME"]) / "runs"
        deadline = time.monotonic() + 100
        # One has ended with its check, and the two others have made their edit.
        while not (
            len(list(runs.glob("*/subagents/*/check.log"))) == 1
            and '"completed"' in next(runs.glob("*/subagents/tasks.json")).read_text()
            and len(model.served) >= 5
        ):
            assert first.poll() is None, first.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(0.5)
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
        assert len(list((top / ".git").glob("worktrees/*"))) == 3
        (run,) = runs.iterdir()
        # The two answers that were cut off are asked for again.
        report = document(
            ohs("run", "--resume", run.name, "--base-url", model.base_url, "--json", cwd=tmp_path)
        )
        edits = [one for one in model.served if one.model == "cheap" and len(one.messages) == 2]
    assert (report["exit"], report["status"]) == (0, "finished"), report
    assert (top / "calc.py").read_text() == "# mine\ndef double(x):\n    return x + x\n"
    # No attempt began anew, the one that had ended before included.
    assert len(edits) == 3
    tasks = {row["role"]: row["tasks"] for row in report["roles"]}
    assert tasks == {"main": 1, "attempt": 3}
    assert facts(top) == before


@pytest.mark.slow_start
@pytest.mark.usefixtures("_own_tmux")
def test_a_workspace_without_git_ends_it_before_it_starts(tmp_path: Path) -> None:
    workspace = tmp_path / "plain"
    workspace.mkdir()
    with ScriptedModel(by_model({"main": finish("no")}), prices=PRICES) as model:
        said = document(start(model, workspace, tmp_path))
        assert not model.served
    assert said["error"]["code"] == "workspace_not_git"
    assert said["exit"] == 2
    assert str(workspace) in said["error"]["message"]
    assert list(workspace.iterdir()) == []
    assert not list((Path(os.environ["OHS_HOME"]) / "runs").glob("*"))
