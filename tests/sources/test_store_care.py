"""Verifying the store and clearing it: sound whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.sources import store_care
from openhands_strategies.sources.commits import commit_key, known_tree, remember_tree
from openhands_strategies.sources.locks import locked
from openhands_strategies.sources.store import claim_tree, put_tree, store_lock, using_store
from openhands_strategies.sources.store_care import (
    Collected,
    collect_garbage,
    stored_trees,
    verify_store,
)
from openhands_strategies.sources.tree import tree_files


def put(store: Path, name: str) -> str:
    """Put a small tree into the store; its source is written once."""
    root = store.parent / "sources" / name
    if not root.is_dir():
        (root / "hooks").mkdir(parents=True)
        (root / "hooks" / "run.sh").write_text("#!/bin/sh\n")
        (root / "hooks" / "run.sh").chmod(0o755)
        (root / "link").symlink_to("hooks/run.sh")
        (root / "strategy.py").write_text(f"name = {name!r}\n")
    return put_tree(store, root, tree_files(root)).tree


def path_of(store: Path, tree: str) -> Path:
    return store / "trees" / tree.removeprefix("sha256:")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def test_a_store_that_is_not_there(store: Path) -> None:
    assert verify_store(store) == stored_trees(store) == []
    assert collect_garbage(store, []) == Collected()
    assert not store.exists()


def test_what_nobody_names_goes(store: Path) -> None:
    one, two = put(store, "one"), put(store, "two")
    remember_tree(store, "https://example.org/a", "1" * 40, None, one)
    remember_tree(store, "https://example.org/a", "2" * 40, "x", two)
    (store / "tmp" / "left").mkdir()
    (store / "tmp" / "left" / "file").write_bytes(b"x" * 1000)
    (store / "tmp" / "commit-1").write_bytes(b"x")
    collected = collect_garbage(store, [one, "sha256:" + "0" * 64])
    assert (collected.trees, collected.leftovers) == ((two,), ("commit-1", "left"))
    assert collected.bytes > 1001 + len("name = 'two'\n")
    assert stored_trees(store) == [one]
    assert verify_store(store) == []
    assert collect_garbage(store, [one]) == Collected()
    assert sorted(path.name for path in store.iterdir()) == ["commits", "trees"]
    assert collect_garbage(store, []).trees == (one,)
    assert not store.exists()
    assert put(store, "one") == one


def test_every_kind_of_damage_is_found(store: Path) -> None:
    trees = [put(store, f"s{number}") for number in range(7)]
    assert verify_store(store) == []
    changed, added, removed, mode, link, pipe, whole = (path_of(store, tree) for tree in trees)
    (changed / "strategy.py").chmod(0o644)
    (changed / "strategy.py").write_text("import os\n")
    (added / "more.py").write_text("")
    (removed / "hooks" / "run.sh").unlink()
    (mode / "hooks" / "run.sh").chmod(0o444)
    (link / "link").unlink()
    (link / "link").symlink_to("/etc/passwd")
    os.mkfifo(pipe / "pipe")
    os.utime(whole / "strategy.py", (0, 4_000_000_000))
    (store / "trees" / "notes.txt").write_text("")
    (store / "trees" / ("f" * 64)).symlink_to(whole)
    found = verify_store(store)
    damaged = {error.message for error in found if error.code == "store_damaged"}
    foreign = [error.message for error in found if error.code == "store_foreign"]
    assert len(damaged) == 6
    for path in (changed, added, removed, mode, link, pipe):
        assert sum(path.name in message for message in damaged) == 1
        assert any(str(path) in error.hint for error in found)
    assert len(foreign) == 2
    # Looking changed nothing, and a clean-up leaves alone what is not ours.
    assert len(verify_store(store)) == 8
    collect_garbage(store, [])
    assert sorted(path.name for path in (store / "trees").iterdir()) == ["f" * 64, "notes.txt"]


def test_entries_of_commits_that_were_changed_are_found(store: Path) -> None:
    tree = put(store, "one")
    for number in "123456":
        remember_tree(store, "https://example.org/a", number * 40, None, tree)
    remember_tree(store, "https://example.org/a", "7" * 40, "x", "sha256:" + "0" * 64)
    assert verify_store(store) == []  # the tree of the last one is gone, as after a removal
    key = {number: commit_key("https://example.org/a", number * 40, None) for number in "123456"}
    place = {number: store / "commits" / f"{one}.json" for number, one in key.items()}
    for number in "12345":
        place[number].chmod(0o644)
    text = place["1"].read_text()
    place["1"].write_text("{")
    place["2"].write_text(text.replace("example", "evil"))
    place["3"].write_text(text)
    place["4"].write_text(text.replace("1" * 40, "4" * 40).replace(tree, "main"))
    place["5"].rename(store / "commits" / "notes.txt")
    bad = [place[number] for number in "1234"] + [store / "commits" / "notes.txt"]
    found = verify_store(store)
    assert [error.code for error in found] == ["store_damaged"] * 5
    for path in bad:
        assert sum(str(path) in error.message for error in found) == 1
    # Looking changed nothing, and what is sound still leads to its tree.
    assert len(verify_store(store)) == 5
    assert known_tree(store, "https://example.org/a", "6" * 40, None) is not None


def test_keep_is_read_once_nobody_adds_any_more(store: Path) -> None:
    """Whoever adds and names a tree within `using_store` never loses it."""
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_store_care import put
from openhands_strategies.sources.store import using_store
store = Path(sys.argv[1])
with using_store(store):
    tree = put(store, "slow")
    print("put", flush=True)
    sys.stdin.readline()
    (store.parent / "named").write_text(tree)
print(tree, flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(store)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "put\n"
    stdin = process.stdin

    def go() -> None:
        stdin.write("go\n")
        stdin.flush()

    def keep() -> Iterator[str]:
        yield (store.parent / "named").read_text()

    assert collect_garbage(store, keep(), waiting=go).trees == ()
    assert process.wait(30) == 0
    assert len(stored_trees(store)) == 1


def test_those_who_add_wait_for_a_clean_up(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("openhands_strategies.sources.store.LOCK_SECONDS", 0.05)
    with locked(store_lock(store)):
        with pytest.raises(LoadError) as caught, using_store(store):
            pytest.fail("it did not wait")
        assert caught.value.code == "store_busy"
        root = store.parent / "sources" / "one"
        root.mkdir(parents=True)
        (root / "strategy.py").write_text("")
        with pytest.raises(LoadError) as caught:
            put_tree(store, root, tree_files(root), waiting=told.append)
        assert caught.value.code == "store_busy"
        assert len(told) == 1
    monkeypatch.setattr(store_care, "LOCK_SECONDS", 0.05)
    with using_store(store), using_store(store):
        with pytest.raises(LoadError) as caught:
            collect_garbage(store, [])
        assert caught.value.code == "store_busy"
        put(store, "one")


def test_a_killed_holder_holds_nothing(store: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from openhands_strategies.sources.locks import locked
with locked(Path({str(store_lock(store))!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    begun = time.monotonic()
    put(store, "one")
    assert time.monotonic() - begun < 5


def test_a_store_that_leads_nowhere_is_an_error_at_once(store: Path) -> None:
    store.symlink_to(store.parent / "nowhere" / "at" / "all")
    begun = time.monotonic()
    with pytest.raises(LoadError) as caught:
        put(store, "one")
    assert caught.value.code == "store_write"
    assert time.monotonic() - begun < 5


ADDING = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_store_care import path_of, put
from openhands_strategies.sources.store import using_store
from openhands_strategies.sources.tree import hash_tree, tree_files
store, number = Path(sys.argv[1]), int(sys.argv[2])
names = store.parent / "names"
for turn in range(15):
    with using_store(store):
        tree = put(store, f"s{{(number + turn) % 5 if number % 2 else number * 100 + turn}}")
        (names / f"{{number}}-{{turn}}").write_text(tree)
    root = path_of(store, tree)
    assert hash_tree(root, tree_files(root)) == tree, tree
"""


def test_eight_processes_add_while_others_clean_up(store: Path) -> None:
    names = store.parent / "names"
    names.mkdir()
    for number in range(5):
        put(store, f"s{number}")
    # Processes that put without naming, as a plain put_tree does, must not break either.
    garbage = ADDING.replace("(names /", "(names.parent /")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", ADDING if number < 6 else garbage, str(store), str(number)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]

    def keep() -> Iterator[str]:
        for path in names.iterdir():
            yield path.read_text()

    cleaned = 0
    while any(process.poll() is None for process in running[:6]):
        collect_garbage(store, keep())
        cleaned += 1
    errors = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running[:6]] == [0] * 6, errors
    # Those found at most that their tree was gone again.
    assert all("FileNotFoundError" in error for error in errors[6:] if error), errors
    assert cleaned > 3
    named = {path.read_text() for path in names.iterdir()}
    assert set(stored_trees(store)) >= named
    assert verify_store(store) == []
    collect_garbage(store, named)
    assert set(stored_trees(store)) == named
    assert sorted(path.name for path in store.iterdir()) == ["trees"]


CRASHING = f"""
import sys
sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parent.parent)!r}]
import shutil
from pathlib import Path
from crashes import killed_at_every_step
from test_store_care import put, path_of
import filelock
from openhands_strategies.sources.commits import remember_tree
from openhands_strategies.sources.store import using_store
from openhands_strategies.sources.store_care import *
base, what = Path(sys.argv[1]), sys.argv[2]
store = base / "store"

def prepare(number):
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir()
    prepare.kept = put(store, "kept")
    put(store, "gone")
    put(store, "gone too")
    remember_tree(store, "https://example.org/a", "1" * 40, None, prepare.kept)
    (store / "tmp" / "left" / "below").mkdir(parents=True)
    put.__globals__["Path"](store / "tmp" / "left" / "below" / "file").write_text("x")

def action():
    if what == "gc":
        collect_garbage(store, [prepare.kept])
    elif what == "gc of all":
        collect_garbage(store, [])
    else:
        with using_store(store):
            remember_tree(store, "https://example.org/a", "2" * 40, None, put(store, "new"))

def check():
    assert verify_store(store) == [], verify_store(store)
    if what != "gc of all":
        assert prepare.kept in stored_trees(store)
    new = put(store, "new")
    assert verify_store(store) == []
    collect_garbage(store, [new])
    assert stored_trees(store) == [new]
    assert [path.name for path in store.iterdir()] == ["trees"]
    collect_garbage(store, [])
    assert not store.exists()

print(killed_at_every_step(prepare, action, check, below=str(store)))
"""


@pytest.mark.parametrize(("what", "least"), [("gc", 28), ("gc of all", 36), ("put", 20)])
def test_kill_at_every_step(tmp_path: Path, what: str, least: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CRASHING, str(tmp_path / "ground"), what],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > least


@pytest.mark.skipif(os.geteuid() != 0, reason="the store must belong to somebody else")
def test_a_read_only_store_serves_what_it_has() -> None:
    script = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
import fcntl, filelock  # while this user may read them
from openhands_strategies.errors import LoadError
from openhands_strategies.sources.store import get_tree, put_tree, using_store
from openhands_strategies.sources.store_care import *
from openhands_strategies.sources.tree import tree_files
store, tree = Path(sys.argv[1]), sys.argv[2]
os.setgid(65534)
os.setuid(65534)
root = store.parent / "sources" / "one"
assert get_tree(store, tree) is not None
assert put_tree(store, root, tree_files(root)).tree == tree
assert verify_store(store) == []
for call in (
    lambda: collect_garbage(store, []),
    lambda: put_tree(store, root, tree_files(root, ["strategy.py"])),
    lambda: using_store(store).__enter__(),
):
    try:
        call()
    except LoadError as error:
        print(error.code, error.hint)
"""
    # Not below pytest's own directory, which only its user may enter.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        store = Path(name) / "store"
        tree = put(store, "one")
        ran = subprocess.run(
            [sys.executable, "-c", script, str(store), tree],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert [line.split()[0] for line in ran.stdout.splitlines()] == ["store_write"] * 3
        assert "OHS_HOME" in ran.stdout
        assert verify_store(store) == []
        assert stored_trees(store) == [tree]


USING = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_store_care import put
from openhands_strategies.sources.store import claim_tree, put_tree
from openhands_strategies.sources.tree import tree_files
store, what = Path(sys.argv[1]), sys.argv[2]
if what == "put":
    put(store, "one")
    root = store.parent / "sources" / "one"
    tree = put_tree(store, root, tree_files(root), claim=True).tree
else:
    claim_tree(store, what)
    tree = what
print(tree, flush=True)
sys.stdin.readline()
"""


@contextmanager
def user_of(store: Path, what: str) -> Iterator[str]:
    """A process that uses a tree until the end of the block, and is killed then."""
    with subprocess.Popen(
        [sys.executable, "-c", USING, str(store), what],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def test_what_a_running_process_uses_stays_until_it_ends(store: Path) -> None:
    two, three = put(store, "two"), put(store, "three")
    with user_of(store, "put") as one, user_of(store, two), user_of(store, two):
        assert collect_garbage(store, []).trees == (three,)
        assert stored_trees(store) == sorted([one, two])
        assert len([*(store / "claims").iterdir()]) == 3
    assert collect_garbage(store, []).trees == tuple(sorted([one, two]))
    assert not store.exists()


def test_claims_of_ended_processes_do_not_pile_up(store: Path) -> None:
    tree = put(store, "one")
    for _ in range(3):
        with user_of(store, tree):
            pass
    claim_tree(store, tree)
    assert len([*(store / "claims").iterdir()]) == 1
    # The number of a process that ended, taken by another one since.
    own = next((store / "claims").iterdir())
    own.rename(own.with_name(own.name.replace(f"{os.getpid()}-", f"{os.getppid()}-") + "0"))
    (store / "claims" / "notes.txt").write_text("")
    assert collect_garbage(store, [tree]).trees == ()
    assert sorted(path.name for path in store.iterdir()) == ["trees"]
    claim_tree(store, tree)
    assert collect_garbage(store, []).trees == (tree,)  # who cleans up does not hold it up
    assert not store.exists()
