"""Plugin directories without code: shown, added, trusted, locked, laid over; refused alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from git_server import Repository
from support import write

SKILL = "---\nname: house\ndescription: How this house is kept.\n---\nTidy.\n"
AGENT = "---\ndescription: Finds faults.\n---\nYou review.\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    write(tmp_path / "House Style/skills/house/SKILL.md", SKILL)
    write(tmp_path / "House Style/agents/reviewer.md", AGENT)
    return tmp_path / "House Style"


def error_of(done) -> dict:
    assert done.code == 3, done
    error = json.loads(done.out)["error"]
    assert error["hint"]
    return error


def test_show_says_that_it_is_an_overlay(ohs, house: Path) -> None:
    entry = json.loads(ohs("show", str(house), "--json").out)
    assert entry["name"] == "house-style"
    assert entry["description"] == "Plugin directory with 1 skill, 1 agent"
    assert (entry["kind"], entry["overlay"], entry["params"]) == ("directory", True, [])
    assert entry["capabilities"]["agents"] == ["reviewer"]
    assert entry["parts"] == {}
    shown = ohs("show", str(house)).out
    assert "overlay  adds to another strategy" in shown


def test_show_lists_the_parts_of_a_composition(ohs, tmp_path: Path) -> None:
    text = """
        from openhands_strategies.compose import pipeline
        raise SystemExit("this ran")
        flow = pipeline("fusion", "./b.py", name="flow", description="Two phases")
        """
    flow = write(tmp_path / "flow.py", text)
    entry = json.loads(ohs("show", str(flow), "--json").out)
    assert (entry["name"], entry["description"]) == ("flow", "Two phases")
    assert (entry["params"], entry["overlay"]) == ("computed", False)
    assert entry["parts"] == {"fusion": "fusion", "b": "./b.py"}
    lines = [line.split() for line in ohs("show", str(flow)).out.splitlines()]
    assert lines[lines.index(["parts"]) + 1 :][:2] == [["fusion", "fusion"], ["b", "./b.py"]]


def test_show_of_a_composition_points_at_its_parts(ohs, tmp_path: Path) -> None:
    text = """
        from openhands_strategies.compose import layer, pipeline
        careful = layer("fusion", "guardrails", name="careful")
        flow = pipeline("single", build=careful, name="flow")
        """
    flow = write(tmp_path / "flow.py", text)
    shown = ohs("show", f"{flow}:flow").out
    assert "what it brings: nothing itself; see its parts" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["build.guardrails", "guardrails"] in lines
    assert "what it brings: nothing\n" not in shown


def test_added_from_a_path_and_from_git(ohs, house: Path, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "served" / "acme")
    repository.add({"plugins/tidy/commands/tidy.md": b"Tidy !`ls` up.\n"})
    url = f"git+file://{repository.path}@main#subdirectory=plugins/tidy"
    assert ohs("add", "./House Style").code == 0
    assert ohs("add", url).code == 0
    listed = {one["name"]: one for one in json.loads(ohs("list", "--json").out)["strategies"]}
    assert listed["house-style"]["overlay"] is True
    assert listed["house-style"]["trusted"] is True
    assert listed["tidy"]["overlay"] is True
    assert listed["tidy"]["trusted"] is False
    assert listed["fusion"]["overlay"] is False
    rows = {line.split()[0]: line for line in ohs("list").out.splitlines()}
    assert "overlay: Plugin directory with 1 skill" in rows["tidy"]
    assert "overlay:" not in rows["fusion"]
    asked = ohs("trust", "tidy", "--yes")
    assert asked.code == 0
    assert "tidy:tidy runs: ls (commands/tidy.md)" in asked.err
    locked = (tmp_path / ".openhands/strategies.lock").read_text()
    assert 'subdirectory = "plugins/tidy"' in locked
    assert ohs("lock").code == 0
    assert (tmp_path / ".openhands/strategies.lock").read_text() == locked
    assert json.loads(ohs("show", "tidy", "--json").out)["trusted"] is True


def test_a_directory_without_anything_is_refused(ohs, tmp_path: Path) -> None:
    write(tmp_path / "empty/README.md", "Nothing.\n")
    error = error_of(ohs("show", "./empty", "--json"))
    assert error["code"] == "strategy_file_missing"
    assert "agents/, skills/" in error["hint"]


def test_it_does_no_work_alone(ohs_here, house: Path) -> None:
    done = ohs_here("plan", str(house), "--json")
    error = json.loads(done.out)["error"]
    assert (done.code, error["code"]) == (2, "overlay_alone")
    assert "--with" in error["hint"]


def test_a_plan_shows_what_it_brings(ohs_here, house: Path) -> None:
    plan = json.loads(ohs_here("plan", "fusion", "--with", str(house), "--json").out)
    by_alias = {one["alias"]: one["from"]["part"] for one in plan["subagents"]}
    assert by_alias["reviewer"] == "house-style"
    skills = {one["name"]: one["from"]["part"] for one in plan["skills"]}
    assert skills["house"] == "house-style"


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        (
            "hooks/hooks.json",
            '{"Stop": [{"hooks": [{"command": "${PLUGIN_ROOT}/gone.sh"}]}]}',
            "hook_missing",
        ),
        (
            "hooks/hooks.json",
            '{"Stop": [{"hooks": [{"command": "${PLUGIN_ROOT}/agents/reviewer.md"}]}]}',
            "hook_not_executable",
        ),
        (".mcp.json", '{"mcpServers": {"a": {"command": "no-such-x"}}}', "mcp_command_missing"),
        ("agents/other.md", "---\ntools: [Read]\n---\nx\n", "tool_unknown"),
    ],
)
def test_a_plan_finds_what_cannot_start(
    ohs_here, house: Path, file: str, text: str, code: str
) -> None:
    write(house / file, text)
    error = error_of(ohs_here("plan", "fusion", "--with", str(house), "--json"))
    assert error["code"] == code
    assert "house-style" in error["message"]
