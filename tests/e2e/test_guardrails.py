"""Guardrails laid over fusion: refusals in main agent and sidekicks, secrets that are told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from openhands_strategies.errors import ParameterError
from openhands_strategies.testing import Reply, Turn, by_model, call, finish, in_order, say
from openhands_strategies.testing.turns import text_of
from support import bench, tool_texts, write

pytestmark = pytest.mark.e2e

COMPOSED = """
from openhands_strategies.compose import layer

guarded = layer("fusion", "guardrails", name="guarded")
"""
CHEAP = {"fusion.sidekick_model": "openai/cheap", "fusion.allow_edits": True}
# Put together here, so that no scanner takes this file for a leak.
SECRET = "AKIA" + "Q3EGZ7T4W5XNB2RK"


@pytest.fixture
def reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    # The hooks' notes go below it, and /tmp is writable by default while tests work there.
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    write(tmp_path / "composed.py", COMPOSED)
    return f"{tmp_path / 'composed.py'}:guarded"


def test_slips_are_refused_in_main_agent_and_sidekick(tmp_path: Path, reference: str) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "ws" / "inside"
    outside.mkdir()
    write(outside / "precious", "content\n")
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "way_out").symlink_to(outside)
    script = by_model(
        {
            "main": in_order(
                [
                    call("terminal", command=f"true && rm -rf {outside}"),
                    call("terminal", command="bash -c 'echo x > way_out/made'"),
                    call(
                        "file_editor",
                        command="create",
                        path=str(tmp_path / "ws" / "way_out" / "made"),
                        file_text="x\n",
                    ),
                    call("file_editor", command="create", path=str(inside), file_text="x\n"),
                    call("task", subagent_type="sidekick", prompt="clean up"),
                    finish("done"),
                ]
            ),
            "cheap": in_order(
                [
                    call("terminal", command=f"rm {outside}/precious"),
                    call("terminal", command="sudo -n true"),
                    call(
                        "file_editor",
                        command="str_replace",
                        path=str(outside / "precious"),
                        old_str="content",
                        new_str="gone",
                    ),
                    say("refused three times"),
                ]
            ),
        }
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run(reference, params={**CHEAP, "guardrails.writable": "scratch"})
        main = tool_texts(b.served("main")[-1])
        sidekick = tool_texts(b.served("cheap")[-1])
        tools = b.served("main")[0].tools
    assert report.status == "finished"
    assert "guardrails [outside-write]" in main[0]
    assert "guardrails [outside-write]" in main[1]
    assert "guardrails [outside-write]" in main[2]
    assert "guardrails" not in main[3]
    assert inside.read_text() == "x\n"
    assert "guardrails [outside-write]" in sidekick[0]
    assert "guardrails [sudo]" in sidekick[1]
    assert "guardrails [outside-write]" in sidekick[2]
    assert [one.name for one in outside.iterdir()] == ["precious"]
    assert (outside / "precious").read_text() == "content\n"
    # An overlay of hooks brings no tools and no sub-agents.
    assert {"task", "terminal", "file_editor"} <= set(tools)


def test_a_rule_that_is_off_leaves_the_others_on(tmp_path: Path, reference: str) -> None:
    params = {**CHEAP, "guardrails.allow": "power, sudo", "guardrails.writable": ""}
    outside = tmp_path / "out"
    outside.mkdir()

    def script(turn: Turn) -> Reply:
        steps = [
            call("terminal", command="sudo -n true; true"),
            call("terminal", command=f"sudo rm -rf {outside}"),
            finish("done"),
        ]
        return in_order(steps)(turn)

    with bench(tmp_path / "ws", script) as b:
        b.run(reference, params=params)
        allowed, refused = tool_texts(b.served("main")[-1])
    assert "guardrails" not in allowed
    assert "guardrails [outside-write]" in refused
    assert outside.is_dir()


def test_secrets_are_told_once_when_the_agent_wants_to_finish(
    tmp_path: Path, reference: str
) -> None:
    leak = write(tmp_path / "ws" / "settings.ini", f"[aws]\nkey = {SECRET}\n")
    look = call("file_editor", command="view", path=str(leak))
    script = by_model(
        {
            "main": in_order(
                [
                    look,
                    call("task", subagent_type="sidekick", prompt="look, too"),
                    finish("first try"),
                    finish("an AWS key is in settings.ini; replace it"),
                ]
            ),
            "cheap": in_order([look, say("seen"), say("seen, and it has a key")]),
        }
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run(reference, params=CHEAP)
        main, sidekick = b.served("main"), b.served("cheap")
        directory = Path(os.environ["OHS_HOME"]) / "runs" / b.runs[-1].id
    assert report.status == "finished"
    assert report.answer == "an AWS key is in settings.ini; replace it"
    # PostToolUse only observes: the next call to the model says nothing of it.
    assert "Guardrails saw secrets" not in str(main[1].messages)
    for calls in (main, sidekick):
        told = [text_of(m) for m in calls[-1].messages if "Guardrails saw" in text_of(m)]
        assert len(told) == 1
        assert "AWS access key (AKIA…, 20 characters) in the output of file_editor" in told[0]
        assert SECRET not in told[0]
    assert "seen, and it has a key" in tool_texts(main[-1])[1]
    # The event log has what the hook said, and the notes are gone.
    events = [json.loads(file.read_text()) for file in (directory / "events").glob("*.json")]
    said = [one for one in events if one.get("hook_event_type") == "PostToolUse"]
    assert any("AWS access key" in str(one.get("additional_context")) for one in said)
    assert list((tmp_path / "temporary").glob("openhands-guardrails-*/*")) == []


def test_what_is_shown_is_what_runs(tmp_path: Path, reference: str) -> None:
    with bench(tmp_path / "ws", say("never")) as b:
        shown = [hook.command for hook in b.load("guardrails").manifest.capabilities.hooks]
        root = str(b.load("guardrails").root)
        default = b.prepare(reference).hooks
        other = b.prepare(
            reference,
            {
                "guardrails.allow": "sudo",
                "guardrails.writable": "/var/it's mine; rm -rf $HOME",
                "guardrails.secrets": False,
            },
        ).hooks
        with pytest.raises(ParameterError) as unknown:
            b.prepare(reference, {"guardrails.allow": "everything"})
    assert default is not None
    assert other is not None
    runs = [
        hook.command
        for event in (default.pre_tool_use, default.post_tool_use, default.stop)
        for matcher in event
        for hook in matcher.hooks
    ]
    assert runs == [command.replace("${PLUGIN_ROOT}", root) for command in shown]
    assert other.post_tool_use == []
    assert other.stop == []
    command = other.pre_tool_use[0].hooks[0].command
    assert "--allow sudo" in command
    assert """--writable '/var/it'"'"'s mine; rm -rf $HOME' || exit 2""" in command
    assert unknown.value.code == "param_choice"
    assert "'everything'" in unknown.value.message
