"""From `ohs new` to others' machines: its own tests, a wheel, a pushed repository, runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from git_server import GitServer, Repository, make_certificates
from openhands_strategies.testing import ScriptedModel, finish
from support import PRICES, write

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import sys; from setuptools import build_meta as b; b.build_wheel(sys.argv[1])"


@pytest.fixture(autouse=True)
def _own_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = "[user]\nname = Ada\nemail = ada@example.org\n"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(write(tmp_path / "home/gitconfig", text)))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # What an author types in a new directory is not meant for the suite that runs here.
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        monkeypatch.delenv(name)


def done(where: Path, *command: str | Path, **environ: str) -> str:
    """Run a command that must succeed, and return what it printed."""
    ended = subprocess.run(
        [str(one) for one in command],
        cwd=where,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def ohs(where: Path, *arguments: str, **environ: str) -> str:
    return done(where, sys.executable, "-m", "openhands_strategies", *arguments, **environ)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [("strategy", "skills,hooks,agents"), ("overlay", "skills,hooks"), ("composition", "none")],
)
def test_its_own_tests_pass_and_it_is_typed(tmp_path: Path, kind: str, parts: str) -> None:
    ohs(tmp_path, "new", "night-shift", "--kind", kind, "--with", parts)
    root = tmp_path / "night-shift"
    said = done(root, sys.executable, "-m", "pytest", "-q")
    assert "passed" in said
    assert "skipped" not in said
    # Which Python the packages belong to is told to mypy, as it need not be its own.
    said = done(root, sys.executable, "-m", "mypy", "--python-executable", sys.executable)
    assert "no issues found" in said
    checked = json.loads(ohs(root, "check", ".", "--json"))
    assert [one for one in checked["findings"] if one["severity"] != "note"] == []
    # None of them leaves anything that a commit would take along.
    assert done(root, "git", "status", "--porcelain") == ""


def test_the_template_is_in_the_wheel_and_the_result_installs(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "registry.toml"):
        shutil.copy(ROOT / name, tree / name)
    leftovers = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "core", tree / "core", symlinks=True, ignore=leftovers)
    done(tree, sys.executable, "-c", BUILD, tmp_path)
    (core,) = tmp_path.glob("openhands_strategies-*.whl")
    with zipfile.ZipFile(core) as archive:
        archive.extractall(tmp_path / "unpacked")
    made = ohs(
        *(tmp_path, "new", "night-shift", "--with", "skills,hooks,agents"),
        PYTHONPATH=str(tmp_path / "unpacked"),
    )
    assert "made night-shift (strategy)" in made
    root = tmp_path / "night-shift"

    done(root, sys.executable, "-c", BUILD, tmp_path)
    (wheel,) = tmp_path.glob("openhands_strategy_night_shift-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    package = "openhands_strategy_night_shift"
    assert held == {
        f"{package}/{name}"
        for name in (
            *("__init__.py", "strategy.py", "README.md", ".plugin/plugin.json"),
            *("hooks/hooks.json", "hooks/no_push.py"),
            *("skills/night-shift-finish/SKILL.md", "agents/night-shift-reviewer.md"),
        )
    }

    venv.create(tmp_path / "there", with_pip=True, symlinks=True)
    python = tmp_path / "there/bin/python"
    packages = next((tmp_path / "there").glob("lib/python*/site-packages"))
    seen = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), str(ROOT / "core")}
    (packages / "seen.pth").write_text("\n".join(seen) + "\n")
    for how in (["--no-deps", wheel], ["--no-deps", "--no-build-isolation", "--editable", root]):
        done(tmp_path, python, "-m", "pip", "install", "-q", "--no-index", *how)
        shown = json.loads(
            done(tmp_path, python, "-m", "openhands_strategies", "show", "night-shift", "--json")
        )
        assert shown["source"]["type"] == "distribution"
        assert shown["trusted"] is True
        assert shown["error"] is None
        found = shown["capabilities"]
        # The scout, and the agent in Markdown.
        assert [len(found[kind]) for kind in ("skills", "hooks", "agents")] == [1, 1, 2]
        done(tmp_path, python, "-m", "pip", "uninstall", "-q", "-y", package.replace("_", "-"))


def test_it_is_pushed_added_trusted_planned_and_run(tmp_path: Path) -> None:
    ohs(tmp_path, "new", "night-shift")
    served = Repository(tmp_path / "served" / "acme" / "night-shift")
    served.config(uploadpack_allowFilter="true", uploadpack_allowAnySHA1InWant="true")
    done(tmp_path / "night-shift", "git", "push", "-q", served.path, "HEAD:main")
    project = tmp_path / "project"
    project.mkdir()
    certificates = make_certificates(tmp_path)
    with (
        GitServer(tmp_path / "served", certificates) as server,
        ScriptedModel(lambda turn: finish(f"done by {turn.model}"), prices=PRICES) as model,
    ):
        environ = {
            "GIT_SSL_CAINFO": str(certificates.authority),
            "LLM_MODEL": "openai/main",
            "LLM_API_KEY": "any",
            "LLM_BASE_URL": model.base_url,
        }
        here = ("run", "./night-shift", "--task", "look", "--workspace", str(project))
        assert ohs(tmp_path, *here, **environ) == "done by main\n"
        plan = json.loads(ohs(tmp_path, "plan", "./night-shift", "--json", **environ))
        assert [one["alias"] for one in plan["subagents"]] == ["scout"]
        added = ohs(project, "add", f"git+{server.url}/acme/night-shift@main", **environ)
        assert "added night-shift" in added
        ohs(project, "trust", "night-shift", "--yes", **environ)
        there = ("run", "night-shift", "--task", "look", "--json")
        report = json.loads(ohs(project, *there, **environ))
    assert report["status"] == "finished"
    assert report["strategy"]["source"]["url"] == f"{server.url}/acme/night-shift"
