"""Projects and real git repositories on this machine."""

from __future__ import annotations

import os
import subprocess
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from openhands_strategies.project.home import Home, find_home

MODULE = """
from openhands.sdk import Agent
from openhands_strategies import Strategy

Path("ran").write_text("a listing or an adding must not run this")
raise SystemExit("this ran")

class One(Strategy):
    name = "{name}"
    description = "{description}"

    def build_agent(self, llm, params=None):
        return Agent(llm=llm)
"""
HOOKS = '{{"Stop": [{{"hooks": [{{"command": "{command}"}}]}}]}}'


def strategy(
    directory: Path, name: str = "debate", *, description: str = "", hook: str = ""
) -> Path:
    """Write a strategy's directory; loading it would end the process."""
    directory.mkdir(parents=True, exist_ok=True)
    text = textwrap.dedent(MODULE).format(name=name, description=description or f"is {name}")
    (directory / "strategy.py").write_text(text)
    if hook:
        (directory / "hooks").mkdir(exist_ok=True)
        (directory / "hooks" / "hooks.json").write_text(HOOKS.format(command=hook))
    return directory


@dataclass(frozen=True)
class Repository:
    """A git repository with strategies below `plugins/`."""

    path: Path

    def git(self, *arguments: str) -> str:
        settings = [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.org",
            "-c",
            "init.defaultBranch=main",
        ]
        ran = subprocess.run(
            ["git", "-C", str(self.path), *settings, *arguments],
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stdout.strip()

    def strategy(self, name: str = "debate", **options: str) -> str:
        """Write and commit a strategy; return the commit id."""
        strategy(self.path / "plugins" / name, name, **options)
        return self.commit()

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def url(self, name: str = "debate", revision: str = "@main") -> str:
        return f"git+file://{self.path}{revision}#subdirectory=plugins/{name}"


MakeRepository = Callable[[str], Repository]


@pytest.fixture
def make_repository(tmp_path: Path) -> MakeRepository:
    def make(name: str) -> Repository:
        repository = Repository(tmp_path / "repositories" / name)
        repository.path.mkdir(parents=True)
        repository.git("init", "-q")
        return repository

    return make


@pytest.fixture
def repository(make_repository: MakeRepository) -> Repository:
    """A repository with the strategy `debate` on the branch main."""
    repository = make_repository("acme")
    repository.strategy("debate")
    return repository


@pytest.fixture
def home() -> Home:
    return find_home()


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory that the user works in."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def files_below(*roots: Path) -> dict[str, bytes | None]:
    """Everything below some directories, with content; None stands for a directory."""
    return {
        str(path): None if path.is_dir() else path.read_bytes()
        for root in roots
        for path in [root, *root.rglob("*")]
        if path.exists()
    }
