"""Where a user's strategies, runs and consents are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.project.home import Home, find_home


def test_the_default_is_below_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("OHS_HOME", raising=False)
    home = find_home()
    assert home == Home(Path("/home/someone/.openhands/strategies"))
    assert home.store == home.path / "store"
    assert home.runs == home.path / "runs"
    assert home.trust_file == home.path / "trust.toml"
    assert find_home({"OHS_HOME": ""}) == home


def test_ohs_home_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert find_home({"OHS_HOME": "/srv/ohs"}).path == Path("/srv/ohs")
    assert find_home({"OHS_HOME": "~/mine"}).path == tmp_path / "mine"
    assert find_home({"OHS_HOME": "mine"}).path == tmp_path / "mine"
    assert list(tmp_path.iterdir()) == []
