"""`ohs compare` with real `ohs run` children against the scripted model over HTTP."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import Call, Reply, ScriptedModel, call, finish
from openhands_strategies.testing.turns import Turn
from support import PRICES, write

KEY = "sk-a-key-that-nobody-may-find-0123456789"
CHECK = "env; cat link; git rev-list --count HEAD; echo checked >&2; grep -q mended code.txt"
HOSTILE = "<script>alert('x')</script>"

STRATEGY = '''
from openhands.sdk import Agent, AgentContext, Tool
from openhands_strategies import AgentSpec, Blueprint, Strategy, StrategyParam, SubAgent

TERMINAL = {{"name": "terminal", "params": {{"terminal_type": "subprocess"}}}}

class {title}(Strategy):
    """One agent that may ask a helper on a cheaper model."""
    name = "{name}"
    description = "For tests"
    params = [StrategyParam(name="word", default="none", description="A word for the prompt")]

    def build(self, context):
        suffix = "You are the {name}, the word is " + context.params["word"]
        helper = SubAgent(description="helps", agent=AgentSpec(), model="openai/cheap")
        return Blueprint(
            agent=Agent(llm=context.llm, tools=[Tool(**TERMINAL)],
                        agent_context=AgentContext(system_message_suffix=suffix)),
            subagents={{"helper": helper}},
        )
'''


def strategies(directory: Path) -> None:
    for name in ("mender", "breaker"):
        write(directory / f"{name}.py", STRATEGY.format(name=name, title=name.title()))


def workspace(directory: Path) -> Path:
    """A repository with a commit, an untracked file, a link and a file that is not mended."""
    write(directory / "code.txt", "broken\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(directory)]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], check=True)
    write(directory / "notes" / "untracked.txt", "mine\n")
    (directory / "link").symlink_to("notes/untracked.txt")
    return directory


def script(turn: Turn) -> Reply:
    """The mender asks its helper and mends the file; the breaker removes what it finds."""
    if turn.model == "cheap":
        return finish(f"look at code.txt {HOSTILE}")
    if "You are the mender" in turn.system:
        if not turn.results_of("task"):
            arguments = {"subagent_type": "helper", "description": "look", "prompt": "look"}
            return Reply(calls=(Call("task", arguments),))
        return in_terminal(turn, "echo mended > code.txt") or finish(
            f"mended, {HOSTILE}, with {KEY}"
        )
    return in_terminal(turn, "rm -rf code.txt link notes .git; touch made") or finish("broken")


def in_terminal(turn: Turn, command: str) -> Reply | None:
    """Run a command once, in a shell that has shown that it listens; None when it ran.

    A terminal of the SDK may take the first prompt of a slow shell for the end of its
    first command.
    """
    results = turn.results_of("terminal")
    if not any("ready" in result.text for result in results):
        return call("terminal", command="echo ready")
    if not any(result.arguments["command"] == command for result in results):
        return call("terminal", command=command)
    return None


def snapshot(directory: Path) -> dict[str, str]:
    """Every file and link below a directory."""
    return {
        str(path.relative_to(directory)): (
            f"link {path.readlink()}"
            if path.is_symlink()
            else hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in directory.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "openhands_strategies", "compare", *arguments]


def options(model: ScriptedModel) -> list[str]:
    return [
        "--model", "openai/main", "--base-url", model.base_url,
        "--price", "10,40", "--price", "openai/cheap=1,4",
    ]  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """One whole comparison that the tests below look at."""

    root: Path
    document: dict[str, Any]
    err: str
    before: dict[str, str]
    served: list[Any]

    @property
    def directory(self) -> Path:
        return Path(self.document["directory"])

    def row(self, name: str) -> dict[str, Any]:
        return next(row for row in self.document["results"] if row["name"] == name)

    @property
    def page(self) -> str:
        return (self.root / "page.html").read_text()


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    root = tmp_path_factory.mktemp("compared")
    strategies(root)
    place = workspace(root / "work space")
    (root / "tmp").mkdir()
    before = snapshot(place)
    with ScriptedModel(script, prices=PRICES, latency=0.2) as model:
        done = subprocess.run(
            command(
                "mend code.txt", "--strategies", "./mender.py,evil=./breaker.py", "--repeat", "2",
                "--check", CHECK, "--workspace",
                "work space", "--param", "mender.word=blue", *options(model), "--json", "--report",
                "page.html",
            ),
            cwd=root,
            env={
                **os.environ,
                "LLM_API_KEY": KEY,
                "LLM_NUM_RETRIES": "0",
                "OHS_HOME": str(root / "home"),
                "TMPDIR": str(root / "tmp"),
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return Compared(root, json.loads(done.stdout), done.stderr, before, list(model.served))


pytestmark = pytest.mark.e2e


@pytest.mark.slow_start
def test_the_check_tells_success(compared: Compared) -> None:
    assert compared.document["status"] == "finished"
    assert compared.document["task"] == "mend code.txt"
    mender, evil = compared.row("mender"), compared.row("evil")
    assert (mender["succeeded"], mender["success_rate"]) == (2, 1.0)
    assert (evil["succeeded"], evil["success_rate"]) == (0, 0.0)
    assert evil["cost_per_success_usd"] is None
    for row in (mender, evil):
        assert row["carried_out"] == row["finished"] == 2
        assert row["statuses"] == {"finished": 2}
        assert row["errors"] == []
    for run in mender["runs"]:
        assert run["check"]["exit_code"] == 0
        # stderr stands where it came, and the check ran without the model's key.
        assert run["check"]["output"].endswith("checked")
        assert "LLM_API_KEY" not in run["check"]["output"]
    assert {run["check"]["exit_code"] for run in evil["runs"]} == {2}


@pytest.mark.slow_start
def test_money_and_tokens_are_the_servers_own(compared: Compared) -> None:
    def of(model: str, name: str) -> list[Any]:
        told = f"You are the {name}"
        return [
            one
            for one in compared.served
            if one.model == model and (model == "cheap" or told in json.dumps(list(one.messages)))
        ]

    mender, evil = compared.row("mender"), compared.row("evil")
    main, cheap, breaker = of("main", "mender"), of("cheap", ""), of("main", "breaker")
    assert mender["cost_usd"]["total"] == pytest.approx(
        sum(one.cost_usd for one in (*main, *cheap))
    )
    assert evil["cost_usd"]["total"] == pytest.approx(sum(one.cost_usd for one in breaker))
    assert mender["cost_per_success_usd"] == pytest.approx(mender["cost_usd"]["total"] / 2)
    roles = {row["role"]: row for row in mender["roles"]}
    assert list(roles) == ["main", "helper"]
    assert roles["helper"]["cost_usd"] == pytest.approx(sum(one.cost_usd for one in cheap) / 2)
    assert roles["main"]["calls"] == len(main) / 2
    everything = [*main, *cheap]
    assert mender["input_tokens"]["total"] == sum(one.input_tokens for one in everything)
    assert mender["output_tokens"]["total"] == sum(one.output_tokens for one in everything)
    cached = sum(one.cached_tokens for one in everything)
    assert cached > 0
    assert mender["cached_share"] == pytest.approx(
        cached / mender["input_tokens"]["total"], abs=1e-5
    )
    assert 0 < mender["seconds"]["min"] <= mender["seconds"]["mean"] <= mender["seconds"]["max"]


@pytest.mark.slow_start
def test_parameters_go_to_their_strategy(compared: Compared) -> None:
    assert {run["report"]["params"]["word"] for run in compared.row("mender")["runs"]} == {"blue"}
    assert {run["report"]["params"]["word"] for run in compared.row("evil")["runs"]} == {"none"}


@pytest.mark.slow_start
def test_two_runs_at_a_time_and_no_more(compared: Compared) -> None:
    runs = [run for row in compared.document["results"] for run in row["runs"]]
    assert len(runs) == 4
    at_once = [
        sum(1 for other in runs if other["started"] <= run["started"] < other["ended"])
        for run in runs
    ]
    assert max(at_once) == 2


@pytest.mark.slow_start
def test_the_workspace_is_as_it_was_and_copies_are_gone(compared: Compared) -> None:
    assert snapshot(compared.root / "work space") == compared.before
    # The mender's copies had the untracked file behind the link, and the history.
    for run in compared.row("mender")["runs"]:
        assert run["check"]["output"].endswith("mine\n1\nchecked")
    assert not list((compared.root / "tmp").iterdir())
    assert sorted(path.name for path in compared.directory.iterdir()) == [
        ".lock",
        "compare.json",
        "runs",
    ]
    assert compared.directory.parent == compared.root / "home" / "compare"
    assert stat.S_IMODE(compared.directory.stat().st_mode) == 0o700


@pytest.mark.slow_start
def test_no_file_has_the_key(compared: Compared) -> None:
    assert "with ***" in compared.row("mender")["runs"][0]["report"]["answer"]
    for path in (*compared.directory.rglob("*"), compared.root / "page.html"):
        assert not path.is_file() or KEY not in path.read_text()
    assert KEY not in compared.err
    names = sorted(path.name for path in (compared.directory / "runs").iterdir())
    assert names == ["1-mender-1.json", "1-mender-2.json", "2-evil-1.json", "2-evil-2.json"]


class Page(HTMLParser):
    """Collects tags, texts of `title` and `desc`, and the exact numbers of the tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.numbers: dict[tuple[str, str, str], float] = {}
        self.links: list[str] = []
        self.described = 0
        self._row: tuple[str, str] = ("", "")
        self._field = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.links += [str(given[name]) for name in ("src", "href") if name in given]
        self.described += tag == "desc"
        if tag == "tr":
            self._row = (given.get("data-strategy") or "", given.get("data-role") or "")
        elif tag == "td":
            self._field = given.get("data-field") or ""
        elif tag == "data":
            self.numbers[(*self._row, self._field)] = float(given["value"] or "nan")


@pytest.mark.slow_start
def test_the_page_has_the_same_numbers_and_runs_nothing(compared: Compared) -> None:
    page = Page(compared.page)
    assert "script" not in page.tags
    assert page.links == []
    assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;") in compared.page
    assert page.tags.count("svg") == page.described == 3
    for name in ("mender", "evil"):
        row = compared.row(name)
        expected = {
            "success_rate": row["success_rate"],
            "finished": row["finished"],
            "cost_usd": row["cost_usd"]["mean"],
            "cost_per_success_usd": row["cost_per_success_usd"],
            "input_tokens": row["input_tokens"]["mean"],
            "output_tokens": row["output_tokens"]["mean"],
            "cached_share": row["cached_share"],
            **{f"seconds_{kind}": row["seconds"][kind] for kind in ("mean", "min", "max")},
        }
        for field, value in expected.items():
            assert page.numbers.get((name, "", field)) == value, field
        for role in row["roles"]:
            for field in ("calls", "input_tokens", "output_tokens", "cached_tokens", "cost_usd"):
                assert page.numbers[name, role["role"], field] == role[field]


@pytest.mark.slow_start
def test_a_finished_comparison_is_shown_again_without_a_run(
    compared: Compared, ohs, tmp_path: Path
) -> None:
    served = len(compared.served)
    again = ohs("compare", "--resume", str(compared.directory), "--json", "--report", "again.html")
    assert again.code == 0, again.err
    assert json.loads(again.out) == compared.document
    assert (tmp_path / "again.html").read_text() == compared.page
    assert len(compared.served) == served
    shown = ohs("compare", "--resume", str(compared.directory))
    assert shown.code == 0
    assert "2/2" in shown.out
    assert "main $" in shown.out
    assert "helper $" in shown.out


@pytest.mark.slow_start
def test_a_resumed_comparison_asks_the_same(compared: Compared, ohs) -> None:
    resume = ("compare", "--resume", str(compared.directory))
    for arguments, option in (
        (("another task",), "TASK"),
        (("--repeat", "3"), "--repeat"),
        (("--check", "true"), "--check"),
        (("--workspace", "/"), "--workspace"),
        (("--strategies", "./mender.py"), "--strategies"),
        (("--strategies", "./mender.py,good=./breaker.py"), "--strategies"),
        (("--param", "mender.word=red"), "--param"),
        (("--model", "openai/cheap"), "--model"),
        (("--base-url", "http://127.0.0.1:1/v1"), "--base-url"),
        (("--price", "1,1"), "--price"),
        (("--max-budget", "1"), "--max-budget"),
    ):
        done = ohs(*resume, *arguments)
        assert done.code == 2, done
        assert f"error: {option} is not what" in done.err
        assert "[resume_conflict]" in done.err
    same = ohs(*resume, "mend code.txt", "--strategies", "./mender.py,evil=./breaker.py")
    assert same.code == 0, same.err


@pytest.mark.slow_start
def test_ctrl_c_keeps_what_is_finished_and_resume_does_the_rest(
    tmp_path: Path, watched, ohs, ohs_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strategies(tmp_path)
    place = workspace(tmp_path / "ws")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    out = tmp_path / "results"

    def sleeps(turn: Turn) -> Reply:
        if "You are the breaker" in turn.system:
            return in_terminal(turn, "(setsid sleep 61 &); sleep 61") or finish("slept")
        return script(turn)

    with ScriptedModel(sleeps, prices=PRICES) as model:
        arguments = command(
            "mend code.txt", "--strategies", "./mender.py,./breaker.py", "--workspace", "ws",
            "--check", "grep -q mended code.txt", "--out", str(out), *options(model),
        )  # fmt: skip
        with subprocess.Popen(
            arguments,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                first = out / "runs" / "1-mender-1.json"
                deadline = time.monotonic() + 90
                while not first.exists():
                    assert time.monotonic() < deadline
                    assert process.poll() is None, process.communicate()
                    time.sleep(0.1)
                watched.wait_for("sleep 61", count=2)
                # What ran meanwhile is in nobody else's hands.
                busy = ohs("compare", "--resume", str(out))
                assert "[compare_running]" in busy.err
                begun = time.monotonic()
                process.send_signal(signal.SIGINT)
                shown, said = process.communicate(timeout=40)
            finally:
                process.kill()
    assert time.monotonic() - begun < 15
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert f"stopped; go on with: ohs compare --resume {out}" in said
    assert "mender #1 finished, check passed" in said
    assert "1/1" in shown
    watched.wait_for_none()
    assert not list((tmp_path / "tmp").iterdir())
    kept = first.read_bytes()
    stopped = json.loads((out / "runs" / "2-breaker-1.json").read_text())
    assert stopped["status"] == "interrupted"
    assert stopped["success"] is None

    # The user goes on in the workspace meanwhile: runs still start from what it was.
    write(place / "code.txt", "mended\n")
    original = (tmp_path / "breaker.py").read_text()
    with ScriptedModel(script, prices=PRICES) as model:
        write(tmp_path / "breaker.py", original + "# other code\n")
        resume = ("compare", "--resume", str(out), "--json")
        changed = ohs(*resume)
        assert changed.code == 2
        assert json.loads(changed.out)["error"]["code"] == "strategy_changed"
        write(tmp_path / "breaker.py", original)
        asked = json.loads((out / "compare.json").read_text())
        # A new server has another port; nothing else of the question changes.
        write(out / "compare.json", json.dumps({**asked, "base_url": model.base_url}))
        done = ohs(*resume)
        assert done.code == 0, done.err + done.out
        assert {one.model for one in model.served} == {"main"}
        assert all("You are the breaker" in str(one.messages[0]) for one in model.served)
    assert first.read_bytes() == kept
    document = json.loads(done.out)
    assert [row["success_rate"] for row in document["results"]] == [1.0, 0.0]
    assert not (out / "start").exists()


@pytest.mark.slow_start
def test_what_cannot_be_carried_out_is_exit_code_1_and_done_again(ohs, tmp_path: Path) -> None:
    write(tmp_path / "fails.py", STRATEGY.format(name="fails", title="Fails") + "raise OSError\n")
    strategies(tmp_path)
    workspace(tmp_path / "ws")
    with ScriptedModel(script, prices=PRICES) as model:
        done = ohs(
            "compare", "mend", "--strategies", "./fails.py,./mender.py",
            "--workspace", "ws", "--check", "cat code.txt", "--keep", "--out", "results",
            "--model", "openai/main", "--base-url", model.base_url, "--report", "page.html",
        )  # fmt: skip
    assert done.code == 1, done.err
    assert "fails: " in done.err
    assert "[import_failed]" in done.err
    assert "go on with: ohs compare --resume" in done.err
    results = tmp_path / "results"
    failed = json.loads((results / "runs" / "1-fails-1.json").read_text())
    assert failed["status"] == "error"
    assert failed["error"]["code"] == "import_failed"
    assert failed["cost_usd"] is None
    # Without --price nobody knows dollars: null, and said so on the page.
    mended = json.loads((results / "runs" / "2-mender-1.json").read_text())
    assert mended["cost_usd"] is None
    assert mended["success"] is True
    assert (Path(mended["workspace"]) / "code.txt").read_text() == "mended\n"
    assert "unknown" in done.out
    page = Page((tmp_path / "page.html").read_text())
    assert ("mender", "", "cost_usd") not in page.numbers
    assert page.tags.count("svg") == 1
