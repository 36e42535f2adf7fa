"""`ohs add`, `lock`, `sync`, `update`, `remove` and `list --outdated`, with real git."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from git_server import Repository, git
from openhands_strategies.project.home import Home
from openhands_strategies.project.roots import collect
from openhands_strategies.project.trust import trust, trust_path
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.sources.tree import hash_tree, tree_files
from support import write

STRATEGY = """
from openhands_strategies import Strategy

raise SystemExit("this ran")

class Debate(Strategy):
    name = "debate"
    description = "Two agents argue"

    def build_agent(self, llm, params=None):
        raise NotImplementedError
"""
HOOKS = '{"Stop": [{"hooks": [{"command": "make check"}]}]}'
PLACE = "plugins/debate"


def files(hook: bool = False, **more: str) -> dict[str, bytes]:
    """The files of a commit, with the strategy in a subdirectory."""
    found = {f"{PLACE}/strategy.py": STRATEGY.encode(), "big.bin": b"x" * 1000}
    if hook:
        found[f"{PLACE}/hooks/hooks.json"] = HOOKS.encode()
    return {**found, **{f"{PLACE}/{name}": text.encode() for name, text in more.items()}}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served" / "acme")
    made.add(files(old="1", same="1"))
    return made


@pytest.fixture
def url(repository: Repository) -> str:
    return f"git+file://{repository.path}@main#subdirectory={PLACE}"


def files_below(*roots: Path) -> dict[str, bytes | None]:
    """Everything below some directories, with content; None stands for a directory."""
    return {
        str(path): None if path.is_dir() else path.read_bytes()
        for root in roots
        for path in root.rglob("*")
    }


def document(done) -> dict:
    assert done.code == 0, done
    assert done.err == ""
    return json.loads(done.out)


def one_error(done, code: int, name: str) -> str:
    """One error of at most two lines, nothing on stdout."""
    assert done.code == code, done
    assert done.out == ""
    first, *rest = done.err.splitlines()
    assert first.startswith("error: ")
    assert first.endswith(f"[{name}]")
    assert len(rest) <= 1
    assert all(line.startswith("hint: ") for line in rest)
    return done.err


def test_from_add_to_nothing_left(
    ohs_here, tmp_path: Path, ohs_home: Path, repository: Repository, url: str
) -> None:
    first = repository.add(files(old="1", same="1"))
    before = files_below(tmp_path)
    done = ohs_here("add", url)
    assert done.code == 0, done
    assert done.out.startswith(f"added debate to {tmp_path}/.openhands/strategies.toml\n")
    assert f"@{first[:12]}#subdirectory={PLACE}\n" in done.out
    assert done.err.splitlines() == [
        "hint: nothing of it has run; look at it and agree: ohs trust debate"
    ]
    lock = tmp_path / ".openhands" / "strategies.lock"
    locked = lock.read_bytes()
    assert first.encode() in locked

    done = ohs_here("lock")
    assert (done.code, done.out, done.err) == (0, "", "the lock file is up to date\n")
    done = ohs_here("sync", "--frozen", "--offline")
    assert done.code == 0, done
    name, source = done.out.split()
    assert (name, source.rpartition("@")[2]) == (
        "debate", f"{first[:12]}#subdirectory={PLACE}",
    )  # fmt: skip
    assert lock.read_bytes() == locked
    listed = next(row for row in ohs_here("list").out.splitlines() if row.startswith("debate "))
    assert f"@{first[:12]}#subdirectory={PLACE} " in listed
    shown = ohs_here("show", "debate").out
    assert f"git+file://{repository.path}@{first[:12]}#subdirectory={PLACE} (git)" in shown
    assert "no; ohs trust debate" in shown

    assert ohs_here("remove", "debate").out.startswith("removed debate from ")
    collect(Home(ohs_home))
    assert files_below(tmp_path) == before
    assert not ohs_home.exists()


def test_update_shows_commits_files_and_capabilities(
    ohs_here, tmp_path: Path, repository: Repository, url: str
) -> None:
    assert ohs_here("add", url).code == 0
    done = ohs_here("update")
    assert (done.code, done.out, done.err) == (0, "", "everything is up to date\n")
    assert ohs_here("list", "--outdated").err == "every locked strategy is up to date\n"
    lock = tmp_path / ".openhands" / "strategies.lock"
    first, old = git(repository.path, "rev-parse", "refs/heads/main"), lock.read_bytes()
    second = repository.add(files(hook=True, new="2", same="2"))

    header, row = ohs_here("list", "--outdated").out.splitlines()
    assert header.split()[:4] == ["NAME", "REVISION", "LOCKED", "NEWEST"]
    assert row.split() == [
        "debate", "main", first[:12], second[:12], "ohs", "update", "debate",
    ]  # fmt: skip
    assert document(ohs_here("list", "--outdated", "--json"))["outdated"] == [
        {
            "name": "debate",
            "file": str(tmp_path / ".openhands" / "strategies.toml"),
            "user": False,
            "requested_revision": "main",
            "commit": first,
            "newest_commit": second,
        }
    ]

    dry = ohs_here("update", "debate", "--dry-run")
    assert lock.read_bytes() == old
    assert "leave out --dry-run" in dry.err
    assert dry.out.splitlines() == [
        f"debate: {first[:12]} -> {second[:12]}",
        "  + hooks/hooks.json",
        "  + new",
        "  - old",
        "  ~ same",
        "  can now: hooks: stop *: make check (hooks/hooks.json)",
    ]
    told = document(ohs_here("update", "--json"))
    assert told["written"] is True
    (change,) = told["changes"]
    assert (change["name"], change["old"], change["new"]) == ("debate", first, second)
    assert change["files"] == {
        "added": ["hooks/hooks.json", "new"], "removed": ["old"], "changed": ["same"],
    }  # fmt: skip
    assert list(change["capabilities"]["added"]) == ["hooks"]
    assert second.encode() in lock.read_bytes()
    assert ohs_here("list", "--outdated").out == ""


def test_one_repository_that_cannot_be_asked_leaves_the_others_told(
    ohs_here, tmp_path: Path, repository: Repository, url: str
) -> None:
    other = Repository(tmp_path / "served" / "other")
    other.add({"strategy.py": STRATEGY.encode()})
    for name, one in (("gone", f"git+file://{other.path}"), ("here", url)):
        assert ohs_here("add", one, "--as", name).code == 0
    other.path.rename(tmp_path / "away")
    repository.add(files(old="2"))
    done = ohs_here("list", "--outdated")
    assert done.code == 0
    assert [row.split()[0] for row in done.out.splitlines()] == ["NAME", "here"]
    assert done.err.startswith("warning: ")
    assert done.err.count("warning: ") == 1
    assert "strategies.toml:2: gone: " in done.err
    assert "[repository_missing]" in done.err
    told = document(ohs_here("list", "--outdated", "--json"))
    assert [one["name"] for one in told["outdated"]] == ["here"]
    assert [one["code"] for one in told["warnings"]] == ["repository_missing"]
    assert ohs_here("update", "here").code == 0
    assert "every other locked strategy is up to date" in ohs_here("list", "--outdated").err


def test_an_add_that_fails_leaves_nothing(ohs_here, tmp_path: Path, url: str) -> None:
    ohs_home = tmp_path / "home"
    environ = pytest.MonkeyPatch()
    environ.setenv("OHS_HOME", str(ohs_home))
    try:
        missing = url.replace("plugins/debate", "plugins/other")
        for reference, code in (
            (url.replace("@main", "@nowhere"), "revision_unknown"),
            (missing, "subdirectory_missing"),
            (f"git+file://{tmp_path}/nothing", "repository_missing"),
        ):
            one_error(ohs_here("add", reference), 3, code)
            assert files_below(ohs_home) == {}, reference
    finally:
        environ.undo()


def test_a_frozen_sync_refuses_another_lock_and_writes_nothing(
    ohs_here, tmp_path: Path, url: str
) -> None:
    assert ohs_here("add", url).code == 0
    project = tmp_path / ".openhands" / "strategies.toml"
    project.write_text(project.read_text().replace("debate]", "renamed]"))
    before = files_below(tmp_path / ".openhands")
    assert "renamed" in one_error(ohs_here("sync", "--frozen"), 3, "lock_mismatch")
    failed = ohs_here("sync", "--frozen", "--json")
    assert failed.code == 3
    assert json.loads(failed.out)["error"]["code"] == "lock_mismatch"
    assert files_below(tmp_path / ".openhands") == before
    done = ohs_here("lock")
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["debate", "renamed"]
    assert ohs_here("sync", "--frozen").out.startswith("renamed  git+file://")


def test_offline_says_what_is_not_in_the_store(
    ohs_here, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ohs_here("add", url).code == 0
    monkeypatch.setenv("PATH", "/nonexistent")  # no git from here on
    synced = document(ohs_here("sync", "--offline", "--json"))
    assert [one["name"] for one in synced["strategies"]] == ["debate"]
    assert synced["warnings"] == []
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "other-home"
    monkeypatch.setenv("OHS_HOME", str(other))
    called = tmp_path / "called"
    recording = f'#!/bin/sh\necho "$@" >>{called}\nexec {shutil.which("git")} "$@"\n'
    stand_in = write(tmp_path / "bin" / "git", recording)
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}:{os.environ['PATH']}")
    # Nobody typed that repository there; and with it typed, its tree is still missing.
    one_error(ohs_here("sync", "--offline"), 3, "reference_scheme")
    trust_path(Path(url.removeprefix("git+file://").partition("@")[0]), fetch=True)
    said = one_error(ohs_here("sync", "--offline"), 3, "not_in_store")
    assert "strategies.toml:" in said
    assert not called.exists()
    assert ohs_here("sync").code == 0
    assert "fetch" in called.read_text()
    called.unlink()
    assert ohs_here("sync", "--offline").code == 0
    assert not called.exists()


def test_documents_tell_the_same(ohs_here, tmp_path: Path, ohs_home: Path, url: str) -> None:
    added = document(ohs_here("add", url, "--as", "mine", "--json"))
    assert added["added"]["source"] == url
    assert added["added"]["file"] == str(tmp_path / ".openhands" / "strategies.toml")
    assert (added["name"], added["trusted"], added["warnings"]) == ("mine", False, [])
    assert added["source"]["type"] == "git"
    assert added["source"]["subdirectory"] == PLACE
    assert len(added["source"]["commit"]) == 40
    assert document(ohs_here("lock", "--json"))["changes"] == []
    (entry,) = [
        one
        for one in document(ohs_here("list", "--json"))["strategies"]
        if one["name"] == "mine"
    ]  # fmt: skip
    assert (entry["trusted"], entry["error"], entry["source"]) == (False, None, added["source"])
    removed = document(ohs_here("remove", "mine", "--json"))
    assert removed == {"removed": "mine", "file": added["added"]["file"]}


def test_trusted_is_what_the_consents_say(ohs_here, tmp_path: Path, ohs_home: Path, url) -> None:
    write(tmp_path / "tools" / "strategy.py", STRATEGY)
    assert ohs_here("add", url).code == 0
    project = tmp_path / ".openhands" / "strategies.toml"
    project.write_text(project.read_text() + '[strategies.local]\nsource = "./tools"\n')

    def trusted() -> dict[str, bool]:
        entries = document(ohs_here("list", "--json"))["strategies"]
        return {
            one["name"]: one["trusted"] for one in entries if one["name"] in ("debate", "local")
        }

    assert trusted() == {"debate": False, "local": False}
    for name in ("debate", "local"):
        located = resolve(name, base=tmp_path)
        trust(located, hash_tree(located.root, tree_files(located.root)), home=Home(ohs_home))
    assert trusted() == {"debate": True, "local": True}
    assert "trusted  yes" in ohs_here("show", "local").out
    write(tmp_path / "tools" / "more.py", "")
    assert trusted() == {"debate": True, "local": False}
    # What the user adds is agreed to by that, whatever it becomes.
    assert ohs_here("add", "./tools", "--as", "own").code == 0
    assert trusted() == {"debate": True, "local": True}
    (ohs_home / "trust.toml").write_text("version =")
    listing = json.loads(ohs_here("list", "--json").out)
    assert "trust_file_invalid" in {one["code"] for one in listing["warnings"]}
    assert not any(
        one["trusted"] for one in listing["strategies"] if one["source"]["type"] != "distribution"
    )


def test_what_pip_installed_is_locked_by_its_version(ohs_here, tmp_path: Path) -> None:
    done = ohs_here("add", "fusion")
    assert (done.code, done.err) == (0, "")
    assert "\n  source " in done.out
    assert "\n  hooks " in done.out
    lock = (tmp_path / ".openhands" / "strategies.lock").read_text()
    assert 'distribution = "openhands-strategy-fusion"\n' in lock
    assert ohs_here("sync", "--frozen", "--offline").code == 0
    (tmp_path / ".openhands" / "strategies.lock").write_text(
        lock.replace('version = "', 'version = "99.')
    )
    said = one_error(ohs_here("sync", "--frozen"), 3, "distribution_version")
    assert "99." in said


def test_the_users_own_strategies(
    ohs_here, tmp_path: Path, ohs_home: Path, repository, url
) -> None:
    assert ohs_here("add", url, "--user").code == 0
    assert not (tmp_path / ".openhands").exists()
    assert (ohs_home / "strategies.lock").exists()
    repository.add(files(new="2"))
    row = ohs_here("list", "--outdated").out.splitlines()[1]
    assert row.endswith("ohs update debate --user")
    assert "can" not in (done := ohs_here("update", "--user")).out
    assert "  + new" in done.out
    assert ohs_here("sync", "--user", "--frozen", "--offline").code == 0
    assert ohs_here("lock", "--user").err == "the lock file is up to date\n"
    assert ohs_here("remove", "debate", "--user").code == 0
    assert not (ohs_home / "strategies.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        (["add"], 2, "usage"),
        (["add", "./nothing"], 3, "path_missing"),
        (["add", "no-such-strategy-anywhere"], 3, "strategy_unknown"),
        (["add", "--upload-pack=touch evil"], 2, "usage"),
        (["add", "git+ext::sh"], 3, "reference_scheme"),
        (["add", "git+file:///no/such/repository"], 3, "repository_missing"),
        (["add", "./good.py", "--as", "Not A Name"], 2, "name_invalid"),
        (["remove", "debate"], 2, "project_missing"),
        (["update"], 2, "project_missing"),
        (["update", "one", "two"], 2, "usage"),
        (["lock"], 2, "project_missing"),
        (["sync", "--frozen"], 2, "project_missing"),
        (["sync", "extra"], 2, "usage"),
        (["remove", "debate", "--user"], 2, "entry_unknown"),
        (["update", "debate", "--user"], 2, "entry_unknown"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_input(
    ohs_here, good: Path, ohs_home: Path, arguments: list[str], code: int, name: str
) -> None:
    before = files_below(good.parent)
    one_error(ohs_here(*arguments), code, name)
    failed = ohs_here(*arguments, "--json")
    assert failed.code == code
    assert failed.err == ""
    assert json.loads(failed.out)["error"]["code"] == name
    assert files_below(good.parent) == before
    assert not (ohs_home / "strategies.toml").exists()


def test_wrong_input_in_a_project(ohs_here, tmp_path: Path, good: Path, url: str) -> None:
    assert ohs_here("add", url).code == 0
    before = files_below(tmp_path / ".openhands")
    assert "ohs remove debate" in one_error(
        ohs_here("add", "./good.py", "--as", "debate"), 2, "name_taken"
    )
    assert "its entries: debate" in one_error(ohs_here("remove", "debat"), 2, "entry_unknown")
    assert "its entries: debate" in one_error(ohs_here("update", "debat"), 2, "entry_unknown")
    missing = url.replace("@main", "@gone")
    one_error(ohs_here("add", missing, "--as", "other"), 3, "revision_unknown")
    assert files_below(tmp_path / ".openhands") == before
    lock = tmp_path / ".openhands" / "strategies.lock"
    lock.write_text(lock.read_text().replace("version = 1", "version = 99"))
    for command in (["lock"], ["sync"], ["update"], ["remove", "debate"], ["list", "--outdated"]):
        one_error(ohs_here(*command), 3, "lock_file_invalid")


def plain(drawn: str) -> str:
    """What a terminal was sent, one line for each time it was drawn, without colours."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn).replace("\r", "\n")


@contextmanager
def on_a_terminal(cwd: Path, *arguments: str, **environ: str) -> Iterator[tuple[int, str, str]]:
    """Run `ohs` with a terminal as stderr; exit code, stdout, and what was drawn."""
    master, slave = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "openhands_strategies", *arguments],
            cwd=cwd,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "30", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
        ) as process:
            os.close(slave)
            drawn = b""
            with suppress(OSError):  # Linux ends a terminal that nobody writes to that way
                while data := os.read(master, 65536):
                    drawn += data
            out, _ = process.communicate()
        yield process.returncode, out.decode(), drawn.decode()
    finally:
        os.close(master)


def test_a_bar_is_drawn_on_a_terminal_and_is_gone_afterwards(
    tmp_path: Path, repository: Repository, url: str
) -> None:
    with on_a_terminal(tmp_path, "add", url) as (code, out, drawn):
        assert code == 0, drawn
        assert "asking for the commit" in drawn
        assert re.search(r"receiving objects \D*([1-9]\d*)/\1\n", plain(drawn))
        assert "\x1b[?25h" in drawn  # the cursor is back
        bar, _, last = drawn.rpartition("\x1b[2K")
        assert "asking for the commit" in bar
        assert last.strip().startswith("hint: nothing of it has run")
        assert out.startswith("added debate to ")
    repository.add(files(new="2"))
    with on_a_terminal(tmp_path, "update", "--json") as (code, out, drawn):
        assert (code, drawn) == (0, "")
        assert len(json.loads(out)["changes"]) == 1
    with on_a_terminal(tmp_path, "update", TERM="dumb") as (code, _, drawn):
        assert (code, drawn.split()) == (0, ["everything", "is", "up", "to", "date"])
    with on_a_terminal(tmp_path, "sync", "--frozen") as (code, _, drawn):
        assert (code, drawn) == (0, "")


IMPORTED = """
import sys
from openhands_strategies.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
heavy = {"openhands", "pydantic", "litellm", "rich", "git"}
print(code, sorted({name.partition(".")[0] for name in sys.modules} & heavy), file=sys.stderr)
"""


def test_the_sdk_is_never_imported_and_what_is_here_needs_no_git(tmp_path: Path, url: str) -> None:
    def run(*arguments: str, **environ: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", IMPORTED, *arguments],
            cwd=tmp_path,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr.splitlines()[-1]

    assert run("add", url) == "0 ['git']"
    assert run("update") == "0 ['git']"
    assert run("lock", PATH="/nonexistent") == "0 []"
    assert run("sync", "--frozen", "--offline", PATH="/nonexistent") == "0 []"
    assert run("list", "--json", PATH="/nonexistent") == "0 []"
    assert run("show", "debate", PATH="/nonexistent") == "0 []"
    assert run("remove", "debate", PATH="/nonexistent") == "0 []"
