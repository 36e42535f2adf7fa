"""The store: content addressed, atomic, read-only, safe with several processes."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from filelock import FileLock

from openhands_strategies.errors import LoadError
from openhands_strategies.sources import store as store_module
from openhands_strategies.sources.store import get_tree, put_tree
from openhands_strategies.sources.tree import hash_tree, tree_files

PUT = """
    import sys
    from pathlib import Path
    from openhands_strategies.errors import LoadError
    from openhands_strategies.sources.store import put_tree
    from openhands_strategies.sources.tree import tree_files
    store, root = map(Path, sys.argv[1:3])
    files = tree_files(root)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        print(put_tree(store, root, files).tree, flush=True)
    except LoadError as error:
        print(error.code, flush=True)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "strategy"
    (root / "hooks").mkdir(parents=True)
    (root / "strategy.py").write_text("x = 1\n")
    (root / "hooks" / "run.sh").write_text("#!/bin/sh\n")
    (root / "hooks" / "run.sh").chmod(0o755)
    (root / "link").symlink_to("hooks/run.sh")
    return root


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A tree whose copying takes long enough to be interrupted."""
    root = tmp_path / "large"
    for number in range(4_000):
        file = root / f"d{number % 40}" / f"f{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"%d" % number * 500)
    return root


def started(store: Path, root: Path, before: str = "") -> subprocess.Popen[str]:
    """A process that has listed `root` and waits for a line before it puts."""
    process = subprocess.Popen(
        [sys.executable, "-c", before + textwrap.dedent(PUT), str(store), str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_put_and_get(tmp_path: Path, root: Path) -> None:
    store = tmp_path / "home" / "store"
    files = tree_files(root)
    tree = hash_tree(root, files)
    assert get_tree(store, tree) is None
    stored = put_tree(store, root, files)
    assert (stored.tree, stored.path) == (tree, store / "trees" / tree.removeprefix("sha256:"))
    assert get_tree(store, tree) == stored.path
    assert tree_files(stored.path) == files
    assert hash_tree(stored.path, tree_files(stored.path)) == tree
    modes = {
        file.path: stat.S_IMODE((stored.path / file.path).lstat().st_mode)
        for file in files
        if file.mode != "120000"
    }
    assert modes == {"strategy.py": 0o444, "hooks/run.sh": 0o555}
    assert (stored.path / "link").readlink() == Path("hooks/run.sh")
    assert list((store / "tmp").iterdir()) == []


def test_a_change_of_the_source_leaves_the_copy(tmp_path: Path, root: Path) -> None:
    first = put_tree(tmp_path / "store", root, tree_files(root))
    (root / "strategy.py").write_text("x = 2\n")
    second = put_tree(tmp_path / "store", root, tree_files(root))
    assert first.tree != second.tree
    assert (first.path / "strategy.py").read_text() == "x = 1\n"
    assert (second.path / "strategy.py").read_text() == "x = 2\n"


def test_a_second_put_writes_nothing(tmp_path: Path, root: Path) -> None:
    store = tmp_path / "store"
    stored = put_tree(store, root, tree_files(root))
    # With these gone, any attempt to lock or to copy would bring them back.
    for name in ("tmp", "locks"):
        subprocess.run(["rm", "-r", str(store / name)], check=True)
    written = stored.path.stat().st_mtime_ns
    assert put_tree(store, root, tree_files(root)) == stored
    assert [entry.name for entry in store.iterdir()] == ["trees"]
    assert stored.path.stat().st_mtime_ns == written


def test_a_source_that_changed_since_the_listing(tmp_path: Path, root: Path) -> None:
    files = tree_files(root)
    (root / "strategy.py").write_text("x = 1\nmore\n")
    with pytest.raises(LoadError) as caught:
        put_tree(tmp_path / "store", root, files)
    assert caught.value.code == "tree_changed"
    assert not (tmp_path / "store").exists()


def test_a_source_that_changes_while_it_is_copied(tmp_path: Path, large: Path) -> None:
    store = tmp_path / "store"
    files = tree_files(large)
    last = large / files[-1].path
    process = started(store, large)
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    wait_for_copy(store, process)
    process.send_signal(signal.SIGSTOP)
    copied = next((store / "tmp").glob(f"*/{files[-1].path}"), None)
    assert copied is None, "the copy was faster than the test"
    last.write_bytes(b"x" * files[-1].size)
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate(timeout=60)
    assert out == "tree_changed\n"
    assert not store.exists()


def test_bad_hashes_lead_nowhere(tmp_path: Path) -> None:
    for tree in ("", "sha256:", "sha256:../../etc", "sha256:" + "A" * 64, "md5:" + "a" * 64):
        with pytest.raises(LoadError) as caught:
            get_tree(tmp_path, tree)
        assert caught.value.code == "tree_hash"


def test_eight_processes_put_the_same_tree(tmp_path: Path, large: Path) -> None:
    store = tmp_path / "store"
    processes = [started(store, large) for _ in range(8)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=120)[0].strip() for process in processes}
    assert answers == {hash_tree(large, tree_files(large))}
    (stored,) = (store / "trees").iterdir()
    assert f"sha256:{stored.name}" == hash_tree(stored, tree_files(stored))
    assert list((store / "tmp").iterdir()) == []


def test_kill_in_the_middle_leaves_nothing_in_the_way(tmp_path: Path, large: Path) -> None:
    store = tmp_path / "store"
    process = started(store, large)
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    wait_for_copy(store, process)
    process.kill()
    process.communicate()
    tree = hash_tree(large, tree_files(large))
    assert any((store / "tmp").iterdir()), "it was not killed in the middle"
    assert get_tree(store, tree) is None
    stored = put_tree(store, large, tree_files(large))
    assert hash_tree(stored.path, tree_files(stored.path)) == stored.tree == tree
    assert list((store / "tmp").iterdir()) == []


def test_a_full_disk(tmp_path: Path, root: Path) -> None:
    (root / "data").write_bytes(b"x" * 100_000)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
    process = started(tmp_path / "store", root, limit)
    out, _ = process.communicate("go\n", timeout=60)
    assert out == "store_write\n"
    assert not (tmp_path / "store").exists()


def test_a_store_that_cannot_be_made(tmp_path: Path, root: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(LoadError) as caught:
        put_tree(tmp_path / "store", root, tree_files(root))
    assert caught.value.code == "store_write"
    assert "OHS_HOME" in caught.value.hint


def test_the_waiting_one_is_told(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    tree = hash_tree(root, tree_files(root))
    (store / "locks").mkdir(parents=True)
    held = FileLock(store / "locks" / f"{tree.removeprefix('sha256:')}.lock")
    held.acquire()
    waited: list[str] = []

    def let_go(tree: str) -> None:
        waited.append(tree)
        held.release()

    assert put_tree(store, root, tree_files(root), waiting=let_go).tree == tree
    assert waited == [tree]

    (root / "strategy.py").write_text("x = 3\n")
    tree = hash_tree(root, tree_files(root))
    monkeypatch.setattr(store_module, "LOCK_SECONDS", 0.1)
    lock = FileLock(store / "locks" / f"{tree.removeprefix('sha256:')}.lock")
    with lock, pytest.raises(LoadError) as caught:
        put_tree(store, root, tree_files(root))
    assert caught.value.code == "store_busy"


def wait_for_copy(store: Path, process: subprocess.Popen[str]) -> None:
    """Return as soon as the first file of a copy is there."""
    end = time.monotonic() + 60
    while not any((store / "tmp").glob("*/*/*")):
        assert process.poll() is None, "the process ended before it copied"
        assert time.monotonic() < end
        time.sleep(0.001)
