"""`ohs store gc` and `ohs store verify`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from git_server import STRATEGY, Repository

MODULE = b"from openhands_strategies import Strategy\n" + STRATEGY.replace(
    b"class Debate: ...", b"class Debate(Strategy):\n    name = 'debate'"
)


@pytest.fixture
def reference(tmp_path: Path) -> str:
    repository = Repository(tmp_path / "served" / "acme")
    repository.add({"strategy.py": MODULE})
    return f"git+file://{repository.path}"


def trees(home: Path) -> list[Path]:
    return sorted((home / "store" / "trees").glob("*"))


def test_an_empty_store_is_sound_and_stays_empty(ohs, ohs_home: Path) -> None:
    done = ohs("store", "verify")
    assert (done.code, done.err) == (0, "")
    assert "0 trees are sound" in done.out
    done = ohs("store", "gc")
    assert (done.code, done.out) == (0, "removed 0 trees, 0 bytes\n")
    assert not ohs_home.exists()


def test_gc_keeps_what_is_trusted_and_removes_what_nothing_names(
    ohs, reference: str, ohs_home: Path
) -> None:
    given = json.loads(ohs("trust", reference, "--yes", "--json").out)
    (tree,) = trees(ohs_home)
    assert json.loads(ohs("store", "gc", "--json").out)["removed"] == []
    assert tree.is_dir()
    verified = json.loads(ohs("store", "verify", "--json").out)
    assert verified == {"findings": [], "trees": 1}
    assert ohs("trust", "--revoke", "debate").code == 0
    document = json.loads(ohs("store", "gc", "--json").out)
    assert document["removed"] == [given["tree"]]
    assert document["bytes"] >= len(MODULE)
    assert not (ohs_home / "store").exists()


def test_verify_names_a_changed_tree(ohs, reference: str, ohs_home: Path) -> None:
    assert ohs("trust", reference, "--yes").code == 0
    (tree,) = trees(ohs_home)
    file = tree / "strategy.py"
    file.chmod(0o644)
    file.write_bytes(MODULE + b"changed = True\n")
    done = ohs("store", "verify")
    assert done.code == 1
    assert done.out.startswith("finding: ")
    assert tree.name in done.out
    as_json = ohs("store", "verify", "--json")
    assert as_json.code == 1
    document = json.loads(as_json.out)
    assert [one["code"] for one in document["findings"]] == ["store_damaged"]
    refused = ohs("trust", reference, "--json")
    assert refused.code == 3
    assert json.loads(refused.out)["error"]["code"] == "store_damaged"


def test_verify_names_an_entry_of_a_commit_that_is_not_what_was_written(
    ohs, reference: str, ohs_home: Path
) -> None:
    assert ohs("trust", reference, "--yes").code == 0
    (entry,) = (ohs_home / "store" / "commits").iterdir()
    entry.chmod(0o644)
    entry.write_text(entry.read_text().replace("acme", "evil"))
    done = ohs("store", "verify")
    assert (done.code, str(entry) in done.out) == (1, True)
    assert "[store_damaged]" in done.out


@pytest.mark.parametrize("group", ["store", "index"])
def test_a_group_alone_shows_its_help(ohs, group: str) -> None:
    done = ohs(group)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: ohs {group} ")


@pytest.mark.parametrize(
    "arguments", [["store", "nothing"], ["store", "gc", "x"], ["store", "verify", "-q"]]
)
def test_wrong_input_is_one_error(ohs, arguments: list[str]) -> None:
    done = ohs(*arguments)
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert 1 <= len(lines) <= 2
    assert lines[0].endswith("[usage]")
