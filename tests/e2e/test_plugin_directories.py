"""Plugin directories of both formats bring their skills and hooks along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openhands_strategies.manifest.plugin import AGENT_PLUGINS_SCHEMA
from openhands_strategies.testing import call, finish, in_order
from support import DELEGATING, bench, write

pytestmark = pytest.mark.e2e

FORMATS = {
    "none": {},
    "hidden": {".plugin/plugin.json": {"name": "delegating", "version": "1.0.0"}},
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
