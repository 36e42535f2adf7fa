"""Compositions under a name of the project: added, locked, planned from what was locked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from git_server import Repository
from support import write

pytestmark = pytest.mark.e2e

PIECE = """
from openhands.sdk import Agent
from openhands_strategies import Blueprint, Strategy


class Piece(Strategy):
    name = "piece"
    description = "Works"

    def build(self, context):
        return Blueprint(agent=Agent(llm=context.llm))
"""
FLOW = """
from openhands_strategies import Limits
from openhands_strategies.compose import pipeline

flow = pipeline("./piece.py", last="single", name="flow", limits=Limits(steps={steps}))
"""


def planned(ohs_here: Any, name: str) -> tuple[dict[str, Any], list[str], int]:
    """The strategy of a plan, its roles, and the steps that its run may take."""
    done = ohs_here("plan", name, "--json")
    assert done.code == 0, done.err
    plan = json.loads(done.out)
    return plan["strategy"], [one["role"] for one in plan["roles"]], plan["limits"][0]["value"]


def test_one_of_several_in_a_file(ohs_here, tmp_path: Path) -> None:
    write(tmp_path / "piece.py", PIECE)
    more = 'other = pipeline("single", name="other")\n'
    write(tmp_path / "forms.py", FLOW.format(steps=40) + more)
    added = ohs_here("add", "./forms.py:flow")
    assert added.code == 0, added.err
    assert json.loads(ohs_here("lock", "--json").out)["changes"] == []
    listed = {one["name"]: one for one in json.loads(ohs_here("list", "--json").out)["strategies"]}
    assert listed["flow"]["params"] == "computed"
    strategy, roles, steps = planned(ohs_here, "flow")
    assert [part["reference"] for part in strategy["parts"]] == ["./piece.py", "single"]
    assert (roles, steps) == (["main", "piece", "last"], 40)


def test_one_from_git_stays_as_it_was_locked(ohs_here, tmp_path: Path) -> None:
    def files(steps: int) -> dict[str, bytes]:
        return {"strategy.py": FLOW.format(steps=steps).encode(), "piece.py": PIECE.encode()}

    repository = Repository(tmp_path / "served" / "acme")
    first = repository.add(files(40))
    added = ohs_here("add", f"git+file://{repository.path}@main", "--as", "flow")
    assert added.code == 0, added.err
    assert ohs_here("trust", "flow", "--yes").code == 0
    repository.add(files(50))
    assert ohs_here("lock").code == 0
    strategy, roles, steps = planned(ohs_here, "flow")
    assert (strategy["commit"], steps) == (first, 40)
    assert roles == ["main", "piece", "last"]
    assert first in (tmp_path / ".openhands" / "strategies.lock").read_text()
