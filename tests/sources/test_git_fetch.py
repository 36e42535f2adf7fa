"""Fetching from real servers: what they allow, and what they break."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from git_server import STRATEGY, GitServer, Repository, git
from openhands_strategies.errors import LoadError, ResolveError, StrategyError
from openhands_strategies.sources.git_fetch import fetch_tree, locate_git, resolve_revision
from openhands_strategies.sources.git_place import GitLimits
from openhands_strategies.sources.reference import GitReference, parse_reference
from openhands_strategies.sources.source import GitSource, Located
from openhands_strategies.sources.store_care import collect_garbage
from openhands_strategies.sources.tree import hash_tree, tree_files

Serve = Callable[..., GitServer]
FILES: dict[str, bytes | tuple[str, bytes]] = {
    "plugins/debate/strategy.py": STRATEGY,
    "plugins/debate/hooks/run.sh": ("100755", b"#!/bin/sh\n"),
    "plugins/debate/link": ("120000", b"hooks/run.sh"),
    "plugins/debate/empty": b"",
    "plugins/debate/\u00e4 b.txt": b"x" * 200_000,
    "plugins/other/strategy.py": b"other\n",
    "big": random.Random(1).randbytes(1_000_000),
}
NO_SINGLE_OBJECTS = ("v2 without filter", "v0 with filter alone", "v0 with any id", "v0 strict")
SERVERS = {
    "v2 with filter": {"newest": True, "uploadpack_allowFilter": "true"},
    "v2 without filter": {"newest": True},
    "v0 with filter and any id": {
        "newest": False,
        "uploadpack_allowFilter": "true",
        "uploadpack_allowAnySHA1InWant": "true",
    },
    "v0 with filter and reachable ids": {
        "newest": False,
        "uploadpack_allowFilter": "true",
        "uploadpack_allowReachableSHA1InWant": "true",
    },
    "v0 with filter alone": {"newest": False, "uploadpack_allowFilter": "true"},
    "v0 with any id": {"newest": False, "uploadpack_allowAnySHA1InWant": "true"},
    "v0 strict": {"newest": False},
}


CASES = [
    (hashes, kind, what)
    for hashes in ("sha1", "sha256")
    for kind in SERVERS
    for what in ("tag", "branch", "inside")
    if hashes == "sha1" or kind in ("v2 with filter", "v0 strict")
]


@pytest.fixture
def acme(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    """A repository with three commits, of which the second is tagged."""
    made = Repository(tmp_path / "served" / "acme" / "tools", sha256=request.param == "sha256")
    made.add({"old": b"1"})
    made.tag("v1", made.add(FILES))
    made.add({**FILES, "plugins/debate/strategy.py": b"new\n"})
    made.add({**FILES, "plugins/debate/strategy.py": b"newest\n"}, "topic")
    return made


@pytest.fixture
def expected(tmp_path: Path) -> str:
    """The tree hash of plugins/debate at v1, from files written here."""
    root = tmp_path / "expected"
    for path, value in FILES.items():
        if path.startswith("plugins/debate/"):
            mode, content = ("100644", value) if isinstance(value, bytes) else value
            file = root / path.removeprefix("plugins/debate/")
            file.parent.mkdir(parents=True, exist_ok=True)
            if mode == "120000":
                file.symlink_to(content.decode())
            else:
                file.write_bytes(content)
                file.chmod(int(mode[-3:], 8))
    return hash_tree(root, tree_files(root))


def located(url: str, store: Path, revision: str = "", **options: object) -> Located:
    at = f"@{revision}" if revision else ""
    text = f"git+{url}/acme/tools{at}#subdirectory=plugins/debate"
    return locate_git(GitReference(*_parts(text)), store, **options)  # type: ignore[arg-type]


def _parts(text: str) -> tuple[str, str | None, str | None]:
    reference = parse_reference(text)
    assert isinstance(reference, GitReference)
    return reference.url, reference.revision, reference.subdirectory


def refused(call: Callable[[], object], store: Path) -> StrategyError:
    """The error, after which the store has neither a tree nor anything half done."""
    with pytest.raises((ResolveError, LoadError)) as caught:
        call()
    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert "\n" not in caught.value.message
    left = [path for path in store.rglob("*") if path.parent.name != "locks"]
    assert [path for path in left if path.name not in ("trees", "tmp", "locks")] == []
    assert [path.name for path in store.glob("locks/*")] in ([], ["store.lock"])
    return caught.value


@pytest.mark.parametrize(("acme", "kind", "what"), CASES, indirect=["acme"])
def test_every_kind_of_server(
    kind: str, what: str, acme: Repository, serve: Serve, store: Path, expected: str
) -> None:
    settings = dict(SERVERS[kind])
    server = serve(newest=settings.pop("newest"))
    acme.config(**settings)
    revision = {"tag": "v1", "branch": "topic", "inside": git(acme.path, "rev-parse", "main~1")}
    if what == "inside" and kind == "v0 strict":
        git(acme.path, "tag", "-d", "v1")  # now only its children name it
    found = located(server.url, store, revision[what])
    commit = git(acme.path, "rev-parse", f"{revision[what]}^{{commit}}")
    assert found.source == GitSource(
        f"{server.url}/acme/tools", commit, "plugins/debate", revision[what]
    )
    assert (found.module, found.root) == ("strategy.py", store / "trees" / found.tree[7:])
    if what == "branch":
        assert found.file.read_bytes() == b"newest\n"
    else:
        assert found.tree == expected
    assert found.tree == hash_tree(found.root, tree_files(found.root))
    assert list((store / "tmp").iterdir()) == []
    # The large file beside the directory is fetched only where there is no other way.
    assert (server.sent < 500_000) == (kind not in NO_SINGLE_OBJECTS)
    asked = len(server.requests)
    again = located(server.url, store, commit)
    assert (again.tree, again.root) == (found.tree, found.root)
    assert len(server.requests) == asked


def test_a_submodule_file_elsewhere_does_no_harm(
    served: Repository, serve: Serve, store: Path
) -> None:
    served.config(uploadpack_allowFilter="true")
    served.add({**FILES, ".gitmodules": b'[submodule "x"]\n\tpath = x\n\turl = https://x.org/x\n'})
    assert located(serve().url, store).file.read_bytes() == STRATEGY


def test_a_server_that_only_holds_files(
    served: Repository, serve: Serve, store: Path, expected: str
) -> None:
    """The dumb protocol knows neither single commits nor depth."""
    served.tag("v1", served.add(FILES))
    git(served.path, "update-server-info")

    def answer(request: BaseHTTPRequestHandler) -> bool:
        file = served.path.parents[1] / request.path.partition("?")[0].lstrip("/")
        body = file.read_bytes() if file.is_file() else None
        request.send_response(404 if body is None else 200)
        request.send_header("Content-Length", str(len(body or b"")))
        request.end_headers()
        request.wfile.write(body or b"")
        return True

    assert located(serve(answer=answer).url, store, "v1").tree == expected


def test_ssh_form(
    served: Repository,
    tmp_path: Path,
    user: Path,
    store: Path,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served.add(FILES)
    log = tmp_path / "ssh.log"
    script = tmp_path / "ssh"
    # The real protocol over a pipe: what ssh would run there is run here.
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$*" >>{log}\nfor command; do :; done\n'
        f'cd {tmp_path / "served"} && eval exec "$(echo "$command" | sed "s|\'/|\'|")"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    for text in ("git@example.org:acme/tools", "git+ssh://git@example.org/acme/tools"):
        reference = GitReference(*_parts(f"{text}#subdirectory=plugins/debate"))
        found = locate_git(reference, store)
        assert found.tree == expected
        assert found.source.to_json()["url"] == "ssh://git@example.org/acme/tools"
    assert "git@example.org git-upload-pack '/acme/tools'" in log.read_text()


def test_a_path_of_this_machine(
    served: Repository, user: Path, store: Path, expected: str, tmp_path: Path
) -> None:
    served.add(FILES)
    assert located(f"file://{tmp_path}/served", store).tree == expected


def test_which_commit_a_revision_means(served: Repository, serve: Serve, store: Path) -> None:
    first = served.add({"a": b"1"})
    second = served.add({"a": b"2"})
    third = served.add({"a": b"3"}, "topic/x")
    served.tag("v1", first)
    served.tag("light", first, annotated=False)
    served.tag("both", first)
    git(served.path, "update-ref", "refs/heads/both", second)
    git(served.path, "update-ref", "refs/heads/deep/refs/tags/v1", third)
    git(served.path, "update-ref", "refs/pull/1/head", third)
    server = serve()

    def resolved(revision: str | None) -> str:
        return resolve_revision(GitReference(f"{server.url}/acme/tools", revision))

    assert resolved(None) == resolved("main") == second
    assert resolved("v1") == resolved("light") == first
    assert resolved("topic/x") == third
    assert resolved("both") == second  # as in pip, a branch comes first
    assert resolved("refs/tags/both") == first
    assert resolved("refs/pull/1/head") == third
    asked = len(server.requests)
    assert resolved(first.upper()) == first
    assert resolved("0" * 64) == "0" * 64
    assert len(server.requests) == asked
    for revision, hint in (("v2", "v1"), (first[:10], "in full"), ("refs/tags/x", "")):
        with pytest.raises(ResolveError) as caught:
            resolved(revision)
        assert (caught.value.code, hint in caught.value.hint) == ("revision_unknown", True)
    served.tag("v1", second)
    assert resolved("v1") == second  # a tag moves, which is why a lock file holds commits


def test_an_empty_repository(served: Repository, serve: Serve, store: Path) -> None:
    error = refused(lambda: located(serve().url, store), store)
    assert error.code == "revision_unknown"


@pytest.mark.parametrize("newest", [True, False])
@pytest.mark.parametrize("digits", [40, 64])
def test_a_commit_that_is_not_there(
    newest: bool, digits: int, served: Repository, serve: Serve, store: Path
) -> None:
    served.add(FILES)
    error = refused(
        lambda: located(serve(newest=newest).url, store, "12345678" * (digits // 8)), store
    )
    assert error.code == "commit_missing"
    assert "12345678" * (digits // 8) in error.message


def test_what_is_no_commit_or_no_directory(served: Repository, serve: Serve, store: Path) -> None:
    served.tag("v1", served.add(FILES))
    url = f"{serve().url}/acme/tools"
    tag = git(served.path, "rev-parse", "v1")

    def code(revision: str, subdirectory: str | None) -> tuple[str, str]:
        reference = GitReference(url, revision, subdirectory)
        error = refused(lambda: locate_git(reference, store), store)
        return error.code, error.hint

    assert code(tag, None)[0] == "commit_kind"
    missing = code("v1", "plugins/debat")
    assert missing[0] == "subdirectory_missing"
    assert "#subdirectory=plugins/debate or" in missing[1]
    assert code("v1", "big")[0] == "subdirectory_missing"
    assert code("v1", "plugins/debate/link")[0] == "subdirectory_missing"
    assert code("v1", "plugins")[0] == "strategy_file_missing"
    assert "plugins/debate or plugins/other" in code("v1", None)[1]
    with pytest.raises(ResolveError, match="no full commit id"):
        fetch_tree(url, "v1", None, store)


def test_a_plugin_directory_without_code(served: Repository, serve: Serve, store: Path) -> None:
    skill = b"---\nname: house\n---\nTidy.\n"
    served.tag("v1", served.add({**FILES, "plugins/HouseStyle/skills/house/SKILL.md": skill}))
    reference = GitReference(f"{serve().url}/acme/tools", "v1", "plugins/HouseStyle")
    found = locate_git(reference, store)
    assert (found.module, found.attribute) == ("", "HouseStyle")
    assert (found.root / "skills/house/SKILL.md").read_bytes() == skill
    assert locate_git(reference, store, commit=found.source.commit, offline=True) == found


@pytest.mark.parametrize("path", ["acme/nothing", "nobody/tools"])
def test_a_repository_that_is_not_there(
    path: str, served: Repository, serve: Serve, store: Path
) -> None:
    reference = GitReference(f"{serve().url}/{path}")
    assert refused(lambda: locate_git(reference, store), store).code == "repository_missing"


def test_a_server_that_nobody_vouches_for(
    served: Repository, serve: Serve, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.add(FILES)
    server = serve()
    monkeypatch.delenv("GIT_SSL_CAINFO")
    error = refused(lambda: located(server.url, store), store)
    assert (error.code, "certificate" in error.message) == ("git_unreachable", True)
    assert server.requests == []


def test_a_server_that_is_down(user: Path, store: Path) -> None:
    error = refused(lambda: located("https://127.0.0.1:1", store), store)
    assert error.code == "git_unreachable"


@pytest.mark.parametrize("place", ["/info/refs", "/git-upload-pack"])
@pytest.mark.parametrize("by", ["the clock", "silence"])
def test_a_server_that_stalls(
    place: str, by: str, served: Repository, serve: Serve, store: Path
) -> None:
    commit = served.add(FILES)
    stop = threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> bool:
        if place in request.path:
            request.send_response(200)
            request.end_headers()
            request.wfile.flush()
            stop.wait(30)
            request.close_connection = True
            return True
        return False

    limits = GitLimits(seconds=1.5) if by == "the clock" else GitLimits(seconds=60, stalled=1)
    server = serve(answer=answer)
    begin = time.monotonic()
    try:
        error = refused(lambda: located(server.url, store, commit, limits=limits), store)
        assert error.code == "git_timeout"
        assert time.monotonic() - begin < 20
        # A process that was killed, or ends by itself, is there for another moment.
        until = time.monotonic() + 5
        while running_in(store) and time.monotonic() < until:
            time.sleep(0.05)
        assert running_in(store) == []
    finally:
        stop.set()


def running_in(store: Path) -> list[str]:
    """Commands of processes that work on a repository below the store."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(store).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.mark.parametrize("cut", [0, 40, 100_000])
def test_a_pack_that_breaks_off(cut: int, served: Repository, serve: Serve, store: Path) -> None:
    commit = served.add(FILES)
    error = refused(lambda: located(serve(cut=cut).url, store, commit), store)
    assert error.code == "git_failed"


@pytest.mark.parametrize("target", ["http://127.0.0.1:1", "file://", "ftp://127.0.0.1:1"])
def test_a_redirect_to_another_scheme(
    target: str, served: Repository, serve: Serve, store: Path
) -> None:
    served.add(FILES)

    def answer(request: BaseHTTPRequestHandler) -> bool:
        request.send_response(302)
        request.send_header("Location", f"{target}{request.path}")
        request.send_header("Content-Length", "0")
        request.end_headers()
        return True

    error = refused(lambda: located(serve(answer=answer).url, store), store)
    assert error.code == "git_scheme"


def test_a_redirect_within_the_scheme(
    served: Repository, serve: Serve, store: Path, expected: str
) -> None:
    served.add(FILES)

    def answer(request: BaseHTTPRequestHandler) -> bool:
        if not request.path.startswith("/old/"):
            return False
        request.send_response(301)
        request.send_header("Location", request.path.removeprefix("/old"))
        request.send_header("Content-Length", "0")
        request.end_headers()
        return True

    assert located(f"{serve(answer=answer).url}/old", store).tree == expected


def test_too_much(served: Repository, serve: Serve, store: Path) -> None:
    served.add(FILES)
    for number in range(40):
        git(served.path, "update-ref", f"refs/heads/b{number}", "refs/heads/main")
    url = serve().url
    small = GitLimits(download=100_000)
    error = refused(lambda: located(url, store, limits=small), store)
    assert error.code == "git_download_too_large"
    few = GitLimits(output=500)
    error = refused(lambda: located(url, store, "nothing", limits=few), store)
    assert error.code == "git_output_too_large"


def test_progress(served: Repository, serve: Serve, store: Path) -> None:
    served.add(FILES)
    told: list[tuple[str, int | None, int | None]] = []
    located(serve().url, store, progress=lambda *stage: told.append(stage))
    assert told[0] == ("asking for the commit", None, None)
    receiving = [(done, total) for stage, done, total in told if stage == "receiving objects"]
    assert receiving
    assert receiving[-1][0] == receiving[-1][1] > 5  # type: ignore[operator]


def test_offline(served: Repository, serve: Serve, store: Path) -> None:
    commit = served.add(FILES)
    server = serve()
    for revision in (commit, "main", ""):
        error = refused(lambda at=revision: located(server.url, store, at, offline=True), store)
        assert error.code == "not_in_store"
    assert server.requests == []
    tree = located(server.url, store, "main").tree
    asked = len(server.requests)
    assert located(server.url, store, commit, offline=True).tree == tree
    # The lock file gives the commit of a branch.
    assert located(server.url, store, "main", offline=True, commit=commit).tree == tree
    with pytest.raises(ResolveError, match="can only be asked for online"):
        located(server.url, store, "main", offline=True)
    assert len(server.requests) == asked


def test_a_tree_that_left_the_store_is_fetched_again(
    served: Repository, serve: Serve, store: Path
) -> None:
    commit = served.add(FILES)
    url = serve().url
    first = located(url, store, commit)
    shutil.rmtree(store / "trees")
    (store / "trees").mkdir()
    assert located(url, store, commit).tree == first.tree
    entry = next((store / "commits").iterdir())
    entry.chmod(0o644)
    for text in ("", "[]", "{", '{"tree": "sha256:../../x"}', entry.read_text()[:-70] + '"}'):
        entry.write_text(text)
        assert located(url, store, commit).tree == first.tree


def test_a_clean_up_leaves_nothing(served: Repository, serve: Serve, store: Path) -> None:
    served.add(FILES)
    found = located(serve().url, store)
    assert found.tree is not None
    collect_garbage(store, [found.tree])
    assert len(list((store / "commits").iterdir())) == 1
    collect_garbage(store, [])
    assert not store.exists()


def test_a_store_that_cannot_be_written(served: Repository, serve: Serve, tmp_path: Path) -> None:
    served.add(FILES)
    (tmp_path / "file").write_text("")
    with pytest.raises(LoadError) as caught:
        located(serve().url, tmp_path / "file" / "store")
    assert caught.value.code == "store_write"


@pytest.mark.skipif(os.getuid() != 0, reason="mounts a small file system")
def test_a_full_disk(served: Repository, serve: Serve, tmp_path: Path) -> None:
    served.add(FILES)
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(small)], check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        error = refused(lambda: located(serve().url, small / "store"), small / "store")
        assert error.code == "store_write"
    finally:
        subprocess.run(["umount", str(small)], check=True)
