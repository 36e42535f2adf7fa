"""What CONTRIBUTING.md and SECURITY.md name exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from openhands_strategies.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[1]
CORE = ROOT / "core" / "openhands_strategies"
PAGES = ("CONTRIBUTING.md", "SECURITY.md")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
CODE = re.compile(r"`([^`\n]+)`")
# Made by `make`, or a form with a word to be filled in.
ABSENT = re.compile(r"\.venv|<|/path/|^dist/|^/strategies$|openhands_strategies\.plugins")


def named(page: str) -> list[str]:
    return CODE.findall((ROOT / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_every_path_exists(page: str) -> None:
    paths = [
        text
        for text in named(page)
        if re.fullmatch(r"[\w./-]+", text)
        and ("/" in text or text.endswith((".md", ".py", ".toml", ".lock")))
        and not ABSENT.search(text)
    ]
    plugin = ROOT / "plugins" / "fusion"
    missing = [
        path for path in paths if not any((base / path).exists() for base in (ROOT, CORE, plugin))
    ]
    assert missing == []
    assert len(paths) >= (20 if page == "CONTRIBUTING.md" else 1)


@pytest.mark.parametrize("page", [*PAGES, "docs/publishing.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    assert links
    for link in links:
        assert (ROOT / page).parent.joinpath(link).exists(), link


@pytest.mark.parametrize("page", PAGES)
def test_every_command_exists(page: str) -> None:
    told = [text.split() for text in named(page)]
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    context = cli.make_context("ohs", [], resilient_parsing=True)
    for words in told:
        if words[0] == "make":
            assert [one for one in words[1:] if one in targets] or "PYTHON=" in words[1], words
        if words[0] == "ohs" and len(words) > 1 and not words[1].startswith("-"):
            assert words[1] in COMMANDS, words
            group = cli.get_command(context, words[1])
            if len(words) > 2 and not words[2].startswith("-"):
                assert words[2] in getattr(group, "commands", {}), words


def test_programs_of_the_environment_take_what_is_written() -> None:
    for command in (
        [".venv/bin/towncrier", "build", "--draft", "--version", "0.2.0"],
        [".venv/bin/uv", "build", "--help"],
        [".venv/bin/uv", "publish", "--help"],
    ):
        assert " ".join(command[:2]) in (ROOT / "CONTRIBUTING.md").read_text()
        program = Path(sys.executable).with_name(Path(command[0]).name)
        done = subprocess.run(
            [program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        if command[1:] == ["build", "--help"]:
            assert "--all-packages" in done.stdout
            assert "--out-dir" in done.stdout


def test_the_picture_shows_the_packages_there_are() -> None:
    tree = ET.parse(ROOT / "docs" / "pictures" / "architecture.svg")
    texts = [text.text or "" for text in tree.iter("{http://www.w3.org/2000/svg}text")]
    shown = {
        word.rstrip("/") for text in texts if re.search(r"/|\.py", text) for word in text.split()
    }
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    floors = {name for layer in layers for name in re.findall(r"\w+", layer)}
    assert {name.removesuffix(".py") for name in shown} == floors
    assert all((CORE / name).exists() for name in shown)
    described = re.search(r"!\[([^]]*)\]\(docs/pictures/architecture", CONTRIBUTING)
    assert described
    assert floors <= set(re.findall(r"\w+", described[1]))


def test_ci_runs_what_is_said_here() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    workflow = yaml.safe_load(text)
    (job,) = workflow["jobs"].values()
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert runs[-1] == ".ci/run"
    assert "`.ci/run` is what CI runs" in CONTRIBUTING
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    # What .ci/run would install as root is there before, or comes with the runner.
    wanted = re.search(r"^for tool in (.*); do$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert wanted
    assert set(wanted[1].split()) - set(" ".join(runs).split()) == {"chromium", "npm"}


def test_every_strategy_has_tests_of_its_own() -> None:
    plugins = [path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml")]
    assert plugins
    for plugin in plugins:
        name = plugin.name.replace("-", "_")
        text = (plugin / "tests" / f"test_{name}.py").read_text()
        assert "\ndef test_" in text
        page = (ROOT / "docs" / "strategies" / f"{plugin.name}.md").read_text()
        assert page == f"```{{include}} ../../plugins/{plugin.name}/README.md\n```\n"
        assert f"({plugin.name}.md)" in (ROOT / "docs" / "strategies" / "index.md").read_text()
