"""The command `ohs`: as a process of its own, and in this process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from openhands_strategies.cli.main import main
from support import write


@dataclass(frozen=True)
class Done:
    """How one `ohs` ended."""

    code: int
    out: str
    err: str


Ohs = Callable[..., Done]


@pytest.fixture
def ohs(tmp_path: Path) -> Ohs:
    """Run `ohs` as a process; for what needs no SDK."""

    def run(*arguments: str, text: str | None = None, **environ: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "openhands_strategies", *arguments],
            cwd=tmp_path,
            env={**os.environ, **environ},
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def ohs_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Ohs:
    """Run `ohs` in this process, which imports the SDK only once."""
    monkeypatch.chdir(tmp_path)
    # A command marks its own process; this one goes on after it.
    monkeypatch.setenv("OHS_PROCESS_MARK", "")

    def run(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capfd.readouterr()
        code = ended.value.code
        return Done(code if isinstance(code, int) else -1, out, err)

    return run


@pytest.fixture
def ohs_home() -> Path:
    """This test's own OHS_HOME."""
    return Path(os.environ["OHS_HOME"])


GOOD = '''
from openhands_strategies import Strategy, StrategyParam

class Good(Strategy):
    """A strategy with every kind of parameter; imports the SDK only when it builds."""
    name = "good"
    description = "One agent with a terminal"
    params = [
        StrategyParam(name="depth", type="integer", default=2, minimum=1, maximum=4,
                      description="How deep"),
        StrategyParam(name="style", choices=["calm", "bold"], default="calm",
                      description="How it writes"),
        StrategyParam(name="token", secret=True, description="Names a variable"),
    ]

    def build_agent(self, llm, params=None):
        from openhands.sdk import Agent, Tool
        from openhands.tools.terminal import TerminalTool
        return Agent(llm=llm, tools=[Tool(name=TerminalTool.name)])
'''


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path / "good.py", GOOD)


@dataclass(frozen=True)
class Watched:
    """Processes that a test started, found by a mark in their environment."""

    mark: str

    def processes(self) -> list[str]:
        """Command lines of all that run now."""
        found = []
        for place in Path("/proc").iterdir():
            try:
                if place.name.isdigit() and self.mark.encode() in (place / "environ").read_bytes():
                    found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue  # ended meanwhile
        return [line for line in found if line]

    def wait_for(self, beginning: str, count: int = 1, seconds: float = 60) -> None:
        """Wait until so many command lines begin like this."""
        deadline = time.monotonic() + seconds
        while sum(line.startswith(beginning) for line in self.processes()) < count:
            assert time.monotonic() < deadline, self.processes()
            time.sleep(0.05)

    def wait_for_none(self, seconds: float = 3) -> None:
        """Wait until nothing is left."""
        deadline = time.monotonic() + seconds
        while self.processes():
            assert time.monotonic() < deadline, self.processes()
            time.sleep(0.05)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    if not Path("/proc/self/environ").exists():
        pytest.skip("processes are listed by /proc")
    # Only what is started from now on inherits it: this process's own block is older.
    mark = uuid4().hex
    monkeypatch.setenv("OHS_TEST_MARK", mark)
    return Watched(mark)


@pytest.fixture
def without_tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH with every program but tmux."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for directory in os.environ["PATH"].split(os.pathsep):
        for program in Path(directory).glob("*"):
            if program.name != "tmux" and not (programs / program.name).is_symlink():
                (programs / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))
