"""What CONTRIBUTING.md, SECURITY.md and the workflow of the index name exists."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from openhands_strategies.cli.main import COMMANDS, cli
from support import write

ROOT = Path(__file__).parents[1]
CORE = ROOT / "core" / "openhands_strategies"
PAGES = ("CONTRIBUTING.md", "SECURITY.md")
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


def test_the_workflow_of_the_index_runs_what_exists(tmp_path: Path) -> None:
    text = (ROOT / ".github" / "workflows" / "index.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    assert "pull_request_target" not in text
    context = cli.make_context("ohs", [], resilient_parsing=True)
    index = cli.get_command(context, "index")
    for words in re.findall(r"\bohs (\w+) (\w*)", text):
        assert words[0] in COMMANDS
        assert words[0] != "index" or words[1] in getattr(index, "commands", {})
    steps = workflow["jobs"]["index"]["steps"]
    for number, step in enumerate(one for one in steps if "run" in one):
        script = write(tmp_path / f"{number}.sh", step["run"])
        subprocess.run(["bash", "-n", str(script)], check=True)


def test_changed_entries_of_the_index_are_found(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(tmp_path)]
    entry = '[strategies.{0}]\nsource = "./{0}"\n'
    subprocess.run([*git, "init", "-q"], check=True)
    write(tmp_path / "registry.toml", entry.format("a") + entry.format("b"))
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "first"], check=True)
    pinned = f"git+https://example.org/x@{'1' * 40}"
    text = entry.format("a") + entry.format("b").replace("./b", pinned) + entry.format("c")
    write(tmp_path / "registry.toml", f'{text}[strategies.d]\ndistribution = "d"\n')

    def changed(*arguments: str) -> tuple[int, list[str]]:
        done = subprocess.run(
            [sys.executable, ROOT / ".ci" / "changed-strategies", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.splitlines()

    assert changed("HEAD") == (0, [pinned, "./c"])
    assert changed("no-such-commit") == (0, ["./a", pinned, "./c"])
    assert changed() == (2, [])
    assert changed("--output=x") == (2, [])
