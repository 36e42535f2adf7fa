from __future__ import annotations

import json
from pathlib import Path

from support import write


def checks(done) -> dict[str, dict[str, object]]:
    return {check["name"]: check for check in json.loads(done.out)["checks"]}


def test_doctor_tells_versions_and_what_is_set_without_values(ohs) -> None:
    done = ohs("doctor", "--json", LLM_API_KEY="sk-very-secret", LLM_MODEL="openai/some-model")
    assert done.code == 0, done.out
    assert json.loads(done.out)["ok"] is True
    found = checks(done)
    for name in ("ohs", "Python", "openhands-sdk", "openhands-tools", "OHS_HOME"):
        assert found[name]["ok"] is True
    assert {"git", "tmux", "openhands-agent-server", "hook plugins"} <= set(found)
    assert found["LLM_API_KEY"]["value"] == "set"
    assert found["LLM_BASE_URL"]["value"] == "not set"
    assert "fusion" in str(found["strategies"]["value"])
    assert "sk-very-secret" not in done.out
    assert "some-model" not in done.out


def test_doctor_as_text(ohs) -> None:
    done = ohs("doctor")
    assert done.code == 0
    assert done.out.splitlines()[-1] == "ready"
    assert "note  LLM_MODEL" in done.out
    assert "set it, or give --model" in done.out


def test_a_home_that_cannot_be_written_is_essential(ohs, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = ohs("doctor", OHS_HOME=str(tmp_path / "file" / "home"))
    assert done.code == 1
    assert "MISSING" in done.out
    assert "set OHS_HOME" in done.out
    assert not (tmp_path / "file" / "home").exists()


def test_doctor_makes_nothing(ohs, tmp_path: Path) -> None:
    assert ohs("doctor", OHS_HOME=str(tmp_path / "new" / "home")).code == 0
    assert not (tmp_path / "new").exists()


def test_a_failing_hook_plugin_is_named(ohs, tmp_path: Path) -> None:
    site = tmp_path / "site"
    info = site / "acme_hooks-1.0.dist-info"
    write(info / "METADATA", "Metadata-Version: 2.1\nName: acme-hooks\nVersion: 1.0\n")
    write(info / "entry_points.txt", "[openhands_strategies.plugins]\nacme = acme_hooks\n")
    write(site / "acme_hooks.py", "1 / 0\n")
    done = ohs("doctor", PYTHONPATH=str(site))
    assert done.code == 0
    assert "plugin 'acme' of acme-hooks 1.0 cannot be loaded" in done.out
    chosen = ohs("doctor", PYTHONPATH=str(site), OHS_PLUGINS="")
    assert "acme" not in chosen.out
    assert "empty: none are loaded" in chosen.out


def test_a_missing_program_is_a_note(ohs, tmp_path: Path) -> None:
    done = ohs("doctor", PATH=str(tmp_path))
    assert done.code == 0
    assert "note  git" in done.out
    assert "note  tmux" in done.out
