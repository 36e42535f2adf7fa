"""Skills and hooks beside `strategy.py`; `${PLUGIN_ROOT}` as a real shell reads it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openhands_strategies.errors import LoadError
from openhands_strategies.runtime.plugin_directory.files import plugin_hooks, with_plugin_skills
from openhands_strategies.runtime.plugin_directory.roots import expand_command, expand_root
from openhands_strategies.runtime.plugin_directory.skills import plugin_skills
from support import write

# What a path may hold and a shell would like to read as something else.
PATHS = st.text(
    alphabet=st.sampled_from(list("ab/ '\"$`\\*?!#&;|<>(){}[]~\t\n=%-é")), min_size=1, max_size=12
).map(lambda text: f"/{text}")


def shell(command: str) -> list[str]:
    """The words that `sh -c` passes on to a command."""
    script = f"show() {{ for word; do printf '%s\\0' \"$word\"; done; }}; {command}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split("\0")[:-1]


@settings(max_examples=60, deadline=None)
@given(PATHS)
@example("/home/o'brien/my tree")
@example('/srv/"quoted" $HOME `id`')
@example("/back\\slash/$(touch x)")
@example("/-n/${PLUGIN_ROOT}")
@example("/-n/${CLAUDE_PLUGIN_ROOT}")
def test_the_shell_reads_the_path_as_one_word_however_it_is_quoted(root: str) -> None:
    command = "show ${PLUGIN_ROOT}/a \"${PLUGIN_ROOT}/b c\" '${PLUGIN_ROOT}/d e' end"
    assert shell(expand_command(command, root)) == [
        f"{root}/a",
        f"{root}/b c",
        f"{root}/d e",
        "end",
    ]


@settings(max_examples=30, deadline=None)
@given(PATHS)
def test_within_a_word_and_after_other_quotes(root: str) -> None:
    words = (
        "--file=${PLUGIN_ROOT}/x",
        '"it\'s ${PLUGIN_ROOT}"',
        "'a\"b'${PLUGIN_ROOT}",
        '\\"${PLUGIN_ROOT}',
    )
    command = "show " + " ".join(words)
    assert shell(expand_command(command, root)) == [
        f"--file={root}/x",
        f"it's {root}",
        f'a"b{root}',
        f'"{root}',
    ]


@given(st.text(max_size=40), PATHS)
def test_a_command_without_the_variable_stays_as_it_is(command: str, root: str) -> None:
    command = command.replace("PLUGIN_ROOT}", "")
    assert expand_command(command, root) == command


def test_the_variable_of_another_tool_means_the_same() -> None:
    command = 'show "${CLAUDE_PLUGIN_ROOT}/a" ${PLUGIN_ROOT}/b'
    assert shell(expand_command(command, "/a tree")) == ["/a tree/a", "/a tree/b"]


def test_other_variables_stay_for_the_shell() -> None:
    assert (
        expand_command('$HOME/x "$PLUGIN_ROOT" ${OTHER}', "/r") == '$HOME/x "$PLUGIN_ROOT" ${OTHER}'
    )


HOOKS = {
    "hooks": {
        "PreToolUse": [
            {
                "matcher": "terminal",
                "hooks": [
                    {
                        "type": "command",
                        "command": "python3 ${PLUGIN_ROOT}/hooks/a.py",
                        "timeout": 7,
                    }
                ],
            }
        ],
        "Stop": [{"hooks": [{"type": "command", "command": "true"}]}],
    }
}
SKILL = """\
---
name: {name}
description: Says something.
---
Say {name}.
"""


def plugin(root: Path, *, metadata: str | None = ".plugin/plugin.json") -> Path:
    if metadata:
        write(root / metadata, json.dumps({"name": "demo", "version": "1.0.0", "description": "d"}))
    write(root / "hooks/hooks.json", json.dumps(HOOKS))
    write(root / "skills/greet/SKILL.md", SKILL.format(name="greet"))
    return root


@pytest.mark.parametrize("metadata", [".plugin/plugin.json", "plugin.json", None])
def test_hooks_and_skills_of_both_formats_are_read(tmp_path: Path, metadata: str | None) -> None:
    plugin(tmp_path, metadata=metadata)
    assert [skill.name for skill in plugin_skills(tmp_path, "demo", "x")] == ["greet"]
    hooks = plugin_hooks(tmp_path, "x")
    assert hooks is not None
    assert hooks.pre_tool_use[0].hooks[0].command == f"python3 {tmp_path}/hooks/a.py"
    assert hooks.pre_tool_use[0].hooks[0].timeout == 7
    assert hooks.pre_tool_use[0].matcher == "terminal"
    assert hooks.stop[0].hooks[0].command == "true"


def test_a_root_with_a_space_is_quoted(tmp_path: Path) -> None:
    root = plugin(tmp_path / "my tree")
    hooks = plugin_hooks(root, "x")
    assert hooks is not None
    assert hooks.pre_tool_use[0].hooks[0].command == f"python3 '{root}'/hooks/a.py"


def test_hooks_of_both_layouts_are_attached_in_order(tmp_path: Path) -> None:
    plugin(tmp_path)
    other = {"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": "second"}]}]}}
    write(tmp_path / "dev.openhands/hooks/hooks.json", json.dumps(other))
    hooks = plugin_hooks(tmp_path, "x")
    assert hooks is not None
    commands = [hook.command for matcher in hooks.pre_tool_use for hook in matcher.hooks]
    assert commands == [f"python3 {tmp_path}/hooks/a.py", "second"]


def test_no_hooks_are_none(tmp_path: Path) -> None:
    assert plugin_hooks(tmp_path, "x") is None
    write(tmp_path / "hooks/hooks.json", '{"hooks": {}}')
    assert plugin_hooks(tmp_path, "x") is None


@pytest.mark.parametrize("text", ["{broken", "[1]", '{"hooks": {"PreToolUse": 3}}', "\0"])
def test_hooks_that_cannot_be_read_are_not_left_out(tmp_path: Path, text: str) -> None:
    write(tmp_path / "hooks/hooks.json", text)
    with pytest.raises(LoadError) as caught:
        plugin_hooks(tmp_path, "strategy 'x' (./x)")
    assert caught.value.code == "hooks_json_invalid"
    assert "hooks/hooks.json" in caught.value.message


def test_expanding_leaves_the_given_hooks_alone(tmp_path: Path) -> None:
    from openhands.sdk.hooks import HookConfig

    given_hooks = HookConfig.model_validate(HOOKS)
    before = given_hooks.model_dump()
    expanded = expand_root(given_hooks, tmp_path)
    assert given_hooks.model_dump() == before
    assert expand_root(expanded, tmp_path) == expanded


def test_hooks_of_every_event_are_attached(tmp_path: Path) -> None:
    from openhands.sdk.hooks import HookConfig

    events = sorted(HookConfig.model_fields)
    assert len(events) >= 6
    hooks = {event: [{"hooks": [{"command": f"echo {event}"}]}] for event in events}
    write(tmp_path / "hooks/hooks.json", json.dumps(hooks))
    found = plugin_hooks(tmp_path, "x")
    assert found is not None
    assert {event: getattr(found, event)[0].hooks[0].command for event in events} == {
        event: f"echo {event}" for event in events
    }


def test_skills_are_added_to_those_of_the_agent(tmp_path: Path, make_llm: Any) -> None:
    from openhands.sdk import Agent, AgentContext
    from openhands.sdk.skills import Skill

    found = plugin_skills(plugin(tmp_path), "demo", "x")
    own = AgentContext(
        skills=[Skill(name="own", content="Own.")], system_message_suffix="Be brief."
    )
    agent = Agent(llm=make_llm(), tools=[], agent_context=own)
    merged = with_plugin_skills(agent, found, "x").agent_context
    assert merged is not None
    assert [skill.name for skill in merged.skills] == ["own", "greet"]
    assert merged.system_message_suffix == "Be brief."
    assert [skill.name for skill in own.skills] == ["own"]
    bare = with_plugin_skills(Agent(llm=make_llm(), tools=[]), found, "x").agent_context
    assert bare is not None
    assert [skill.name for skill in bare.skills] == ["greet"]
    assert with_plugin_skills(agent, [], "x") is agent


def test_a_skill_made_twice_is_a_clash_not_a_choice(tmp_path: Path, make_llm: Any) -> None:
    from openhands.sdk import Agent, AgentContext
    from openhands.sdk.skills import Skill

    context = AgentContext(skills=[Skill(name="greet", content="Own.")])
    agent = Agent(llm=make_llm(), tools=[], agent_context=context)
    found = plugin_skills(plugin(tmp_path), "demo", "x")
    with pytest.raises(LoadError) as caught:
        with_plugin_skills(agent, found, "strategy 'x' (./x)")
    assert caught.value.code == "skill_clash"
    assert caught.value.message.startswith("strategy 'x' (./x): the skill 'greet'")
