"""What belongs to a tree, what is refused, and the hash."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
from pathlib import Path

import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.sources import tree
from openhands_strategies.sources.tree import TreeFile, hash_tree, tree_files


def write(root: Path, path: str, text: str = "") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def refused(root: Path, only: list[str] | None = None) -> LoadError:
    with pytest.raises(LoadError) as caught:
        tree_files(root, only)
    return caught.value


def test_files_modes_links_and_sizes(tmp_path: Path) -> None:
    write(tmp_path, "strategy.py", "x = 1\n")
    write(tmp_path, "hooks/check.sh", "#!/bin/sh\n").chmod(0o755)
    write(tmp_path, "skills/äö/SKILL.md", "text")
    (tmp_path / "hooks" / "again").symlink_to("../hooks/check.sh")
    (tmp_path / "all-skills").symlink_to("skills")
    (tmp_path / "empty").mkdir()
    assert tree_files(tmp_path) == [
        TreeFile("all-skills", "120000", 6),
        TreeFile("hooks/again", "120000", 17),
        TreeFile("hooks/check.sh", "100755", 10),
        TreeFile("skills/äö/SKILL.md", "100644", 4),
        TreeFile("strategy.py", "100644", 6),
    ]


def test_what_a_machine_adds_is_left_out(tmp_path: Path) -> None:
    for path in (
        ".git/config", "sub/.hg/x", ".svn/x", "__pycache__/a.pyc", "sub/b.pyc", ".venv/x", "venv/x",
        "node_modules/x", ".mypy_cache/x", ".pytest_cache/x", ".ruff_cache/x", ".tox/x",
        ".DS_Store", "a.egg-info/PKG-INFO", "strategy.py", ".plugin/plugin.json",
    ):  # fmt: skip
        write(tmp_path, path)
    (tmp_path / ".venv" / "out").symlink_to("/etc")
    assert [file.path for file in tree_files(tmp_path)] == [".plugin/plugin.json", "strategy.py"]


def test_the_hash_is_the_one_of_the_contract(tmp_path: Path) -> None:
    write(tmp_path, "strategy.py", "x = 1\n")
    write(tmp_path, "b/run", "go").chmod(0o700)
    (tmp_path / "link").symlink_to("b/run")
    records = [
        b"100644 " + hashlib.sha256(b"x = 1\n").hexdigest().encode() + b" strategy.py\0",
        b"100755 " + hashlib.sha256(b"go").hexdigest().encode() + b" b/run\0",
        b"120000 " + hashlib.sha256(b"b/run").hexdigest().encode() + b" link\0",
    ]
    files = tree_files(tmp_path)
    expected = "sha256:" + hashlib.sha256(b"".join(sorted(records))).hexdigest()
    assert hash_tree(tmp_path, files) == expected
    assert hash_tree(tmp_path, reversed(files)) == expected


@pytest.mark.parametrize("change", ["content", "name", "mode", "link", "more"])
def test_every_change_changes_the_hash(tmp_path: Path, change: str) -> None:
    file = write(tmp_path, "strategy.py", "x = 1\n")
    before = hash_tree(tmp_path, tree_files(tmp_path))
    if change == "content":
        file.write_text("x = 2\n")
    elif change == "name":
        file.rename(tmp_path / "other.py")
    elif change == "mode":
        file.chmod(0o755)
    elif change == "link":
        file.rename(tmp_path / "other.py")
        file.symlink_to("other.py")
    else:
        write(tmp_path, "more.py")
    assert hash_tree(tmp_path, tree_files(tmp_path)) != before


def test_one_file_of_a_directory(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "a")
    (tmp_path / "out").symlink_to("/etc/passwd")
    assert tree_files(tmp_path, ("a.py",)) == [TreeFile("a.py", "100644", 1)]
    for path in ("../x", "/etc/passwd", "a/../../x", "", "./a.py"):
        assert refused(tmp_path, [path]).code == "tree_name"
    assert refused(tmp_path, ["out"]).code == "tree_link"
    assert refused(tmp_path, ["gone.py"]).code == "tree_unreadable"


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../outside", "sub/../../outside", "sub/up/x", "up"]
)
def test_links_that_leave_the_tree(tmp_path: Path, target: str) -> None:
    root = tmp_path / "tree"
    write(root, "sub/strategy.py")
    write(tmp_path, "outside")
    (root / "sub" / "up").symlink_to("../..")
    if target != "up":
        (root / "sub" / "up").unlink()
    if target == "sub/up/x":
        (root / "sub" / "up").symlink_to(tmp_path)
    if target != "up":
        (root / "bad").symlink_to(target)
    error = refused(root)
    assert error.code == "tree_link"
    assert str(root) in error.message


def test_a_recorded_file_behind_a_link_that_leaves_the_tree(tmp_path: Path) -> None:
    write(tmp_path, "outside/x.py")
    write(tmp_path, "tree/strategy.py")
    (tmp_path / "tree" / "sub").symlink_to("../outside")
    assert refused(tmp_path / "tree", ["sub/x.py"]).code == "tree_link"


def test_devices_pipes_and_sockets(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path).code == "tree_special"
    (tmp_path / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tmp_path)  # a socket's path is at most 107 bytes
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
        assert refused(tmp_path).code == "tree_special"


@pytest.mark.parametrize(
    ("one", "other"),
    [("A.py", "a.py"), ("sub/x", "Sub/y"), ("e\u0301.py", "\u00e9.py"), ("straße", "STRASSE")],
)
def test_case_twins(tmp_path: Path, one: str, other: str) -> None:
    write(tmp_path, one)
    write(tmp_path, other)
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system holds only one of them")
    assert refused(tmp_path).code == "tree_case_twins"


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.py")).write_text("")
    except OSError:
        pytest.skip("this file system holds UTF-8 names only")
    error = refused(tmp_path)
    assert error.code == "tree_name"
    error.message.encode()


def test_too_many_files_or_bytes(tmp_path: Path) -> None:
    big = write(tmp_path, "big")
    os.truncate(big, tree.MAX_BYTES)
    assert tree_files(tmp_path)[0].size == tree.MAX_BYTES
    os.truncate(big, tree.MAX_BYTES + 1)
    assert refused(tmp_path).code == "tree_too_large"
    big.unlink()
    for number in range(tree.MAX_FILES):
        (tmp_path / f"{number}").touch()
    assert len(tree_files(tmp_path)) == tree.MAX_FILES
    (tmp_path / "one-more").touch()
    assert refused(tmp_path).code == "tree_too_large"


def test_a_file_that_changes_after_listing(tmp_path: Path) -> None:
    file = write(tmp_path, "strategy.py", "x = 1\n")
    files = tree_files(tmp_path)
    for text in ("x = 1\nmore\n", "x"):
        file.write_text(text)
        with pytest.raises(LoadError) as caught:
            hash_tree(tmp_path, files)
        assert caught.value.code == "tree_changed"
    file.unlink()
    with pytest.raises(LoadError) as caught:
        hash_tree(tmp_path, files)
    assert caught.value.code == "tree_changed"
    file.symlink_to("/etc/passwd")
    with pytest.raises(LoadError):
        hash_tree(tmp_path, files)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(LoadError) as caught:
        hash_tree(tmp_path, files)
    assert caught.value.code == "tree_changed"


def test_modes_are_those_of_git(tmp_path: Path) -> None:
    write(tmp_path, "strategy.py", "x = 1\n")
    write(tmp_path, "hooks/run.sh", "").chmod(0o755)
    (tmp_path / "link").symlink_to("strategy.py")
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    listed = subprocess.run([*git, "ls-files", "-s"], check=True, capture_output=True, text=True)
    theirs = sorted((line.split("\t")[1], line.split()[0]) for line in listed.stdout.splitlines())
    assert [(file.path, file.mode) for file in tree_files(tmp_path)] == theirs
