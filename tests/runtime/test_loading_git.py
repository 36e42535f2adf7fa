"""A git strategy from its reference to a live instance, and again for a resumed run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from git_server import Repository
from openhands_strategies.errors import LoadError, TrustError
from openhands_strategies.project.home import find_home
from openhands_strategies.project.trust import trust
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.runtime.loader import load, load_again

DEBATE = b"""
from openhands_strategies import Strategy
from .words import GREETING

class Debate(Strategy):
    name = "debate"
    description = GREETING

    def build_agent(self, llm, params=None):
        raise NotImplementedError
"""


def test_load_trust_and_load_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    served = Repository(tmp_path / "served")
    commit = served.add({"x/strategy.py": DEBATE, "x/words.py": b"GREETING = 'hello'\n"})
    located = resolve(f"git+file://{served.path}@main#subdirectory=x", base=tmp_path)
    home = find_home()
    with pytest.raises(TrustError):
        load(located, home)
    assert located.tree is not None
    trust(located, located.tree, home=home)
    shutil.rmtree(served.path)
    loaded = load(located, home)
    assert (loaded.strategy.name, loaded.strategy.description) == ("debate", "hello")
    origin = loaded.origin
    assert (origin.commit, origin.tree, loaded.root) == (commit, located.tree, located.root)
    assert origin.reference == f"git+file://{served.path}@main#subdirectory=x"
    assert origin.source == {
        "type": "git",
        "url": f"file://{served.path}",
        "commit": commit,
        "subdirectory": "x",
        "requested_revision": "main",
    }
    assert load_again(origin, home).strategy.name == "debate"
    shutil.rmtree(home.store)
    with pytest.raises(LoadError) as caught:
        load_again(origin, home)
    assert caught.value.code == "strategy_changed"
