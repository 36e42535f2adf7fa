"""A conversation goes on in a new process with the strategy it was started with."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, Turn, by_model, call, finish, in_order, say
from openhands_user import OPTIONS, PHASES, RFC, MakeCli
from support import write

pytestmark = [pytest.mark.openhands_cli, pytest.mark.e2e, pytest.mark.slow_start]


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
