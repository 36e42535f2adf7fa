from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import write


@pytest.fixture
def broken_site(tmp_path: Path) -> Path:
    """A directory for PYTHONPATH with one distribution whose strategy is not there."""
    info = tmp_path / "site" / "acme_broken-1.0.dist-info"
    write(info / "METADATA", "Metadata-Version: 2.1\nName: acme-broken\nVersion: 1.0\n")
    write(
        info / "entry_points.txt", "[openhands.strategies]\nbroken = acme_broken.strategy:Nothing\n"
    )
    write(info / "RECORD", "")
    return tmp_path / "site"


def test_list_names_what_is_installed(ohs) -> None:
    done = ohs("list")
    assert done.code == 0
    header, *rows = done.out.splitlines()
    assert header.split() == ["NAME", "VERSION", "SOURCE", "DESCRIPTION"]
    assert any(row.startswith("fusion ") for row in rows)
    assert done.err == ""


def test_list_as_json(ohs) -> None:
    document = json.loads(ohs("list", "--json").out)
    assert set(document) == {"strategies", "warnings"}
    entry = next(one for one in document["strategies"] if one["name"] == "fusion")
    assert set(entry) >= {
        "name", "description", "version", "source", "params", "trusted", "error",
    }  # fmt: skip
    assert entry["source"]["type"] == "distribution"
    assert entry["trusted"] is True
    assert entry["error"] is None
    assert {"name", "type", "default"} <= set(entry["params"][0])


def test_a_broken_distribution_costs_one_warning(ohs, broken_site: Path) -> None:
    done = ohs("list", PYTHONPATH=str(broken_site))
    assert done.code == 0
    assert "fusion" in done.out
    warnings = [line for line in done.err.splitlines() if line.startswith("warning:")]
    assert len(warnings) == 1
    assert "acme-broken" in warnings[0]
    document = json.loads(ohs("list", "--json", PYTHONPATH=str(broken_site)).out)
    assert [one["code"] for one in document["warnings"]] == ["entry_point_module"]
    assert any(one["name"] == "fusion" for one in document["strategies"])


def test_a_broken_distribution_leaves_the_others_usable(ohs, broken_site: Path) -> None:
    done = ohs("show", "fusion", PYTHONPATH=str(broken_site))
    assert done.code == 0
    assert "sidekick_model" in done.out
    own = ohs("show", "broken", PYTHONPATH=str(broken_site))
    assert own.code == 3
    assert "acme-broken" in own.err


def test_show_tells_parameters_with_what_is_allowed(ohs, good: Path) -> None:
    done = ohs("show", "./good.py")
    assert done.code == 0
    assert done.out.splitlines()[0] == "good"
    assert "One agent with a terminal" in done.out
    assert "an integer from 1 to 4, default 2" in done.out
    assert "one of calm, bold, default calm" in done.out
    assert "the name of an environment variable that is set" in done.out
    assert str(good) in done.out


def test_show_as_json_has_capabilities_and_shadows(ohs) -> None:
    document = json.loads(ohs("show", "fusion", "--json").out)
    assert set(document["capabilities"]) >= {
        "hooks", "mcp", "tools", "skills", "agents", "dependencies",
    }  # fmt: skip
    hook = document["capabilities"]["hooks"][0]
    assert "read_only.py" in hook["command"]
    assert document["capabilities"]["agents"] == ["sidekick"]
    assert document["shadows"] == []


def test_show_works_for_a_broken_strategy(ohs, tmp_path: Path) -> None:
    write(tmp_path / "bad.py", "class Bad(:\n")
    done = ohs("show", "./bad.py")
    assert done.code == 0
    assert "error: bad.py:1: invalid syntax [syntax_error]" in done.out
    document = json.loads(ohs("show", "./bad.py", "--json").out)
    assert document["error"]["code"] == "syntax_error"
    assert document["capabilities"]["hooks"] == []


def test_a_strangers_text_cannot_steer_the_terminal(ohs, good: Path) -> None:
    text = good.read_text().replace("One agent", "\\x1b[2J\\x07[red]One agent")
    good.write_text(text)
    shown = ohs("show", "./good.py").out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[red]One agent" in shown
