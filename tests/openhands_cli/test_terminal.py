"""The terminal interface in a real terminal: type, confirm, pause, read the screen."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from openhands_strategies.testing import by_model, call, finish, in_order, say
from openhands_user import PHASES, Cli, MakeCli, fails_the_second_time
from support import write

pytestmark = [pytest.mark.openhands_cli, pytest.mark.e2e, pytest.mark.slow_start]

# Of the environment, what a login shell would not bring.
PASSED = ("HOME", "OHS_HOME", "PATH", "PYTHONPATH", "LITELLM_LOCAL_MODEL_COST_MAP")


@dataclass(frozen=True)
class Screen:
    """A tmux server of its own with one window."""

    socket: Path

    def tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self.socket), *arguments]
        # A size that stands in the environment would count for more than the window's.
        plain = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8"}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=plain)
        return done.stdout

    def read(self) -> str:
        return self.tmux("capture-pane", "-p")

    def wait_for(self, text: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while text not in (shown := self.read()):
            assert time.monotonic() < deadline, shown
            time.sleep(0.1)
        return shown

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)
        self.wait_for(text)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)


@contextmanager
def screen(cli: Cli, *arguments: str) -> Iterator[Screen]:
    """The CLI in a terminal; when it ends, the terminal says so and stays."""
    shown = Screen(cli.home / "tmux")
    settings = [f"{name}={cli.environment[name]}" for name in PASSED if name in cli.environment]
    command = shlex.join(["env", *settings, *cli.command(*arguments)])
    shown.tmux(
        *("-f", "/dev/null", "new-session", "-d", "-x", "130", "-y", "60"),
        *("-c", str(cli.workspace), "sh", "-c", f"{command}; echo ended with $?; sleep 100"),
    )
    try:
        yield shown
    finally:
        shown.tmux("kill-server")


def strategy(tmp_path: Path) -> str:
    return str(write(tmp_path / "phases.py", PHASES))


def test_every_action_of_every_agent_is_confirmed(cli: MakeCli, tmp_path: Path) -> None:
    script = by_model(
        {
            "main": in_order(
                [
                    call("terminal", command="touch by-main", security_risk="LOW"),
                    call("task", subagent_type="coder", prompt="write", security_risk="LOW"),
                    finish("all is done"),
                ]
            ),
            "cheap": in_order(
                [
                    call("terminal", command="touch refused # [b]", security_risk="LOW"),
                    call("terminal", command="touch by-coder", security_risk="LOW"),
                    say("I wrote it"),
                ]
            ),
        }
    )
    with cli(script) as c:
        settings = c.save_settings()
        before = settings.read_bytes()
        with screen(c, "--strategy", strategy(tmp_path), "--param", "dollars=1") as shown:
            shown.wait_for("What do you want to build?")
            shown.type("build a shop")
            first = shown.wait_for("Confirm 1 action(s)?")
            assert "strategy phases" in first
            assert "main: openai/main, coder: openai/cheap" in first
            assert "the budget of $1 for coder is not enforced" in first
            assert "$ touch by-main" in first
            assert not (c.workspace / "by-main").exists()
            shown.press("Enter")
            shown.wait_for('task: {"subagent_type": "coder"')
            shown.wait_for("Confirm 1 action(s)?")
            assert (c.workspace / "by-main").exists()
            shown.press("Enter")
            asked = shown.wait_for("coder task_00000001: confirm 1 action(s)?")
            assert "$ touch refused" in asked
            assert "command: touch refused # [b]" in asked
            shown.press("Down", "Enter")
            shown.wait_for("$ touch by-coder")
            shown.wait_for("coder task_00000001: confirm 1 action(s)?")
            shown.press("Enter")
            shown.wait_for("all is done")
            # The CLI's own way out.
            shown.press("C-q")
            shown.wait_for("Terminate session?")
            shown.press("Enter")
            end = shown.wait_for("ended with 0")
        assert "In phases, please: build a shop" in str(c.served("main")[0].messages[1]["content"])
        assert "the user said no" in str(c.served("cheap")[1].messages[-1]["content"])
        assert settings.read_bytes() == before
        assert (c.workspace / "by-coder").exists()
        assert not (c.workspace / "refused").exists()
    assert "resumed by: ohs openhands --resume" in " ".join(end.split())


def test_esc_pauses_a_sub_agent_and_a_message_goes_on(cli: MakeCli, tmp_path: Path) -> None:
    script = by_model(
        {
            "main": in_order(
                [
                    call("task", subagent_type="coder", prompt="write", security_risk="LOW"),
                    finish("we went on"),
                ]
            ),
            "cheap": in_order([call("terminal", command="touch made", security_risk="LOW")]),
        }
    )
    with cli(script) as c:
        c.save_settings()
        with screen(c, "--strategy", strategy(tmp_path)) as shown:
            shown.wait_for("What do you want to build?")
            shown.type("build a shop")
            shown.wait_for("Confirm 1 action(s)?")
            shown.press("Enter")
            shown.wait_for("coder task_00000001: confirm")
            shown.press("Escape")
            deadline = time.monotonic() + 20
            while "coder task_00000001: confirm" in shown.read() or "Working" in shown.read():
                assert time.monotonic() < deadline, shown.read()
                time.sleep(0.1)
            # Nothing goes on by itself.
            assert len(c.served("main")) == 1
            assert not (c.workspace / "made").exists()
            shown.type("and now?")
            shown.wait_for("we went on")
        assert "interrupted" in str(c.served("main")[1].messages[-2]["content"])


def test_a_new_conversation_beside_a_resumed_one_has_its_strategy(
    cli: MakeCli, tmp_path: Path
) -> None:
    with cli(in_order([finish("one"), finish("two")])) as c:
        c.save_settings()
        done = c.headless("--strategy", strategy(tmp_path), task="first")
        with screen(c, "--resume", done.conversation) as shown:
            shown.wait_for("What do you want to build?")
            shown.type("second")
            resumed = shown.wait_for("two")
            # The first Enter takes the suggestion, the second one sends it.
            shown.type("/new")
            shown.press("Enter")
            deadline = time.monotonic() + 30
            while done.conversation in shown.read():
                assert time.monotonic() < deadline, shown.read()
                time.sleep(0.1)
            shown.type("third")
            shown.wait_for("one")
        texts = [str(one.messages[-1]["content"]) for one in c.served("main")]
    assert "strategy phases" in resumed
    assert "In phases, please: first" in texts[0]
    # Only the first message of a conversation stands in the prompt.
    assert "In phases" not in texts[1]
    assert "second" in texts[1]
    assert "In phases, please: third" in texts[2]


def test_what_the_user_chose_counts_and_a_line_says_so(cli: MakeCli, tmp_path: Path) -> None:
    script = in_order(
        [call("terminal", command="touch by-main", security_risk="LOW"), finish("all is done")]
    )
    arguments = ("--strategy", strategy(tmp_path), "--param", "confirm=always", "--llm-approve")
    with cli(script) as c:
        c.save_settings()
        with screen(c, *arguments) as shown:
            shown.wait_for("What do you want to build?")
            shown.type("build a shop")
            end = shown.wait_for("all is done")
            assert (c.workspace / "by-main").exists()
    said = "note: the strategy wants confirmation (always), but you chose --llm-approve"
    assert said in " ".join(end.split())


def test_a_strategy_that_fails_in_the_conversation_is_said_as_ours(
    cli: MakeCli, tmp_path: Path
) -> None:
    path = write(tmp_path / "phases.py", fails_the_second_time(tmp_path))
    with cli(in_order([])) as c:
        c.save_settings()
        with screen(c, "--strategy", str(path)) as shown:
            shown.wait_for("What do you want to build?")
            shown.type("build a shop")
            end = shown.wait_for("ended with 3")
    assert "Traceback" not in end
    assert "division by zero" in end
