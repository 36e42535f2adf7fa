"""A conversation goes on in a new process with the strategy it was started with."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from git_server import git
from openhands_strategies.testing import Reply, Turn, by_model, call, finish, in_order, say
from openhands_user import OPTIONS, PHASES, RFC, MakeCli
from support import write

pytestmark = [pytest.mark.openhands_cli, pytest.mark.e2e, pytest.mark.slow_start]


def commit(repository: Path, tag: str) -> None:
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", tag)
    git(repository, "tag", tag)


def test_kill_9_while_a_sub_agent_works(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)

    def worker(turn: Turn) -> Reply:
        if turn.replies == 0:
            return call("terminal", command="echo x > note; cat note", security_risk="LOW")
        return Reply(text="too late", delay=20) if turn.attempt == 0 else say("the note is there")

    def main(turn: Turn) -> Reply:
        if turn.replies == 0:
            return call("task", subagent_type="coder", prompt="write", security_risk="LOW")
        return finish("all went on")

    with cli(by_model({"main": main, "cheap": worker})) as c:
        first = c.start(
            *(*OPTIONS, "--strategy", str(strategy), "--param", "steps=7", "--headless", "--json"),
            *("--override-with-envs", "-t", "make it"),
        )
        deadline = time.monotonic() + 90
        while len(c.served("cheap")) < 1 or not (c.workspace / "note").exists():
            assert first.poll() is None, first.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(1)
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
        # What the file says now is of no account.
        strategy.write_text("raise RuntimeError('another version')\n")
        (conversation,) = (c.home / ".openhands" / "conversations").iterdir()
        other = c.headless("--resume", conversation.name, "--param", "steps=8", task="go on")
        done = c.headless("--resume", conversation.name, "--param", "steps=7", task="go on")
        system = str(c.served("main")[-1].messages[0]["content"])
        results = str(c.served("main")[-1].messages)
    assert other.code == 2
    assert json.loads(other.out)["error"]["code"] == "resume_conflict"
    assert "started with steps=7" in json.loads(other.out)["error"]["message"]
    assert done.code == 0, done.err
    assert done.events[-1]["observation"]["content"][0]["text"] == "all went on"
    assert "You direct the phases." in system
    assert "the note is there" in results


def test_an_id_that_there_is_not_starts_nothing(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    unknown, given = "2" * 32, ("--param", "steps=7", "--with", "guardrails")
    with cli(in_order([])) as c:
        results = [
            c.headless("--resume", unknown),
            c.headless("--resume", unknown, *given),
            c.headless("--resume", unknown, "--strategy", str(strategy)),
            c.headless("--resume", "nonsense", "--strategy", str(strategy)),
            c.headless("--resume", "12345678"),
            # An editor's session would be a new conversation under that id.
            c.run("acp", "--resume", unknown, "--strategy", str(strategy)),
        ]
        assert c.model.served == []
        assert not (c.home / ".openhands" / "conversations").exists()
    assert [done.code for done in results] == [2] * 6
    said = [json.loads(done.out)["error"] for done in results[:-1]]
    assert {error["code"] for error in said} == {"run_unknown"}
    assert unknown in said[0]["message"]
    assert "'nonsense' is no id" in said[3]["message"]
    assert f"there is no conversation {unknown}" in results[-1].err
    assert results[-1].out == ""


def test_another_commit_is_refused_and_the_first_one_runs(cli: MakeCli, tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    write(repository / "strategy.py", PHASES)
    git(repository, "init", "--quiet")
    commit(repository, "v1")
    reference = f"git+{repository.as_uri()}"
    with cli(in_order([finish("one"), finish("two")])) as c:
        untrusted = c.headless("--strategy", f"{reference}@v1")
        assert c.ohs("trust", f"{reference}@v1", "--yes").code == 0
        started = c.headless("--strategy", f"{reference}@v1")
        first = git(repository, "rev-parse", "v1")
        write(repository / "strategy.py", PHASES.replace("You direct the phases.", "SECOND."))
        commit(repository, "v2")
        # Another name for what was trusted, and one for what was not.
        git(repository, "tag", "--force", "v1")
        resume = ("--resume", started.conversation)
        unseen = c.headless(*resume, "--strategy", f"{reference}@v2", task="x")
        assert c.ohs("trust", f"{reference}@v2", "--yes").code == 0
        other = c.headless(*resume, "--strategy", f"{reference}@v2", task="x")
        moved = c.headless(*resume, "--strategy", f"{reference}@v1", task="x")
        assert len(c.model.served) == 1
        same = c.headless(*resume, task="more")
        system = str(c.served("main")[-1].messages[0]["content"])
    assert untrusted.code == unseen.code == 4
    assert other.code == moved.code == 2
    error = json.loads(other.out)["error"]
    assert error["code"] == json.loads(moved.out)["error"]["code"] == "resume_conflict"
    assert first in error["message"]
    assert git(repository, "rev-parse", "v2") in error["message"]
    assert same.code == 0, same.err
    assert "You direct the phases." in system


def test_another_strategy_is_refused_and_the_same_one_is_not(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    published = write(tmp_path / "published.py", RFC)
    with cli(in_order([finish("one"), finish("two")])) as c:
        done = c.headless("--strategy", str(strategy))
        other = c.headless("--resume", done.conversation, "--strategy", str(published), task="x")
        same = c.headless("--resume", "--last", "--strategy", str(strategy), task="more")
    assert other.code == 2
    message = json.loads(other.out)["error"]["message"]
    assert "phases.py" in message
    assert "published.py" in message
    assert same.code == 0, same.err
    assert "two" in same.out
