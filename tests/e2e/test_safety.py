"""Hooks, confirmation and secrets, for the main agent and for sub-agents."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import Reply, Turn, by_model, call, finish, in_order, say
from support import DELEGATING, bench, tool_texts, write

pytestmark = pytest.mark.e2e


def plugin(path: Path) -> Path:
    """A plugin directory whose hook refuses `touch`, and whose path holds a space."""
    write(path / "strategy.py", DELEGATING)
    write(
        path / "hooks" / "hooks.json",
        """
        {"hooks": {"PreToolUse": [{"matcher": "terminal", "hooks": [
            {"type": "command", "command": "sh ${PLUGIN_ROOT}/hooks/no_touch.sh"}]}]}}
        """,
    )
    write(
        path / "hooks" / "no_touch.sh",
        """
        if grep -q 'touch'; then echo 'touching is refused' >&2; exit 2; fi
        exit 0
        """,
    )
    write(
        path / "skills" / "house" / "SKILL.md",
        """\
        ---
        name: house
        description: How this house is kept
        ---
        Keep it tidy.
        """,
    )
    write(path / ".plugin" / "plugin.json", '{"name": "delegating", "version": "1.0.0"}')
    return path


def test_a_plugins_hooks_stop_main_agent_and_sub_agents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OHS_HOME", str(tmp_path / "a home with 'odd' $signs"))
    strategy = plugin(tmp_path / "my plugin")
    touching = in_order([call("terminal", command="touch made_by_helper"), say("tried")])
    script = by_model(
        {
            "main": in_order(
                [
                    call("terminal", command="touch made_by_main"),
                    call("task", subagent_type="helper", prompt="touch something"),
                    call("terminal", command="echo harmless"),
                    finish("done"),
                ]
            ),
            "cheap": touching,
        }
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run(str(strategy))
        main = tool_texts(b.served("main")[-1])
        helper = tool_texts(b.served("cheap")[-1])
        system = str(b.served("main")[0].messages[0]["content"])
        helpers_system = str(b.served("cheap")[0].messages[0]["content"])
    assert report.status == "finished"
    assert "touching is refused" in main[0]
    assert "harmless" in main[2]
    assert "touching is refused" in helper[0]
    assert not list((tmp_path / "ws").glob("made_by_*"))
    # Skills go to the main agent only.
    assert "How this house is kept" in system
    assert "How this house is kept" not in helpers_system


def test_fusions_sidekicks_only_read(tmp_path: Path) -> None:
    def reading(turn: Turn) -> Reply:
        if turn.replies == 0:
            return call("terminal", command="rm precious")
        # On a busy machine the SDK's tmux terminal loses the output of its first command.
        if "content" in turn.tool_results[-1].text or turn.replies > 5:
            return say("it is there")
        return call("terminal", command="cat precious")

    script = by_model(
        {
            "main": in_order(
                [
                    call("task", subagent_type="sidekick", prompt="remove it"),
                    call("terminal", command="touch main_may"),
                    finish("done"),
                ]
            ),
            "cheap": reading,
        }
    )
    write(tmp_path / "ws" / "precious", "content\n")
    with bench(tmp_path / "ws", script) as b:
        b.run("fusion", params={"sidekick_model": "openai/cheap"})
        refused, *read = tool_texts(b.served("cheap")[-1])
    assert "Sidekicks only read" in refused
    assert "content" in read[-1]
    assert (tmp_path / "ws" / "precious").exists()
    assert (tmp_path / "ws" / "main_may").exists()


def test_with_allow_edits_a_sidekick_may_write(tmp_path: Path) -> None:
    script = by_model(
        {
            "main": in_order(
                [call("task", subagent_type="sidekick", prompt="write"), finish("done")]
            ),
            "cheap": in_order([call("terminal", command="echo new > made"), say("written")]),
        }
    )
    with bench(tmp_path / "ws", script) as b:
        b.run("fusion", params={"sidekick_model": "openai/cheap", "allow_edits": True})
        assert "file_editor" in b.served("cheap")[0].tools
    assert (tmp_path / "ws" / "made").read_text() == "new\n"


def delegating_script(turn: Turn) -> Reply:
    return by_model(
        {
            "main": in_order(
                [call("task", subagent_type="helper", prompt="write"), finish("done")]
            ),
            "cheap": in_order([call("terminal", command="echo x > made"), say("tried")]),
        }
    )(turn)


def test_every_role_is_asked(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)
    asked: list[tuple[str, str]] = []

    def confirm(role: str, actions: list[Any]) -> bool:
        asked.extend((role, action.tool_name) for action in actions)
        return actions[0].tool_name != "terminal"

    with bench(tmp_path / "ws", delegating_script) as b:
        report = b.run(str(tmp_path), confirm=confirm, confirmation="always")
        told = tool_texts(b.served("cheap")[-1])[0]
    assert report.status == "finished"
    assert ("main", "task") in asked
    assert ("helper task_00000001", "terminal") in asked
    assert "the user said no" in told
    assert not (tmp_path / "ws" / "made").exists()


def test_where_nobody_can_answer_the_action_is_rejected_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)
    with bench(tmp_path / "ws", delegating_script) as b:
        report = b.run(str(tmp_path), confirmation="always")
        told = tool_texts(b.served("main")[-1])[0]
    assert report.status == "finished"
    assert "nobody can confirm" in told
    assert b.served("cheap") == []


def test_risky_asks_only_about_what_the_model_calls_risky(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)
    asked: list[str] = []

    def confirm(role: str, actions: list[Any]) -> bool:
        asked.extend(action.action.command for action in actions)
        return True

    script = in_order(
        [
            call("terminal", command="echo low", security_risk="LOW"),
            call("terminal", command="echo high", security_risk="HIGH"),
            finish("done"),
        ]
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run(str(tmp_path), confirm=confirm, confirmation="risky")
    assert report.status == "finished"
    assert asked == ["echo high"]


def test_the_key_is_in_no_file_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = "sk-canary-4f1c0ffee"
    monkeypatch.setenv("LLM_API_KEY", canary)
    write(tmp_path / "strategy.py", DELEGATING)
    with bench(tmp_path / "ws", delegating_script) as b:
        b.run(str(tmp_path))
    files = [
        Path(folder) / name
        for folder, _, names in os.walk(os.environ["OHS_HOME"])
        for name in names
    ]
    assert any(file.name == "run.json" for file in files)
    assert any(file.name == "tasks.json" for file in files)
    assert [file for file in files if canary.encode() in file.read_bytes()] == []
