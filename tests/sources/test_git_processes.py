"""Several processes at once, and processes that are killed: the store stays sound."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from git_server import GIT, STRATEGY, GitServer, Repository
from openhands_strategies.sources.git_fetch import WAITING, locate_git
from openhands_strategies.sources.reference import GitReference
from openhands_strategies.sources.store_care import collect_garbage, stored_trees, verify_store
from openhands_strategies.sources.tree import hash_tree, tree_files

Serve = Callable[..., GitServer]
FETCH = """
    import json, os, signal, sys
    from pathlib import Path
    from openhands_strategies.errors import StrategyError
    from openhands_strategies.sources.git_fetch import locate_git
    from openhands_strategies.sources.reference import GitReference
    import git.cmd
    url, subdirectory, store, deadly = sys.argv[1:5]
    done = 0
    WATCHED = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.symlink",
               "subprocess.Popen", "shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp"}
    def count(event, args):
        global done
        if event in WATCHED or (event == "open" and str(args[0]).startswith(store)):
            done += 1
            if done == int(deadly):
                os.kill(os.getpid(), signal.SIGKILL)
    print("ready", flush=True)
    sys.stdin.readline()
    sys.addaudithook(count)
    stages = []
    try:
        found = locate_git(GitReference(url, None, subdirectory or None), Path(store),
                           progress=lambda *stage: stages.append(stage[0]))
        print(json.dumps({"tree": found.tree, "stages": stages, "done": done}), flush=True)
    except StrategyError as error:
        print(json.dumps({"error": error.code, "message": error.message}), flush=True)
"""


def child(
    url: str, store: Path, subdirectory: str = "", *, deadly: int = 0
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-c", textwrap.dedent(FETCH)),
            *(url, subdirectory, str(store), str(deadly)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def together(*processes: subprocess.Popen[str]) -> list[dict]:
    """Let all start at once; what each said, empty for one that was killed."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0] for process in processes]
    return [json.loads(text) if text else {} for text in said]


def sound(store: Path) -> None:
    assert verify_store(store) == []
    for entry in store.glob("commits/*"):
        assert json.loads(entry.read_text())["tree"] in stored_trees(store)


@pytest.fixture
def acme(served: Repository, user: Path) -> Repository:
    served.add({f"s{n}/strategy.py": STRATEGY + b"#%d\n" % n for n in range(4)} | {
        f"s{n}/d/{m}": b"%d" % m * 1000 for n in range(4) for m in range(30)
    })  # fmt: skip
    return served


@pytest.mark.parametrize("count", [2, 8])
def test_the_same_at_once(count: int, acme: Repository, serve: Serve, store: Path) -> None:
    acme.config(uploadpack_allowFilter="true")
    server = serve()
    url = f"{server.url}/acme/tools"
    said = together(*(child(url, store, "s1") for _ in range(count)))
    assert len({one["tree"] for one in said}) == 1, said
    sound(store)
    assert list((store / "tmp").iterdir()) == []
    packs = [one for one in server.requests if one.startswith("POST")]
    # Each asks which commit; only the first fetches: trees, then content.
    assert len(packs) == count + 2


def test_different_ones_at_once(acme: Repository, store: Path) -> None:
    url = f"file://{acme.path}"
    said = together(*(child(url, store, f"s{n % 4}") for n in range(8)))
    assert sorted(one["tree"] for one in said) == sorted([*stored_trees(store)] * 2)
    sound(store)
    assert list((store / "tmp").iterdir()) == []


def test_the_one_that_waits_says_so_and_goes_on_when_the_first_is_killed(
    acme: Repository, serve: Serve, store: Path
) -> None:
    held, freed = threading.Event(), threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> bool:
        if request.command == "POST" and not held.is_set():
            body = request.rfile.read(int(request.headers["Content-Length"]))
            if b"command=fetch" in body:
                held.set()
                freed.wait(30)
                request.close_connection = True
                return True
            request.rfile = _Again(body)  # type: ignore[assignment]
        return False

    url = f"{serve(answer=answer).url}/acme/tools"
    first, second = (child(url, store, "s1") for _ in range(2))
    try:
        start(first)
        assert held.wait(20)
        start(second)
        time.sleep(0.5)
        assert second.poll() is None
        first.kill()
        assert first.wait() == -signal.SIGKILL
        said = json.loads(second.communicate(timeout=60)[0])
        assert WAITING in said["stages"]
        assert [said["tree"]] == stored_trees(store)
        sound(store)
    finally:
        freed.set()
        for process in (first, second):
            process.kill()
            process.communicate()


class _Again:
    """A request's body that was read once already."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self, size: int) -> bytes:
        return self._body[:size]

    def readline(self, size: int = -1) -> bytes:
        return b""

    def close(self) -> None:
        """Nothing to close."""


def start(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


def after_a_kill(url: str, store: Path) -> None:
    """Sound at once; the next fetch works; a clean-up leaves just the tree."""
    sound(store)
    found = locate_git(GitReference(url, None, "s1"), store)
    assert found.tree == hash_tree(found.root, tree_files(found.root))
    sound(store)
    settled(store)
    collect_garbage(store, [found.tree])
    assert stored_trees(store) == [found.tree]
    assert not list(store.glob("tmp/*"))
    assert not list(store.glob("locks/*"))


def settled(store: Path) -> None:
    """Until the git of a killed process has noticed that nobody listens any more."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if not any(_works_in(process, store) for process in Path("/proc").glob("[0-9]*")):
            return
        time.sleep(0.02)
    raise AssertionError("git goes on after its caller was killed")


def _works_in(process: Path, store: Path) -> bool:
    try:
        return f"GIT_DIR={store}".encode() in (process / "environ").read_bytes()
    except OSError:
        return False


def test_killed_at_every_kind_of_step(acme: Repository, store: Path, tmp_path: Path) -> None:
    """kill -9 by itself, before every few of the things that it does to the disk."""
    url = f"file://{acme.path}"
    steps = together(child(url, tmp_path / "whole", "s1"))[0]["done"]
    assert steps > 100
    points = sorted({*range(1, 30, 5), *range(30, steps - 25, 40), *range(steps - 25, steps, 5)})
    for number in range(0, len(points), 2):
        stores = [tmp_path / f"store-{point}" for point in points[number : number + 2]]
        pair = zip(points[number : number + 2], stores, strict=True)
        said = together(*(child(url, one, "s1", deadly=point) for point, one in pair))
        assert said == [{}] * len(stores)
        for one in stores:
            after_a_kill(url, one)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_call_of_git(
    when: str, acme: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git kills the process that called it, before or after it does its own work."""
    url = f"file://{acme.path}"
    whole = os.environ["PATH"]
    stand_in = tmp_path / "bin" / "git"
    stand_in.parent.mkdir()
    for number in range(1, 20):
        counter = tmp_path / f"count-{number}"
        counter.write_text("0")
        kill = f'[ "$n" = {number} ] && kill -9 $PPID'
        work = {
            "before": f'{kill}\nexec {GIT} "$@"\n',
            "after": f'{GIT} "$@"\ns=$?\n{kill}\nexit $s\n',
        }
        stand_in.write_text(
            f'#!/bin/sh\ncase " $* " in *" -c "*) ;; *) exec {GIT} "$@";; esac\n'
            f"n=$(($(cat {counter}) + 1)); echo $n >{counter}\n" + work[when]
        )
        stand_in.chmod(0o755)
        store = tmp_path / f"store-{number}"
        monkeypatch.setenv("PATH", f"{stand_in.parent}:{whole}")
        said = together(child(url, store, "s1"))[0]
        monkeypatch.setenv("PATH", whole)
        after_a_kill(url, store)
        if said:
            assert said["tree"] == stored_trees(store)[0]
            assert number > 6
            return
    raise AssertionError("never came to an end")
