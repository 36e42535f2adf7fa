"""The index's workflow: what it runs exists, and its scripts find and check what they should."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from openhands_strategies.cli.main import COMMANDS, cli
from support import write

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / ".github" / "workflows" / "index.yml").read_text()
JOBS: dict[str, Any] = yaml.safe_load(TEXT)["jobs"]
ENTRY = '[strategies.{0}]\nsource = "./{0}"\n'


def runs(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_what_it_runs_exists(tmp_path: Path) -> None:
    index = cli.get_command(cli.make_context("ohs", [], resilient_parsing=True), "index")
    told = re.findall(r"\bohs (\w+) (\w*)", TEXT)
    assert told
    for words in told:
        assert words[0] in COMMANDS
        assert words[0] != "index" or words[1] in getattr(index, "commands", {})
    for number, text in enumerate(one for job in JOBS for one in runs(job)):
        script = write(tmp_path / f"{number}.sh", text)
        subprocess.run(["bash", "-n", str(script)], check=True)
        for path in re.findall(r"(?<!\S)\.ci/\S+", text):
            assert os.access(ROOT / path, os.X_OK), path


def test_strangers_code_runs_without_rights() -> None:
    assert yaml.safe_load(TEXT)["permissions"] == {"contents": "read"}
    assert "secrets." not in TEXT
    assert "pull_request_target" not in TEXT
    with_rights = {name for name, job in JOBS.items() if "permissions" in job}
    running = {name for name in JOBS if any("check-strategies" in one for one in runs(name))}
    assert (with_rights, running) == ({"deploy"}, {"check"})
    # The job with rights checks out nothing and has no commands of its own.
    assert [one["uses"].partition("@")[0] for one in JOBS["deploy"]["steps"]] == [
        "actions/deploy-pages"
    ]
    assert "github.event_name != 'pull_request'" in JOBS["deploy"]["if"]
    uploaded = [one["with"]["path"] for one in JOBS["page"]["steps"]
                if "upload-pages" in one.get("uses", "")]  # fmt: skip
    assert uploaded == ["site"]
    assert "catalogue . --output site" in runs("page")[-1]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose index has two strategies, each in a directory."""
    place = tmp_path / "index"
    for name in ("a", "b"):
        write(place / name / "strategy.py", "x = 1\n")
    write(place / "registry.toml", ENTRY.format("a") + ENTRY.format("b"))
    git(place, "init", "-q")
    commit(place)
    return place


def git(place: Path, *words: str) -> None:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *settings, "-C", str(place), *words], check=True)


def commit(place: Path) -> None:
    git(place, "add", ".")
    git(place, "commit", "-q", "-m", "change")


def changed(place: Path, *arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "changed-strategies", *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def test_changed_entries_are_found(repository: Path) -> None:
    assert changed(repository, "HEAD") == (0, [])
    pinned = f"git+https://example.org/x@{'1' * 40}"
    text = ENTRY.format("a") + ENTRY.format("b").replace("./b", pinned) + ENTRY.format("c")
    write(repository / "registry.toml", f'{text}[strategies.d]\ndistribution = "d"\n')
    assert changed(repository, "HEAD") == (0, [pinned, "./c"])
    assert changed(repository, "no-such-commit") == (0, ["./a", pinned, "./c"])
    assert changed(repository, "--output=x") == (2, [])
    assert changed(repository, "HEAD", "HEAD") == (2, [])


def test_a_change_of_the_code_alone_is_found(repository: Path) -> None:
    write(repository / "b" / "strategy.py", "x = 2\n")
    assert changed(repository, "HEAD") == (0, ["./b"])
    commit(repository)
    assert changed(repository, "HEAD") == (0, [])
    assert changed(repository, "HEAD~1") == (0, ["./b"])
    write(repository / "b" / "hooks" / "new.py", "")
    commit(repository)
    assert changed(repository, "HEAD~1") == (0, ["./b"])


def test_without_a_commit_every_entry_is_named(repository: Path) -> None:
    assert changed(repository) == (0, ["./a", "./b"])


NEEDING = """
from openhands_strategies import Strategy
from tiny_thing import NAME

class Needing(Strategy):
    name = "needing"
    description = "One agent, and a package that nobody else needs"

    def build_agent(self, llm, params=None):
        from openhands.sdk import Agent
        assert NAME == "tiny"
        return Agent(llm=llm, tools=[])
"""
ENDING = """
import os
from openhands_strategies import Strategy

class Ending(Strategy):
    name = "ending"
    description = "Ends the process as if all were well"

    def build_agent(self, llm, params=None):
        os._exit(0)
"""
PROJECT = """
[project]
name = "{0}"
version = "1.0"
dependencies = ["openhands-strategies", "tiny-thing==1.5"]
"""


def wheel(directory: Path) -> None:
    directory.mkdir()
    info = "tiny_thing-1.5.dist-info"
    with zipfile.ZipFile(directory / "tiny_thing-1.5-py3-none-any.whl", "w") as archive:
        archive.writestr("tiny_thing.py", 'NAME = "tiny"\n')
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.5\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


@pytest.mark.e2e
@pytest.mark.slow_start
def test_each_strategy_is_checked_for_itself(tmp_path: Path) -> None:
    wheel(tmp_path / "wheels")
    write(tmp_path / "needing" / "strategy.py", NEEDING)
    write(tmp_path / "needing" / "pyproject.toml", PROJECT.format("needing"))
    write(tmp_path / "ending" / "strategy.py", ENDING)
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "check-strategies", "results"],
        cwd=tmp_path,
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels")},
        input="./ending\n./gone\n./needing\n",
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 1, done
    assert done.stdout.splitlines()[-2:] == ["failed: ./ending", "failed: ./gone"], done
    result = json.loads((tmp_path / "results" / "3.json").read_text())
    assert result["strategy"]["name"] == "needing"
    assert {row["status"] for row in result["checks"]} == {"passed"}, result
    assert not (tmp_path / "results" / "2.json").exists()
