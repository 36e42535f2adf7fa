"""Strangers' repositories: each ends in a named error, and nothing of it is left or runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from git_server import STRATEGY, Repository, git
from openhands_strategies.errors import LoadError, ResolveError
from openhands_strategies.sources.git_fetch import fetch_tree, locate_git
from openhands_strategies.sources.git_listing import TreeWriter, read_listing
from openhands_strategies.sources.reference import GitReference, parse_reference
from openhands_strategies.sources.tree import MAX_BYTES, MAX_FILES

Files = Mapping[str, bytes | tuple[str, bytes]]
GOOD: Files = {"strategy.py": STRATEGY}


def fetched(served: Repository, store: Path, commit: str = "main", inside: str | None = None):
    return locate_git(GitReference(f"file://{served.path}", commit, inside), store)


def code(served: Repository, store: Path, commit: str = "main", inside: str | None = None) -> str:
    """The error's code; the store holds nothing afterwards."""
    with pytest.raises((ResolveError, LoadError)) as caught:
        fetched(served, store, commit, inside)
    error = caught.value
    assert error.hint
    assert error.message.isprintable()
    assert str(store) not in error.message
    left = {path.relative_to(store).as_posix() for path in store.rglob("*")}
    assert left <= {"trees", "tmp", "locks", "locks/store.lock"} | {
        name for name in left if name.startswith("locks/")
    }
    return error.code


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a": ("120000", b"/etc/passwd")}, "tree_link"),
        ({"a": ("120000", b"../../outside")}, "tree_link"),
        ({"d/a": ("120000", b"../..")}, "tree_link"),
        ({"a": ("120000", b"d"), "d": ("120000", b"..")}, "tree_link"),
        ({"a": ("120000", b"b"), "b": ("120000", b"a")}, "tree_link"),
        ({"a": ("120000", b"")}, "tree_link"),
        ({"a": ("120000", b"x\0y")}, "tree_link"),
        ({"a": ("120000", b"x" * 5000)}, "tree_link"),
        ({"README": b"", "readme": b""}, "tree_case_twins"),
        ({"dir/a": b"", "Dir/b": b""}, "tree_case_twins"),
        ({"\u00e9": b"", "e\u0301": b""}, "tree_case_twins"),
        ({"sub": ("160000", b"1" * 40)}, "tree_submodule"),
        ({"deep/..x/-sub": ("160000", b"1" * 40)}, "tree_submodule"),
        ({"a\nb": b""}, "tree_name"),
        ({"a\x1b[31m": b""}, "tree_name"),
        ({"a\\b": b""}, "tree_name"),
        ({"\udcff": b""}, "tree_name"),
    ],
)
def test_hostile_trees(
    files: Files, expected: str, served: Repository, user: Path, store: Path
) -> None:
    served.add({**GOOD, **files})
    assert code(served, store) == expected
    # The same beside the directory that is wanted does no harm.
    inside = {f"bad/{path}": value for path, value in files.items()}
    served.add({**inside, "good/strategy.py": STRATEGY})
    assert fetched(served, store, inside="good").file.read_bytes() == STRATEGY


@pytest.mark.parametrize(
    "name",
    [".git", ".GIT", ".git ", ".git.", "git~1", "GIT~1", ".g\u200cit", "..", "."],
)
def test_names_that_mean_gits_own_directory(
    name: str, served: Repository, user: Path, store: Path
) -> None:
    inner = served.tree(("100755", served.blob(b"#!/bin/sh\ntouch /tmp/hooked\n"), b"config"))
    strategy = ("100644", served.blob(STRATEGY), b"strategy.py")
    entries = sorted([("040000", inner, os.fsencode(name)), strategy], key=lambda one: one[2])
    served.commit(served.tree(*entries))
    assert code(served, store) in ("tree_name", "git_unsound")


def test_our_own_look_at_names() -> None:
    """What git's fsck would already have refused, in case it does not."""

    def listing(*entries: tuple[str, str]) -> bytes:
        one = "1" * 40
        kinds = {"160000": "commit", "040000": "tree"}
        return b"".join(
            f"{mode} {kinds.get(mode, 'blob')} {one}\t".encode() + os.fsencode(path) + b"\0"
            for mode, path in entries
        )

    def refused(*entries: tuple[str, str]) -> str:
        with pytest.raises(LoadError) as caught:
            read_listing("git+https://example.org/a", listing(*entries))
        return caught.value.code

    for path in (
        *(".git/config", "a/.Git/x", ".git. ./x", "git~1", "a/.g\u200dit", ".git:x", "../x"),
        *("/etc/x", "a//b", "a/./b", "", "a\tb", "a\x7f"),
    ):
        assert refused(("100644", path)) == "tree_name", path
    assert refused(("100644", "a"), ("100644", "a/b")) == "tree_name"
    assert refused(("100644", "a"), ("100644", "a")) == "tree_name"
    assert refused(("040000", "a")) == "tree_special"
    assert refused(("100600", "a")) == "tree_special"
    assert refused(*(("100644", f"f{n}") for n in range(MAX_FILES + 1))) == "tree_too_large"
    kept = read_listing("x", listing(("100664", "a.py"), ("100644", "__pycache__/a.pyc")))
    assert [(file.path, file.mode) for file in kept] == [("a.py", "100644")]


def test_an_answer_that_is_not_what_was_asked_for(tmp_path: Path) -> None:
    files = read_listing(
        "x", b"100644 blob %s\ta\x00100644 blob %s\tb\x00" % (b"1" * 40, b"2" * 40)
    )
    answers = (
        b"",
        b"%s missing\n" % (b"1" * 40),
        b"%s tree 2\nxx\n" % (b"1" * 40),
        b"%s blob 2\nxx\n" % (b"2" * 40),
        b"%s blob 2\nxx\n%s blob 3\nxx\n" % (b"1" * 40, b"2" * 40),
    )
    for number, answer in enumerate(answers):
        root = tmp_path / str(number)
        root.mkdir()
        writer = TreeWriter(root, files)
        with pytest.raises(LoadError) as caught:
            feed(writer, answer)
        assert caught.value.code == "git_answer"


def feed(writer: TreeWriter, answer: bytes) -> None:
    for sign in answer:
        writer.feed(bytes((sign,)))
    writer.finish()


def test_too_many_files(served: Repository, user: Path, store: Path) -> None:
    one = served.blob(b"")
    names = sorted(f"f{number}".encode() for number in range(MAX_FILES + 1))
    served.commit(served.tree(*(("100644", one, name) for name in names)))
    assert code(served, store) == "tree_too_large"


def test_a_tree_that_unfolds_without_end(served: Repository, user: Path, store: Path) -> None:
    """Trees that each hold the one before ten times: 10 ** 10 files in 100 entries."""
    tree = served.tree(*(("100644", served.blob(STRATEGY), b"f%d" % n) for n in range(10)))
    for _ in range(9):
        tree = served.tree(*(("040000", tree, b"t%d" % n) for n in range(10)))
    served.commit(tree)
    with pytest.raises((ResolveError, LoadError)) as caught:
        fetch_tree(f"file://{served.path}", git(served.path, "rev-parse", "main"), None, store)
    assert caught.value.code in ("git_output_too_large", "tree_too_large", "git_unsound")


def test_large_files(served: Repository, user: Path, store: Path) -> None:
    big = served.blob(b"\0" * (MAX_BYTES // 2 + 1))
    strategy = ("100644", served.blob(STRATEGY), b"strategy.py")
    # One content twice: nothing to download, and too much on the disk.
    served.commit(served.tree(("100644", big, b"a"), ("100644", big, b"b"), strategy))
    assert code(served, store) == "tree_too_large"


def test_forged_objects(served: Repository, user: Path, store: Path) -> None:
    blob = served.blob(STRATEGY)
    twice = served.tree(("100644", blob, b"strategy.py"), ("100644", blob, b"strategy.py"))
    unsorted = served.tree(("100644", blob, b"z"), ("100644", blob, b"strategy.py"))
    for tree in (twice, unsorted):
        served.commit(tree)
        assert code(served, store) == "git_unsound"
    forged = git(
        served.path, "hash-object", "-t", "commit", "--literally", "-w", "--stdin",
        data=b"tree %s\nauthor x\ncommitter <x\n\nx\n" % served.directory(GOOD).encode(),
    )  # fmt: skip
    git(served.path, "update-ref", "refs/heads/forged", forged)
    assert code(served, store, "forged") == "git_unsound"


def test_a_damaged_repository(served: Repository, user: Path, store: Path) -> None:
    commit = served.add(GOOD)
    blob = git(served.path, "rev-parse", "main:strategy.py")
    file = served.path / "objects" / blob[:2] / blob[2:]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-4])
    assert code(served, store, commit) in ("git_failed", "git_unsound")


def test_nothing_of_a_repository_runs(
    served: Repository, user: Path, store: Path, tmp_path: Path
) -> None:
    """Hooks in templates and settings, filters, LFS, fsmonitor: none is started."""
    mark = tmp_path / "ran"
    hook = f'#!/bin/sh\necho "$0" >>{mark}\n'
    for directory in (user / "template" / "hooks", user / "hooks"):
        directory.mkdir(parents=True)
        for name in ("post-checkout", "post-merge", "reference-transaction", "fsmonitor", "f"):
            (directory / name).write_text(hook)
            (directory / name).chmod(0o755)
    (user / ".gitconfig").write_text(
        f"[init]\n\ttemplateDir = {user}/template\n[core]\n\thooksPath = {user}/hooks\n"
        f"\tfsmonitor = {user}/hooks/fsmonitor\n\tattributesFile = {user}/attributes\n"
        f'[filter "lfs"]\n\tsmudge = {user}/hooks/f\n\tprocess = {user}/hooks/f\n'
        "[submodule]\n\trecurse = true\n[fetch]\n\trecurseSubmodules = true\n"
        f"[fetch]\n\tbundleURI = file://{user}/bundle\n[transfer]\n\tbundleURI = true\n"
    )
    (user / "attributes").write_text("* filter=lfs\n")
    served.add({**GOOD, ".gitattributes": b"* filter=lfs ident\n", "id": b"$Id$\n"})
    found = fetched(served, store)
    assert (found.root / "id").read_bytes() == b"$Id$\n"
    assert not mark.exists()


@pytest.mark.parametrize(
    "text",
    [
        "git+--upload-pack=touch x://host/a",
        "git+https://-oProxyCommand=x/a",
        "git+ssh://-oProxyCommand=x/a",
        "git+ssh://git@-oProxyCommand=x/a",
        "git+ssh://host:-1/a",
        "git+ext::sh -c touch% /tmp/x",
        "git+EXT::sh",
        "ext::sh",
        "git+fd::3",
        "git+Ext://sh/a",
        "git+http://host/a/b",
        "git+HTTP://host/a/b",
        "git+git://host/a/b",
        "git+ftp://host/a/b",
        "git+https://host/a/../../b",
        "git+https://host/a/%2e%2e/b",
        "git+https://host/a@-x",
        "git+https://host/a@--upload-pack=x",
        "git+https://host/a@v1..v2",
        "git+https://host/a@HEAD@{1}",
        "git+https://host/a@a:b",
        "git+https://host/a@^v1",
        "git+https://host/a@refs/heads/*",
        "git+https://host/a@x\ny",
        "git+https://host/a\x00b",
        "git+https://host/a\rb",
        "git+https://host/a#subdirectory=../x",
        "git+https://host/a#subdirectory=/etc",
        "git+https://host/a#subdirectory=-x",
        "git+https://host/a#subdirectory=a/.GIT/b",
        "git+https://host/a#subdirectory=a:b",
        "git+https://host/a#subdirectory=:(glob)**",
        "git+https://user:hunter2hunter2@host/a",
        "github:-x/y",
        "github:a/../b",
        "git@-x:a/b",
        "git@host:-x/a@--y",
    ],
)
def test_hostile_references(
    text: str, user: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is refused by the grammar or by the fetch; a stand-in for git sees no trace."""
    calls = tmp_path / "calls"
    stand_in = tmp_path / "bin" / "git"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{calls}\nexit 1\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}:{os.environ['PATH']}")
    with pytest.raises(ResolveError) as caught:
        parse_reference(text)
    assert caught.value.code.startswith("reference_")
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert not calls.exists()


def test_odd_revisions_stay_names(served: Repository, user: Path, store: Path) -> None:
    served.add(GOOD)
    for revision in ("refs", "FETCH_HEAD", "HEAD", "+main", "a+b", "x=y", "\u00e4"):
        with pytest.raises(ResolveError) as caught:
            fetched(served, store, revision)
        assert caught.value.code == "revision_unknown"
