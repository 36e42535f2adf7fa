"""The CLI as an ACP agent: an editor's JSON-RPC over stdin and stdout, and nothing else there."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from git_server import git
from openhands_strategies.testing import by_model, call, finish, in_order, say
from openhands_user import OPTIONS, PHASES, Cli, MakeCli
from support import write

pytestmark = [pytest.mark.openhands_cli, pytest.mark.e2e, pytest.mark.slow_start]


@dataclass
class Editor:
    """The other end of the protocol; allows what it is asked about, and notes it."""

    process: subprocess.Popen[str]
    lines: queue.Queue[str]
    stray: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    answer: str = "accept"
    _id: int = 0

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def request(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and return what is answered; an error is none."""
        message = self.answer_to(method, **params)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def answer_to(self, method: str, seconds: float = 90, **params: Any) -> dict[str, Any]:
        """Send a request and serve the agent's own until its answer comes."""
        self._id += 1
        self.send({"id": self._id, "method": method, "params": params})
        deadline = time.monotonic() + seconds
        while True:
            line = self.lines.get(timeout=max(0.1, deadline - time.monotonic()))
            try:
                message = json.loads(line)
            except ValueError:
                self.stray.append(line)
                continue
            if message.get("id") == self._id and "method" not in message:
                return message
            self._serve(message)

    def _serve(self, message: dict[str, Any]) -> None:
        if message.get("method") == "session/request_permission":
            self.asked.append(message["params"])
            outcome = {"outcome": "selected", "optionId": self.answer}
            self.send({"id": message["id"], "result": {"outcome": outcome}})
        elif message.get("method") == "session/update":
            self.updates.append(message["params"]["update"])


@contextmanager
def editor(cli: Cli, *arguments: str) -> Iterator[Editor]:
    with cli.start("acp", *arguments, stdin=subprocess.PIPE) as process:
        lines: queue.Queue[str] = queue.Queue()

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                lines.put(line)

        threading.Thread(target=read, daemon=True).start()
        try:
            made = Editor(process, lines)
            made.request("initialize", protocolVersion=1, clientCapabilities={})
            yield made
        finally:
            process.kill()


def prompt(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


def test_hooks_fire_and_sub_agents_ask_the_editor(cli: MakeCli, tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    # What a strategy prints has no place in the protocol.
    noisy = PHASES.replace("p = context.params", "p = context.params; print('NOISE')")
    write(plugin / "strategy.py", noisy)
    write(
        plugin / "hooks" / "hooks.json",
        """
        {"PreToolUse": [{"matcher": "terminal", "hooks": [{"type": "command",
          "command": "tee -a hook.log | grep -q forbidden && exit 2; exit 0"}]}]}
        """,
    )
    script = by_model(
        {
            "main": in_order(
                [
                    call("terminal", command="touch forbidden", security_risk="LOW"),
                    call("task", subagent_type="coder", prompt="write", security_risk="LOW"),
                    finish("acp is done"),
                    finish("and went on"),
                ]
            ),
            "cheap": in_order(
                [call("terminal", command="touch by-coder", security_risk="LOW"), say("wrote")]
            ),
        }
    )
    with cli(script) as c:
        c.save_settings()
        with editor(c, "--strategy", str(plugin)) as agent:
            session = agent.request("session/new", cwd=str(c.workspace), mcpServers=[])["sessionId"]
            ended = agent.request("session/prompt", sessionId=session, prompt=prompt("make it"))
            assert ended["stopReason"] == "end_turn"
        fired = (c.workspace / "hook.log").read_text()
        first, *_, last = c.served("main")
        # A second process: no --strategy, and the same conversation.
        with editor(c, "--resume", session) as again:
            resumed = again.request("session/new", cwd=str(c.workspace), mcpServers=[])
            assert resumed["sessionId"] == session
            again.request("session/prompt", sessionId=session, prompt=prompt("more"))
        assert (c.workspace / "by-coder").exists()
        assert not (c.workspace / "forbidden").exists()
        system = str(c.served("main")[-1].messages[0]["content"])
    assert "In phases, please: make it" in str(first.messages[1]["content"])
    results = [str(m["content"]).lower() for m in last.messages if m["role"] == "tool"]
    assert "blocked" in results[0]
    assert "touch forbidden" in fired
    assert "touch by-coder" in fired
    # Two of the main agent, one of its sub-agent.
    assert len(agent.asked) == 3
    assert "acp is done" in json.dumps(agent.updates)
    assert "and went on" in json.dumps(again.updates)
    assert "You direct the phases." in system
    assert agent.stray == again.stray == []


def test_what_the_editor_refuses_is_not_done(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    script = by_model(
        {
            "main": in_order(
                [
                    call("task", subagent_type="coder", prompt="write", security_risk="HIGH"),
                    finish("over"),
                ]
            ),
            "cheap": in_order(
                [call("terminal", command="touch made", security_risk="HIGH"), say("tried")]
            ),
        }
    )
    with cli(script) as c:
        c.save_settings()
        with editor(c, "--strategy", str(strategy)) as agent:
            session = agent.request("session/new", cwd=str(c.workspace), mcpServers=[])["sessionId"]
            agent.answer = "reject"
            agent.request("session/prompt", sessionId=session, prompt=prompt("make it"))
        assert not (c.workspace / "made").exists()
    assert len(agent.asked) == 1
    assert c.served("cheap") == []


def test_a_budget_that_is_spent_is_told_to_the_editor(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    with cli(lambda turn: call("terminal", command="true", security_risk="LOW")) as c:
        c.save_settings()
        options = (*OPTIONS, "--strategy", str(strategy), "--param", "total=0.01")
        with editor(c, *options) as agent:
            session = agent.request("session/new", cwd=str(c.workspace), mcpServers=[])["sessionId"]
            agent.request("session/prompt", sessionId=session, prompt=prompt("make it"))
            agent.request("session/prompt", sessionId=session, prompt=prompt("more"))
    told = [one for one in agent.updates if "of $0.01 are spent" in json.dumps(one)]
    assert agent.asked == []
    assert "agent_message_chunk" in {one["sessionUpdate"] for one in told}
    assert len(c.served("main")) == 1


def test_the_editor_is_told_what_does_not_hold(cli: MakeCli, tmp_path: Path) -> None:
    strategy = write(tmp_path / "phases.py", PHASES)
    with cli(in_order([call("terminal", command="true", security_risk="LOW"), finish("x")])) as c:
        c.save_settings()
        asks = ("--param", "confirm=always", "--llm-approve")
        with editor(c, "--strategy", str(strategy), "--param", "dollars=1", *asks) as agent:
            session = agent.request("session/new", cwd=str(c.workspace), mcpServers=[])["sessionId"]
            # Nothing is said in a session that the editor does not know yet.
            assert agent.updates == []
            agent.request("session/prompt", sessionId=session, prompt=prompt("make it"))
    told = json.dumps(agent.updates)
    assert "the budget of $1 for coder is not enforced" in told
    assert "wants confirmation (always), but you chose --llm-approve" in told
    assert agent.asked == []


def test_a_workspace_that_the_strategy_cannot_work_in(cli: MakeCli, tmp_path: Path) -> None:
    """The editor says it for each session; the agent was started in another directory."""
    other = tmp_path / "other"
    git(tmp_path, "init", "--quiet", "other")
    with cli(in_order([finish("done")])) as c:
        c.save_settings()
        with editor(c, "--strategy", "best-of-n") as agent:
            refused = agent.answer_to("session/new", cwd=str(c.workspace), mcpServers=[])
            assert "is in no git working tree" in refused["error"]["data"]["details"]
            session = agent.request("session/new", cwd=str(other), mcpServers=[])["sessionId"]
            agent.request("session/prompt", sessionId=session, prompt=prompt("make it"))
    assert len(c.served("main")) == 1
