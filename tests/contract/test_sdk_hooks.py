"""Hooks of the SDK: how they are merged, written down, and that they block."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import call, finish, in_order
from support import write

pytestmark = pytest.mark.contract


def config(command: str, event: str = "pre_tool_use", matcher: str = "*") -> Any:
    from openhands.sdk.hooks import HookConfig

    hook = {"type": "command", "command": command, "timeout": 9}
    return HookConfig.model_validate({event: [{"matcher": matcher, "hooks": [hook]}]})


def test_merging_puts_one_after_the_other() -> None:
    # merged_hooks: the fleet's hooks first, then the sub-agent's own.
    from openhands.sdk.hooks import HookConfig

    merged = HookConfig.merge([config("a"), config("b"), config("c", "stop")])
    assert merged is not None
    commands = [hook.command for matcher in merged.pre_tool_use for hook in matcher.hooks]
    assert commands == ["a", "b"]
    assert [matcher.hooks[0].command for matcher in merged.stop] == ["c"]
    assert HookConfig().is_empty()
    assert not merged.is_empty()


def test_hooks_survive_json_by_their_field_names() -> None:
    # They stand in the task tool's parameters.
    from openhands.sdk.hooks import HookConfig

    one = config("a b 'c'", matcher="terminal|task")
    data = json.loads(json.dumps(one.model_dump(mode="json", by_alias=True)))
    assert HookConfig.model_validate(data) == one


def test_the_files_format_and_ours_are_the_same_hooks(tmp_path: Path) -> None:
    # plugin_hooks reads hooks.json with `HookConfig.load`, which must not swallow errors.
    from openhands.sdk.hooks import HookConfig

    hook = {"type": "command", "command": "a", "timeout": 9}
    wrapped = {"hooks": {"PreToolUse": [{"matcher": "*", "hooks": [hook]}]}}
    path = write(tmp_path / "hooks.json", json.dumps(wrapped))
    assert HookConfig.load(path) == config("a")
    write(path, "{broken")
    with pytest.raises(ValueError, match="property name"):
        HookConfig.load(path)


def test_a_hook_that_exits_with_2_stops_the_tool_and_its_words_reach_the_model(
    converse: Any, tmp_path: Path
) -> None:
    # Fusion's read-only sidekicks and every safety hook stand on this.
    script = in_order([call("terminal", command="touch made"), finish("done")])
    guard = write(
        tmp_path / "guard.py",
        """
        import json, sys
        event = json.load(sys.stdin)
        if event["tool_name"] == "terminal" and "touch" in event["tool_input"]["command"]:
            print("only reading is allowed", file=sys.stderr)
            sys.exit(2)
        """,
    )
    conversation = converse(script, terminal=True, hook_config=config(f"{sys.executable} {guard}"))
    conversation.send_message("go")
    conversation.run()
    told = str(conversation.served_by.served[-1].messages[-1]["content"])
    assert "only reading is allowed" in told
    assert not (tmp_path / "ws/made").exists()
    assert conversation.state.execution_status.value == "finished"
