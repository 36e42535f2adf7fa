"""Skills, commands, agents and MCP servers of a plugin directory, as built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.compose.brought import bringers, servers_of
from openhands_strategies.errors import StrategyError
from openhands_strategies.project.home import Home
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.runtime.building import build_blueprint
from openhands_strategies.runtime.loader import load, load_again
from openhands_strategies.strategy import AgentSpec, Blueprint
from support import write

PLAIN = """
from openhands.sdk import Agent
from openhands_strategies import AgentSpec, Blueprint, Strategy, SubAgent

class Plain(Strategy):
    name = "plain"
    description = "One agent"

    def build(self, context):
        helper = SubAgent(description="helps", agent=AgentSpec(suffix="Help."))
        return Blueprint(agent=Agent(llm=context.llm, tools=[]), subagents={"helper": helper})
"""
REVIEWER = """\
---
name: reviewer
description: Finds faults.
tools:
  - terminal
  - file_editor
model: inherit
max_iteration_per_run: 7
hooks:
  pre_tool_use:
    - matcher: terminal
      hooks:
        - command: "python3 ${PLUGIN_ROOT}/guard.py"
---
You review and change nothing.
"""
SKILL = "---\nname: {name}\ndescription: About {name}.\n---\nThe text of {name}.\n"
SCHEMA = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"


@pytest.fixture
def build(tmp_path: Path, home: Home, make_llm: Any) -> Any:
    """Build the strategy in `tmp_path/tree` as `ohs plan` would."""

    def built(root: Path) -> Blueprint:
        loaded = load(resolve(str(root), base=tmp_path), home)
        return build_blueprint(loaded, make_llm(), {}, home=home)

    return built


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "tree/strategy.py", PLAIN)
    return tmp_path / "tree"


def refused(build: Any, root: Path) -> StrategyError:
    with pytest.raises(StrategyError) as caught:
        build(root)
    return caught.value


@pytest.mark.parametrize("folder", ["agents", "dev.openhands/agents"])
def test_an_agent_in_markdown_is_declared_data(build: Any, root: Path, folder: str) -> None:
    write(root / folder / "reviewer.md", REVIEWER)
    write(root / folder / "README.md", "No agent.\n")
    write(root / "guard.py", "")
    blueprint = build(root)
    assert set(blueprint.subagents) == {"helper", "reviewer"}
    reviewer = blueprint.subagents["reviewer"]
    assert reviewer.description == "Finds faults."
    assert reviewer.agent == AgentSpec(
        tools=("terminal", "file_editor"), suffix="You review and change nothing."
    )
    assert (reviewer.model, reviewer.profile) == (None, None)
    assert reviewer.limits.iterations == 7
    command = reviewer.hooks.pre_tool_use[0].hooks[0].command
    script = Path(command.removeprefix("python3 "))
    assert script.name == "guard.py"
    assert script.is_file()
    assert [one.part for one in bringers(blueprint, "subagent", "reviewer")] == ["plain"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("openai/cheap", ("openai/cheap", None)),
        ("careful", (None, "careful")),
        ("careful.json", (None, "careful")),
        ("inherit", (None, None)),
    ],
)
def test_a_model_or_a_profile(build: Any, root: Path, text: str, expected: Any) -> None:
    write(root / "agents/a.md", f"---\nmodel: {text}\n---\nWork.\n")
    agent = build(root).subagents["a"]
    assert (agent.model, agent.profile) == expected
    assert agent.description == "a"


def test_a_budget_counts_where_the_sdk_knows_it(build: Any, root: Path) -> None:
    from openhands.sdk.subagent import AgentDefinition

    write(root / "agents/a.md", "---\nmax_budget_per_run: 0.5\n---\nWork.\n")
    known = "max_budget_per_run" in AgentDefinition.model_fields
    assert build(root).subagents["a"].limits.budget == (0.5 if known else None)


def test_an_agent_may_name_skills_beside_it(build: Any, root: Path) -> None:
    write(root / "agents/a.md", "---\nskills: one\n---\nWork.\n")
    write(root / "skills/one/SKILL.md", SKILL.format(name="one"))
    write(root / "skills/two/SKILL.md", SKILL.format(name="two"))
    inner = build(root).subagents["a"].agent
    assert isinstance(inner, Blueprint)
    context = inner.agent.agent_context
    assert context is not None
    assert [skill.name for skill in context.skills] == ["one"]
    assert context.system_message_suffix == "Work."
    assert inner.agent.condenser is not None


@pytest.mark.parametrize(
    ("file", "text", "code", "named"),
    [
        ("agents/helper.md", "Help as well.\n", "subagent_clash", "'helper'"),
        ("agents/a.md", "---\nskills: [lost]\n---\nx\n", "agent_skill_unknown", "'lost'"),
        ("agents/a.md", "---\ntools: [Read]\n---\nx\n", "tool_unknown", "'Read'"),
        ("agents/a.md", "---\nname: [\n---\nx\n", "agent_invalid", "agents/a.md"),
        ("agents/a.md", "---\nmax_iteration_per_run: 0\n---\nx\n", "agent_invalid", "agents/a.md"),
        (
            "agents/a.md",
            "---\npermission_mode: always_confirm\n---\nx\n",
            "agent_unsupported",
            "permission_mode",
        ),
        ("commands/a.md", "---\nname: [\n---\nx\n", "command_invalid", "commands/a.md"),
        ("skills/a/SKILL.md", "---\nname: [\n---\nx\n", "skill_invalid", "skills/a/SKILL.md"),
        (".mcp.json", '{"mcpServers": []}', "mcp_json_invalid", ".mcp.json"),
        (".mcp.json", '{"mcpServers": {"a": {"command": "x-none"}}}', "mcp_command_missing", "'a'"),
    ],
)
def test_what_cannot_be_used_is_named(
    build: Any, root: Path, file: str, text: str, code: str, named: str
) -> None:
    write(root / file, text)
    error = refused(build, root)
    assert error.code == code
    assert named in error.message
    assert error.hint


def test_two_agents_of_one_name(build: Any, root: Path) -> None:
    write(root / "agents/a.md", "---\nname: same\n---\nx\n")
    write(root / "dev.openhands/agents/b.md", "---\nname: same\n---\ny\n")
    assert refused(build, root).code == "subagent_clash"


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        (None, "plain"),
        (".plugin/plugin.json", "house"),
        (".claude-plugin/plugin.json", "house"),
        ("plugin.json", "house"),
    ],
)
def test_a_command_is_a_skill_with_a_trigger(
    build: Any, root: Path, metadata: str | None, name: str
) -> None:
    if metadata:
        about = {"$schema": SCHEMA, "name": "house", "version": "1.0.0", "description": "d"}
        write(root / metadata, json.dumps(about))
    write(root / "commands/review.md", "---\ndescription: Reviews.\n---\nReview $ARGUMENTS.\n")
    context = build(root).agent.agent_context
    (skill,) = context.skills
    assert skill.name == f"{name}:review"
    assert skill.match_trigger(f"please /{name}:review core/") == f"/{name}:review"
    assert "Review $ARGUMENTS." in skill.content


def test_skills_with_triggers_and_resources(build: Any, root: Path) -> None:
    text = SKILL.format(name="house").replace("---\nThe", "triggers:\n  - tidy\n---\nThe")
    write(root / "skills/house/SKILL.md", text)
    write(root / "skills/house/references/rules.md", "Rule one.\n")
    write(root / "skills/short.md", "---\nname: short\ntriggers: [brief]\n---\nBe short.\n")
    by_name = {skill.name: skill for skill in build(root).agent.agent_context.skills}
    assert set(by_name) == {"house", "short"}
    house = by_name["house"]
    assert house.match_trigger("keep it tidy") == "tidy"
    assert house.resources is not None
    assert house.resources.references == ["rules.md"]
    rules = Path(house.resources.skill_root) / "references/rules.md"
    assert rules.read_text() == "Rule one.\n"
    assert by_name["short"].match_trigger("in brief") == "brief"


def test_a_single_skill_at_the_root_has_the_strategys_name(build: Any, root: Path) -> None:
    write(root / "SKILL.md", "---\ndescription: Alone.\n---\nThe only one.\n")
    (skill,) = build(root).agent.agent_context.skills
    assert (skill.name, skill.content) == ("plain", "The only one.")


def test_two_skills_of_one_name(build: Any, root: Path) -> None:
    write(root / "skills/one/SKILL.md", SKILL.format(name="same"))
    write(root / "skills/two/SKILL.md", SKILL.format(name="same"))
    error = refused(build, root)
    assert (error.code, "'same'" in error.message) == ("skill_clash", True)


def test_servers_of_both_files(build: Any, root: Path, home: Home) -> None:
    old = {"command": "sh", "args": ["${PLUGIN_ROOT}/s.sh", "${CLAUDE_PLUGIN_ROOT}", "${TOKEN}"]}
    new = {"type": "stdio", "command": "./bin/serve", "args": ["${PLUGIN_DATA}/x"]}
    write(root / ".mcp.json", json.dumps({"mcpServers": {"old": old}}))
    write(root / "mcp.json", json.dumps({"mcpServers": {"new": new}}))
    write(root / "bin/serve", "#!/bin/sh\n").chmod(0o755)
    write(root / "s.sh", "")
    blueprint = build(root)
    servers = {
        name: one if isinstance(one, dict) else one.model_dump(context={"expose_secrets": True})
        for name, one in servers_of(blueprint.agent).items()
    }
    script, again, token = servers["old"]["args"]
    tree = Path(again)
    assert (Path(script), token) == (tree / "s.sh", "${TOKEN}")
    assert Path(script).is_file()
    assert servers["new"]["command"] == str(tree / "bin/serve")
    assert Path(servers["new"]["cwd"]) == tree
    data = Path(servers["new"]["args"][0]).parent
    assert data.parent == home.path / "plugin-data"
    assert data.is_dir()
    assert servers["new"]["env"] == {"PLUGIN_ROOT": str(tree), "PLUGIN_DATA": str(data)}
    assert bringers(blueprint, "mcp", "new")[0].part == "plain"


def test_two_servers_of_one_name(build: Any, root: Path) -> None:
    write(root / ".mcp.json", '{"mcpServers": {"a": {"command": "sh"}}}')
    write(root / "mcp.json", '{"mcpServers": {"a": {"type": "stdio", "command": "cat"}}}')
    assert refused(build, root).code == "mcp_clash"


def test_an_agents_servers_are_its_parents_too(build: Any, root: Path) -> None:
    text = "---\n{}:\n  tick:\n    command: sh\n    args: ['${{PLUGIN_ROOT}}']\n---\nx\n"
    from openhands.sdk.subagent import AgentDefinition

    key = "mcp_config" if "mcp_config" in AgentDefinition.model_fields else "mcp_servers"
    write(root / "agents/a.md", text.format(key))
    blueprint = build(root)
    inner = blueprint.subagents["a"].agent
    assert isinstance(inner, Blueprint)
    assert list(servers_of(blueprint.agent)) == list(servers_of(inner.agent)) == ["tick"]
    assert "${PLUGIN_ROOT}" not in str(servers_of(blueprint.agent)["tick"])


def test_a_directory_without_python_is_an_overlay(
    tmp_path: Path, home: Home, make_llm: Any
) -> None:
    root = tmp_path / "House Style"
    write(root / "skills/house/SKILL.md", SKILL.format(name="house"))
    write(root / "commands/tidy.md", "Tidy up.\n")
    loaded = load(resolve(str(root), base=tmp_path), home)
    assert (loaded.name, loaded.origin.module) == ("house-style", "")
    assert loaded.strategy.overlay
    assert loaded.strategy.description == "Plugin directory with 2 skills"
    blueprint = build_blueprint(loaded, make_llm(), {}, home=home)
    context = blueprint.agent.agent_context
    assert context is not None
    assert [skill.name for skill in context.skills] == ["house", "house-style:tidy"]
    again = load_again(loaded.origin, home)
    assert (again.name, again.origin) == (loaded.name, loaded.origin)


def test_an_overlay_laid_over_a_strategy(
    tmp_path: Path, root: Path, home: Home, make_llm: Any
) -> None:
    over = tmp_path / "over"
    write(over / "agents/reviewer.md", "---\ntools: [terminal]\n---\nReview.\n")
    write(over / "hooks/hooks.json", '{"Stop": [{"hooks": [{"command": "true"}]}]}')
    loaded = load(resolve(str(root), base=tmp_path), home, [resolve(str(over), base=tmp_path)])
    blueprint = build_blueprint(loaded, make_llm(), {}, home=home)
    assert list(blueprint.subagents) == ["helper", "reviewer"]
    assert [one.part for one in bringers(blueprint, "subagent", "reviewer")] == ["over"]
    assert [one.part for one in bringers(blueprint, "hook", "stop: true")] == ["over"]
    again = load_again(loaded.origin, home)
    assert again.origin == loaded.origin
