"""Plugin directories of both formats bring along all that they hold, with and without code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from openhands_strategies.manifest.plugin import AGENT_PLUGINS_SCHEMA
from openhands_strategies.testing import Call, Reply, Turn, call, finish, in_order, say
from support import DELEGATING, Bench, bench, write

pytestmark = pytest.mark.e2e

FORMATS = {
    "none": {},
    "hidden": {".plugin/plugin.json": {"name": "delegating", "version": "1.0.0"}},
    "claude": {".claude-plugin/plugin.json": {"name": "delegating", "version": "1.0.0"}},
    "root": {
        "plugin.json": {
            "$schema": AGENT_PLUGINS_SCHEMA,
            "name": "delegating",
            "version": "1.0.0",
            "description": "A main agent with one helper",
        }
    },
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("folder", ["hooks", "dev.openhands/hooks"])
def test_skills_and_hooks_are_found(tmp_path: Path, form: str, folder: str) -> None:
    root = tmp_path / "plugin"
    write(root / "strategy.py", DELEGATING)
    for name, content in FORMATS[form].items():
        write(root / name, json.dumps(content))
    write(
        root / "skills" / "house" / "SKILL.md",
        "---\nname: house\ndescription: How this house is kept\n---\nKeep it tidy.\n",
    )
    hook = {"matcher": "terminal", "hooks": [{"command": "echo not here >&2; exit 2"}]}
    write(root / folder / "hooks.json", json.dumps({"PreToolUse": [hook]}))
    script = in_order([call("terminal", command="echo made > file"), finish("done")])
    with bench(tmp_path / "ws", script) as b:
        report = b.run(str(root))
        last = b.served("main")[-1].messages
        system = str(last[0]["content"])
    assert report.status == "finished"
    assert "not here" in str([m for m in last if m["role"] == "tool"])
    assert not (tmp_path / "ws" / "file").exists()
    assert "How this house is kept" in system


def test_a_directory_loads_as_a_package(tmp_path: Path) -> None:
    root = tmp_path / "plugin"
    write(root / "strategy.py", "from .inner import TEXT\n" + DELEGATING.replace("helps", "{0}"))
    text = (root / "strategy.py").read_text()
    write(root / "strategy.py", text.replace('"{0}"', "TEXT"))
    write(root / "inner.py", 'TEXT = "helps from a sibling module"\n')
    with bench(tmp_path / "ws", lambda turn: finish("done")) as b:
        scope = b.prepare(str(root)).scope
    assert scope.agents["helper"].description == "helps from a sibling module"


SKILL = """\
---
name: house
description: How this house is kept
triggers:
  - spring clean
---
Sweep from the door. The rest stands in references/rules.md.
"""
AGENT = """\
---
name: reviewer
description: Finds faults in a change.
tools:
  - terminal
model: openai/cheap
max_iteration_per_run: 5
---
ROLE-REVIEWER: you find faults and change nothing.
"""
HOOK = """\
#!/bin/sh
# Tells which tool was used, in the project.
python3 -c 'import json, sys; print(json.load(sys.stdin)["tool_name"])' \\
    >> "$OPENHANDS_PROJECT_DIR/used.log"
"""
SERVER = """\
import sys

try:
    from mcp.server.fastmcp import FastMCP
except ImportError:  # mcp 2
    from mcp.server.mcpserver import MCPServer as FastMCP

server = FastMCP("sums")


@server.tool()
def add_up(first: int, second: int) -> str:
    "Adds two numbers."
    return f"the sum is {first + second} says {sys.argv[1]}"


server.run()
"""


def overlay(root: Path) -> Path:
    """A directory with everything but code."""
    write(root / "skills/house/SKILL.md", SKILL)
    write(root / "skills/house/references/rules.md", "Rule one: dust first.\n")
    write(root / "agents/reviewer.md", AGENT)
    write(root / "commands/tidy.md", "---\ndescription: Tidies.\n---\nTidy $ARGUMENTS by size.\n")
    hook = {"matcher": "*", "hooks": [{"command": "${PLUGIN_ROOT}/hooks/used.sh"}]}
    write(root / "hooks/hooks.json", json.dumps({"hooks": {"PreToolUse": [hook]}}))
    write(root / "hooks/used.sh", HOOK).chmod(0o755)
    return root


def over(b: Bench, root: Path) -> str:
    """A composition in a file: the delegating strategy with a directory laid over it."""
    write(b.workspace.parent / "base/strategy.py", DELEGATING)
    text = f"""
        from openhands_strategies.compose import layer

        whole = layer("./base", "./{root.name}", name="whole")
        """
    return str(write(b.workspace.parent / "whole.py", text))


def test_a_trigger_in_what_the_user_says_brings_the_skill(tmp_path: Path) -> None:
    house = overlay(tmp_path / "house-style")

    def script(turn: Turn) -> Reply:
        invoke = Reply(calls=(Call("invoke_skill", {"name": "house"}),))
        return in_order([invoke, finish("done")])(turn)

    with bench(tmp_path / "ws", script) as b:
        report = b.run(over(b, house), "time for a spring clean")
        first, last = b.served("main")[0].messages, b.served("main")[-1].messages
    assert report.status == "finished"
    system, user = str(first[0]["content"]), str(first[1]["content"])
    assert "How this house is kept" in system
    assert "Sweep from the door" not in system
    assert "Sweep from the door" in user
    # Whoever invokes it is told where its other files lie, in the store.
    told = str(next(m for m in last if m["role"] == "tool")["content"])
    folder = next(line for line in told.replace("`", " ").split() if line.endswith("skills/house"))
    assert (Path(folder) / "references/rules.md").read_text() == "Rule one: dust first.\n"
    assert str(house) not in told


def test_a_command_of_a_directory_without_a_plugin_json(tmp_path: Path) -> None:
    house = overlay(tmp_path / "house-style")
    with bench(tmp_path / "ws", lambda turn: finish("done")) as b:
        b.run(over(b, house), "/house-style:tidy the shed")
        user = str(b.served("main")[0].messages[1]["content"])
    assert "Tidy $ARGUMENTS by size." in user


def test_a_markdown_agent_works_and_the_hooks_reach_everybody(tmp_path: Path) -> None:
    house = overlay(tmp_path / "house-style")

    def script(turn: Turn) -> Reply:
        if "ROLE-REVIEWER" in turn.system:
            return in_order([call("terminal", command="echo faults"), say("no faults")])(turn)
        if "You are the helper" in turn.system:
            return say("helped")
        return in_order(
            [
                call("terminal", command="echo made"),
                call("task", subagent_type="reviewer", prompt="look at it"),
                finish("done"),
            ]
        )(turn)

    with bench(tmp_path / "ws", script) as b:
        report = b.run(over(b, house))
        offered = b.served("main")[0].description("task")
        reviewer = b.served("cheap")[0]
        results = [str(m["content"]) for m in b.served("main")[-1].messages if m["role"] == "tool"]
        used = (b.workspace / "used.log").read_text().split()
    assert report.status == "finished"
    assert "- reviewer: Finds faults in a change." in offered
    assert "- helper: helps" in offered
    assert "ROLE-REVIEWER: you find faults" in str(reviewer.messages[0]["content"])
    assert "look at it" in str(reviewer.messages[1]["content"])
    assert "terminal" in reviewer.tools
    assert "task" not in reviewer.tools
    assert any("no faults" in one for one in results)
    # One of the main agent's, its task, one of the reviewer's; others of the SDK may follow.
    assert used.count("terminal") == 2
    assert "task" in used
    roles = {row.role: row.model for row in report.roles}
    assert roles == {"main": "openai/main", "reviewer": "openai/cheap"}


@pytest.mark.parametrize("file", [".mcp.json", "mcp.json"])
def test_an_mcp_server_runs(tmp_path: Path, file: str) -> None:
    house = tmp_path / "sums"
    write(house / "serve.py", SERVER)
    write(house / "bin/serve", f'#!/bin/sh\nexec {sys.executable} serve.py "$@"\n').chmod(0o755)
    old = {"command": sys.executable, "args": ["${PLUGIN_ROOT}/serve.py", "old"]}
    new = {"type": "stdio", "command": "./bin/serve", "args": ["new"]}
    server = old if file == ".mcp.json" else new
    write(house / file, json.dumps({"mcpServers": {"sums": server}}))

    def script(turn: Turn) -> Reply:
        tool = next(name for name in turn.tools if name.endswith("add_up"))
        return in_order([call(tool, first=19, second=23), finish("done")])(turn)

    with bench(tmp_path / "ws", script) as b:
        report = b.run(over(b, house))
        results = [str(m["content"]) for m in b.served("main")[-1].messages if m["role"] == "tool"]
    assert report.status == "finished"
    expected = "old" if file == ".mcp.json" else "new"
    assert any(f"the sum is 42 says {expected}" in one for one in results)


def test_hooks_of_every_event_fire(tmp_path: Path) -> None:
    from openhands.sdk.hooks import HookConfig

    events = sorted(HookConfig.model_fields)
    log = '"$OPENHANDS_PROJECT_DIR/events.log"'
    hooks = {one: [{"hooks": [{"command": f"echo {one} >> {log}"}]}] for one in events}
    write(tmp_path / "loud/hooks/hooks.json", json.dumps(hooks))
    script = in_order([call("terminal", command="echo made"), finish("done")])
    with bench(tmp_path / "ws", script) as b:
        report = b.run(over(b, tmp_path / "loud"))
        fired = (b.workspace / "events.log").read_text().split()
    assert report.status == "finished"
    assert sorted(set(fired)) == events


def test_a_markdown_agent_with_a_skill_of_its_own(tmp_path: Path) -> None:
    house = overlay(tmp_path / "house-style")
    text = "---\ndescription: Keeps the house.\nskills: house\n---\nROLE-KEEPER\n"
    write(house / "agents/keeper.md", text)
    write(house / "skills/other/SKILL.md", SKILL.replace("house", "other"))

    def script(turn: Turn) -> Reply:
        if "ROLE-KEEPER" in turn.system:
            return say("kept")
        return in_order([call("task", subagent_type="keeper", prompt="keep it"), finish("done")])(
            turn
        )

    with bench(tmp_path / "ws", script) as b:
        report = b.run(over(b, house))
        systems = [str(one.messages[0]["content"]) for one in b.served("main")]
        keeper = next(one for one in systems if "ROLE-KEEPER" in one)
    assert report.status == "finished"
    assert [row.role for row in report.roles] == ["main", "keeper"]
    assert "<name>house</name>" in keeper
    assert "<name>other</name>" not in keeper
    assert "<name>other</name>" in systems[0]
