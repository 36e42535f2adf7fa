"""A real agent-server with our extension, and the scripted model behind its profiles."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from server_process import Server, running_server
from support import DELEGATING, HOUSE, write


@pytest.fixture(scope="session")
def server_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of the shared server: its working directory, homes and strategies."""
    home = tmp_path_factory.mktemp("server")
    write(home / "delegating" / "strategy.py", DELEGATING)
    write(home / "raising.py", RAISING)
    write(home / "broken.py", BROKEN)
    write(home / "spending.py", SPENDING)
    write(home / "house.py", HOUSE)
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org"]
    write(home / "repository" / "strategy.py", FROM_GIT)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], cwd=home / "repository", check=True)
    return home


@pytest.fixture(scope="session")
def server(server_home: Path) -> Iterator[Server]:
    """One server for all tests; it offers what each of them needs."""
    pytest.importorskip("openhands.agent_server")
    references = ["fusion", "./delegating", "./raising.py", "./broken.py", "./spending.py"]
    references += ["./house.py", "best-of-n", f"git+file://{server_home}/repository"]
    with running_server(
        server_home,
        ["--extensions", *references, "./absent.py", "--workspaces", str(server_home)],
        OH_MAX_CONCURRENT_RUNS="200",
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


RAISING = '''
from openhands_strategies import Strategy

class Raising(Strategy):
    """Its code fails."""
    name = "raising"
    description = "Raises while building"

    def build(self, context):
        raise KeyError("the disk is on fire")
'''

BROKEN = """
from openhands_strategies import Strategy

class Broken(Strategy)
    name = "broken"
"""

SPENDING = '''
from openhands.sdk import Agent, Tool
from openhands_strategies import Blueprint, Limits, Strategy, StrategyParam

class Spending(Strategy):
    """No sub-agents; a budget of its own."""
    name = "spending"
    description = "One agent with a budget"
    params = [
        StrategyParam(name="dollars", type="number", description="Budget", default=0.05),
        StrategyParam(name="key", secret=True, description="Name of a secret"),
    ]

    def build(self, context):
        terminal = Tool(name="terminal", params={"terminal_type": "subprocess"})
        return Blueprint(
            agent=Agent(llm=context.llm, tools=[terminal]),
            limits=Limits(budget=context.params["dollars"]),
        )
'''

FROM_GIT = """
from openhands.sdk import Agent
from openhands_strategies import Strategy

class Stranger(Strategy):
    name = "stranger"
    description = "From a repository that nobody has agreed to"

    def build_agent(self, llm, params):
        return Agent(llm=llm)
"""
