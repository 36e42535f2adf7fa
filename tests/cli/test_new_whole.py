"""From `ohs new` to others' machines: its own tests, a wheel, a pushed repository, runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
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
SDIST = BUILD.replace("wheel", "sdist")


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


def environment(place: Path) -> Path:
    """A new one, with the pip of its Python, that sees the packages of this one."""
    venv.create(place, with_pip=True, symlinks=True)
    packages = next(place.glob("lib/python*/site-packages"))
    seen = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), str(ROOT / "core")}
    (packages / "seen.pth").write_text("\n".join(sorted(seen)) + "\n")
    return place / "bin" / "python"


def test_the_first_hour_of_the_page_in_a_new_environment(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "openhands_strategies", "new", "night-shift"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    printed = [line.strip() for line in said.partition("next:\n")[2].splitlines()]
    page = (ROOT / "docs/new.md").read_text().partition("## The first hour")[2]
    lines = page.partition("```sh\n")[2].partition("```")[0].splitlines()
    assert lines[: len(printed)] == printed
    assert len(printed) == 3
    assert f"{printed[1]}\n" in (tmp_path / "night-shift/README.md").read_text()
    # `build` is for later; what is not here cannot come without the network.
    project = tmp_path / "night-shift/pyproject.toml"
    text = project.read_text()
    assert '"build>=1.2", ' in text
    project.write_text(text.replace('"build>=1.2", ', ""))
    python = environment(tmp_path / "there")
    # The packages that it sees have their commands here.
    path = (str(python.parent), str(Path(sys.executable).parent), os.environ["PATH"])
    with ScriptedModel(lambda turn: finish("They pass."), prices=PRICES) as model:
        told = done(
            *(tmp_path, "sh", "-ec", "\n".join(lines)),
            PATH=os.pathsep.join(path),
            PIP_NO_INDEX="1",
            PIP_NO_BUILD_ISOLATION="0",
            LLM_MODEL="openai/main",
            LLM_API_KEY="any",
            LLM_BASE_URL=model.base_url,
        )
    assert "Successfully installed openhands-strategy-night-shift" in told
    assert " passed" in told
    assert told.endswith("They pass.\n")


def test_a_source_distribution_passes_its_own_tests(tmp_path: Path) -> None:
    ohs(tmp_path, "new", "night-shift", "--kind", "overlay")
    done(tmp_path / "night-shift", sys.executable, "-c", SDIST, tmp_path)
    (packed,) = tmp_path.glob("openhands_strategy_night_shift-*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (root,) = (tmp_path / "unpacked").iterdir()
    assert (root / "CHANGELOG.md").is_file()
    assert not list(root.rglob("*.pyc"))
    told = done(root, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert " passed" in told
    assert "skipped" not in told


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

    python = environment(tmp_path / "there")
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
