from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import openhands_strategies


def test_without_fusion_the_demo_says_how_to_get_it(tmp_path: Path) -> None:
    """As after `pip install openhands-strategies` alone: everything but the plugin."""
    site = tmp_path / "site"
    site.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "strategy_fusion" not in entry.name:
            (site / entry.name).symlink_to(entry)
    core = Path(openhands_strategies.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-S", "-m", "openhands_strategies", "demo"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{core}{os.pathsep}{site}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    error, hint = done.stderr.splitlines()
    assert error.endswith("[plugins_missing]")
    assert hint == "hint: pip install 'openhands-strategies[plugins]'"


def test_a_directory_that_holds_something_is_not_touched(ohs, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    done = ohs("demo", "--keep", "mine")
    assert done.code == 2
    assert "[keep_directory]" in done.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]


@pytest.mark.e2e
def test_the_demo_as_json_leaves_nothing_behind(
    ohs_here, ohs_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Neither the user's model nor a proxy may take part.
    monkeypatch.setenv("LLM_MODEL", "openai/not-this-one")
    monkeypatch.setenv("LLM_API_KEY", "a-key-of-the-user")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = dict(os.environ)
    done = ohs_here("demo", "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert document["status"] == "finished"
    assert document["tests_passed"] is True
    assert [row["role"] for row in document["roles"]] == ["main", "sidekick"]
    assert document["roles"][1]["tasks"] == 3
    assert 0 < document["cost_usd"] < 1
    assert not Path(document["workspace"]).exists()
    assert not list(ohs_home.glob("runs/*"))
    assert dict(os.environ).keys() - before.keys() <= {"OHS_PROCESS_MARK"}
