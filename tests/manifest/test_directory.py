"""Plugin directories without Python code, and the commands of all of them."""

from __future__ import annotations

import json

import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest import read_manifest

from .conftest import Write

SKILL = "---\nname: house\ndescription: How this house is kept.\n---\nTidy.\n"
SCHEMA = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"


@pytest.mark.parametrize(
    "file", ["plugin.json", ".plugin/plugin.json", ".claude-plugin/plugin.json"]
)
def test_all_that_a_plugin_json_says(write: Write, file: str) -> None:
    about = {"$schema": SCHEMA, "name": "house", "version": "1.2.0", "description": "Our style"}
    root = write({file: json.dumps(about), "skills/house/SKILL.md": SKILL})
    manifest = read_manifest(root, "", "other", "another")
    assert (manifest.name, manifest.description, manifest.version) == (
        "house",
        "Our style",
        "1.2.0",
    )
    assert (manifest.kind, manifest.attribute, manifest.params) == ("directory", "", ())
    assert (manifest.overlay, manifest.parts, manifest.line) == (True, {}, 0)
    assert manifest.file == file
    assert [skill.name for skill in manifest.capabilities.skills] == ["house"]


@pytest.mark.parametrize(
    ("attribute", "name", "expected"),
    [
        ("House Style", "known", "house-style"),
        (None, "known", "known"),
        (None, None, "tree"),
        ("HouseStyle", None, "house-style"),
    ],
)
def test_its_name_without_a_plugin_json(
    write: Write, attribute: str | None, name: str | None, expected: str
) -> None:
    agent = "---\ntools: [terminal, grep]\n---\nWork.\n"
    root = write({"commands/tidy.md": "Tidy.\n", "agents/a.md": agent})
    manifest = read_manifest(root, "", attribute, name)
    assert manifest.name == expected
    assert manifest.description == "Plugin directory with 1 skill, 1 agent"
    assert [skill.name for skill in manifest.capabilities.skills] == [f"{expected}:tidy"]
    assert manifest.capabilities.agents == ("a",)
    assert manifest.capabilities.tools == ("terminal", "grep")


def test_a_name_that_is_none_is_a_finding(write: Write) -> None:
    manifest = read_manifest(write({".plugin/plugin.json": '{"name": "My Plugin"}'}), "")
    assert manifest.name == "my-plugin"
    assert [finding.code for finding in manifest.findings] == ["name_form"]


def test_a_broken_one_is_an_error(write: Write) -> None:
    with pytest.raises(LoadError) as caught:
        read_manifest(write({"plugin.json": "{"}), "", "over")
    assert caught.value.code == "plugin_json_invalid"


@pytest.mark.parametrize("folder", ["commands", "dev.openhands/commands"])
def test_commands_are_skills_and_what_they_run_is_shown(write: Write, folder: str) -> None:
    root = write(
        {
            "strategy.py": 'class A:\n    name = "a"\n    def build(self, c): ...\n',
            f"{folder}/log.md": "---\ndescription: Log.\n---\nSee !`git log -3`.\n",
            f"{folder}/README.md": "None.\n",
        }
    )
    (skill,) = read_manifest(root, "strategy.py").capabilities.skills
    assert (skill.name, skill.description) == ("a:log", "Log.")
    assert skill.commands == ("git log -3",)
    assert skill.file == f"{folder}/log.md"


def test_a_command_that_cannot_be_read_is_a_finding(write: Write) -> None:
    manifest = read_manifest(write({"commands/a.md": "---\nname: [\n---\n"}), "", "x")
    assert [finding.file for finding in manifest.findings] == ["commands/a.md"]
