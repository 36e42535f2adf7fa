"""A strategy in a namespace package, installed and as a wheel on the path, listed and run."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, ScriptedModel, Turn, call, finish, say
from support import PRICES, write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

PYPROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "openhands-strategy-spaced"
version = "0.3.1"
[project.entry-points."openhands.strategies"]
spaced = "acme_space.spaced.strategy:Spaced"
[tool.setuptools]
packages = ["acme_space.spaced", "acme_space.shared"]
[tool.setuptools.package-data]
"acme_space.spaced" = ["skills/**", "hooks/*"]
"""
STRATEGY = '''
from pathlib import Path

from openhands_strategies import Blueprint, Strategy, SubAgent
from ..shared.texts import helper_suffix
from .roles import DESCRIPTION

Path("ran").write_text(__file__)


class Spaced(Strategy):
    """Its helper is made by a factory, for which the code is loaded again."""

    name = "spaced"
    description = "Lives in a namespace package"

    def build(self, context):
        from openhands.sdk import Agent, AgentContext

        def helper(llm):
            suffix = AgentContext(system_message_suffix=helper_suffix())
            return Agent(llm=llm, tools=[], agent_context=suffix)

        return Blueprint(
            agent=Agent(llm=context.llm, tools=[]),
            subagents={"helper": SubAgent(description=DESCRIPTION, agent=helper)},
        )
'''
HOOKS = {
    "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "${PLUGIN_ROOT}/hooks/mark.sh"}]}]}
}


def uv(*arguments: str) -> None:
    found = [sys.executable, "-m", "uv"] if importlib.util.find_spec("uv") else [shutil.which("uv")]
    assert found[0], "this test needs uv"
    subprocess.run([*found, *arguments], check=True)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("spaced")
    package = base / "project" / "acme_space"
    write(base / "project" / "pyproject.toml", PYPROJECT)
    write(package / "spaced" / "strategy.py", STRATEGY)
    write(package / "spaced" / "roles.py", 'DESCRIPTION = "helps"\n')
    write(package / "shared" / "__init__.py", "")
    write(package / "shared" / "texts.py", "def helper_suffix():\n    return 'ROLE-HELPER'\n")
    skill = "---\nname: plan\ndescription: How to plan\n---\nPlan.\n"
    write(package / "spaced" / "skills" / "plan" / "SKILL.md", skill)
    write(package / "spaced" / "hooks" / "hooks.json", json.dumps(HOOKS))
    mark = write(package / "spaced" / "hooks" / "mark.sh", '#!/bin/sh\necho "$0" > stopped\n')
    mark.chmod(0o755)
    uv("build", "--quiet", "--wheel", "--offline", "--no-build-isolation", "--python",
       sys.executable, "--out-dir", str(base / "out"), str(base / "project"))  # fmt: skip
    (found,) = (base / "out").glob("*.whl")
    return found


@pytest.mark.parametrize("zipped", [True, False], ids=["zipped", "installed"])
def test_it_is_listed_shown_and_run(wheel: Path, tmp_path: Path, zipped: bool) -> None:
    place = wheel
    if not zipped:
        place = tmp_path / "site"
        uv("pip", "install", "--quiet", "--offline", "--no-deps", "--python", sys.executable,
           "--target", str(place), str(wheel))  # fmt: skip
    # Another portion of the namespace, found first.
    write(tmp_path / "more" / "acme_space" / "other.py", "")
    workspace = tmp_path / "work"
    workspace.mkdir()
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path / 'more'}{os.pathsep}{place}"}

    def ohs(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "openhands_strategies", *arguments],
            cwd=workspace,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done
        return done.stdout

    listing = json.loads(ohs("list", "--json"))
    assert listing["warnings"] == []
    (entry,) = (one for one in listing["strategies"] if one["name"] == "spaced")
    assert (entry["version"], entry["trusted"], entry["error"]) == ("0.3.1", True, None)
    assert entry["source"]["type"] == "distribution"
    shown = json.loads(ohs("show", "spaced", "--json"))["capabilities"]
    assert [one["name"] for one in shown["skills"]] == ["plan"]
    assert [one["command"] for one in shown["hooks"]] == ["${PLUGIN_ROOT}/hooks/mark.sh"]
    assert not (workspace / "ran").exists()

    def script(turn: Turn) -> Reply:
        if "ROLE-HELPER" in turn.system:
            return say("helped")
        if turn.replies == 0:
            return call("task", subagent_type="helper", prompt="help")
        return finish(f"then {turn.messages[-1]['content']}")

    with ScriptedModel(script, prices=PRICES) as model:
        environ |= {
            "LLM_MODEL": "openai/gpt-4o", "LLM_API_KEY": "any", "LLM_BASE_URL": model.base_url,
        }  # fmt: skip
        report = json.loads(ohs("run", "spaced", "--task", "do it", "--json"))
    assert report["status"] == "finished"
    assert "helped" in report["answer"]
    assert (workspace / "ran").read_text().startswith(str(place))
    assert (workspace / "stopped").read_text().strip().endswith("hooks/mark.sh")
    # What the run needs stays, and nothing else does.
    assert json.loads(ohs("store", "gc", "--json"))["removed"] == []
    assert json.loads(ohs("store", "verify", "--json"))["findings"] == []
