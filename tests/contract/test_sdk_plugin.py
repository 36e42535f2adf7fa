"""The SDK's plugin reader, which gives us the skills of a strategy's directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import write

pytestmark = pytest.mark.contract


def directory(root: Path, metadata: str) -> Path:
    write(root / metadata, json.dumps({"name": "demo", "version": "1.0.0", "description": "d"}))
    text = "---\nname: greet\ndescription: Greets.\n---\nSay hello.\n"
    write(root / "skills/greet/SKILL.md", text)
    return root


@pytest.mark.parametrize("metadata", [".plugin/plugin.json", "plugin.json"])
def test_skills_of_both_formats_are_found(tmp_path: Path, metadata: str) -> None:
    from openhands.sdk.plugin import Plugin

    plugin = Plugin.load(directory(tmp_path, metadata))
    assert [skill.name for skill in plugin.skills] == ["greet"]


def test_skills_are_added_to_a_copy_of_the_context(tmp_path: Path) -> None:
    # with_plugin_skills puts the result into a copy of the agent.
    from openhands.sdk import AgentContext
    from openhands.sdk.plugin import Plugin
    from openhands.sdk.skills import Skill

    plugin = Plugin.load(directory(tmp_path, ".plugin/plugin.json"))
    own = AgentContext(skills=[Skill(name="own", content="Own.")])
    merged = plugin.add_skills_to(own)
    assert {skill.name for skill in merged.skills} == {"own", "greet"}
    assert [skill.name for skill in own.skills] == ["own"]
    assert [skill.name for skill in plugin.add_skills_to(None).skills] == ["greet"]


def test_a_broken_plugin_json_is_a_value_error(tmp_path: Path) -> None:
    # read_plugin catches ValueError and OSError, and nothing else.
    from openhands.sdk.plugin import Plugin

    write(tmp_path / ".plugin/plugin.json", "{broken")
    with pytest.raises(ValueError, match="plugin"):
        Plugin.load(tmp_path)


def test_a_suffix_is_trusted_text(tmp_path: Path) -> None:
    # Role protocols stand in the suffix because it carries no untrusted marker.
    from openhands.sdk import AgentContext

    text = AgentContext(system_message_suffix="You are a sidekick.").get_system_message_suffix()
    assert text is not None
    assert "You are a sidekick." in text
    assert "UNTRUSTED" not in text
