"""Killed, out of space, without rights, at once, at odd times: sound, and the next run works."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from openhands_strategies.errors import StrategyError
from openhands_strategies.project.adding import add, remove
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import Home
from openhands_strategies.project.lock_file import read_lock
from openhands_strategies.project.project_file import find_project, project_to_write
from openhands_strategies.project.roots import collect
from openhands_strategies.project.sync import sync
from openhands_strategies.project.trust import listed, trust
from openhands_strategies.sources.store_care import stored_trees, verify_store

from .conftest import MakeRepository, Repository, files_below, strategy

HERE = str(Path(__file__).parent.parent)
PREAMBLE = f"""
import shutil, sys
sys.path.insert(0, {HERE!r})
from pathlib import Path
from crashes import killed_at_every_step
import filelock, tomlkit
from openhands_strategies.project.adding import add, remove
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import Home
from openhands_strategies.project.lock_file import read_lock
from openhands_strategies.project.project_file import find_project, project_to_write
from openhands_strategies.project.roots import collect
from openhands_strategies.project.sync import sync, update
from openhands_strategies.project.trust import listed, revoke, trust
from openhands_strategies.sources import git_fetch
from openhands_strategies.sources.store_care import stored_trees, verify_store
base, old, new = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
work, home = base / "work", Home(base / "home")

def fresh(make=lambda: None):
    # An empty ground, or as `make` made it the first time.
    made = base.with_name("made")
    shutil.rmtree(base, ignore_errors=True)
    if made.exists():
        shutil.copytree(made, base, symlinks=True)
        return
    work.mkdir(parents=True)
    make()
    shutil.copytree(base, made, symlinks=True)

def sound():
    assert verify_store(home.store) == []
    project = find_project(work)
    listed(home=home)
    if project is not None:
        read_lock(project.lock_path)

def works():
    sound()
    add(new, project_to_write(work), home, base=work)
    project = find_project(work)
    found = sync(project, home, Fetching(offline=True), frozen=True)
    assert [one.name for one in found] == ["debate"]
    sound()
    remove("debate", project, home)
    collect(home)
    left = [str(path) for path in base.rglob("*") if path.is_file()]
    assert left == [], left
"""
ADD = """
def prepare(number):
    fresh()
def action():
    add(new, project_to_write(work), home, base=work)
def check():
    works()
"""
UPDATE = """
def prepare(number):
    fresh(locked_before)
def locked_before():
    add(old, project_to_write(work), home, base=work)
    project = find_project(work)
    moved = project.path.read_text().replace(old, new)
    project.path.write_text(moved)
    project.lock_path.write_text(project.lock_path.read_text().replace("first", "main"))
def action():
    assert len(update(find_project(work), home)) == 1
def check():
    project = find_project(work)
    assert len(sync(project, home, frozen=True)) == 1  # the old commit or the new one
    works()
"""
REMOVE = """
def prepare(number):
    fresh(trusted)
def trusted():
    added = add(new, project_to_write(work), home, base=work)
    trust(added.located, added.located.tree, added.manifest, home=home)
def action():
    remove("debate", find_project(work), home)
    collect(home)
def check():
    project = find_project(work)
    if project is not None and "debate" in project.entries:
        sound()
        remove("debate", project, home)
    works_without_consent()
def works_without_consent():
    for record in listed(home=home):
        # Killed between file and consent: the consent is still there to be taken back.
        revoke(getattr(record, "tree", record.path), home=home)
    works()
"""
RUN = "print(killed_at_every_step(prepare, action, check, below=str(base)))"


@pytest.mark.parametrize(("script", "least"), [(ADD, 80), (UPDATE, 55), (REMOVE, 31)])
def test_kill_at_every_step(
    tmp_path: Path, repository: Repository, script: str, least: int
) -> None:
    assert counted(script + RUN, tmp_path, repository) > least


def counted(script: str, tmp_path: Path, repository: Repository) -> int:
    """The number that a script prints, which works on a ground and with two commits."""
    repository.git("branch", "first")
    repository.strategy("debate", description="second", hook="./x")
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            PREAMBLE + script,
            str(tmp_path / "ground"),
            repository.url(revision="@first"),
            repository.url(),
            str(repository.path / "plugins" / "debate"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout)


def test_eight_processes_add_at_once(
    tmp_path: Path, work: Path, home: Home, make_repository: MakeRepository
) -> None:
    repository = make_repository("many")
    for number in range(4):
        repository.strategy(f"s{number}")
    script = """
import sys
from pathlib import Path
from openhands_strategies.project.adding import add
from openhands_strategies.project.home import find_home
from openhands_strategies.project.project_file import project_to_write
work = Path(sys.argv[1])
add(sys.argv[2], project_to_write(work), find_home(), base=work, name=sys.argv[3])
"""
    # Two strategies twice under the same name, and all four under names of their own.
    wanted = [("s0", "s0"), ("s1", "s1")] * 2
    wanted += [(f"s{number}", name) for number, name in enumerate("abcd")]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(work), repository.url(one), name],
            stderr=subprocess.PIPE,
            text=True,
        )
        for one, name in wanted
    ]
    errors = [process.communicate(timeout=120)[1] for process in running]
    assert [process.returncode for process in running] == [0] * 8, errors
    project = find_project(work)
    assert project is not None
    assert set(project.entries) == set(read_lock(project.lock_path)) == {"s0", "s1", *"abcd"}
    assert len(stored_trees(home.store)) == 4
    assert verify_store(home.store) == []
    assert len(sync(project, home, Fetching(offline=True), frozen=True)) == 6
    assert sorted(path.name for path in project.path.parent.iterdir()) == [
        "strategies.lock",
        "strategies.toml",
    ]


@pytest.mark.parametrize(
    ("size", "adding_path", "adding_git"),
    [
        (0, "file_write", "store_write"),
        (20, "file_write", "store_write"),
        (60, "file_write", "store_write"),
        (100, "file_write", "git_failed"),
        (400, "", "git_failed"),
    ],
)
def test_files_that_may_not_grow(
    work: Path, home: Home, repository: Repository, size: int, adding_path: str, adding_git: str
) -> None:
    """No file may grow beyond a size: where the write fails depends on the size."""
    script = """
import resource, signal, sys
from pathlib import Path
from openhands_strategies.errors import StrategyError
from openhands_strategies.project.adding import add
from openhands_strategies.project.home import find_home
from openhands_strategies.project.project_file import project_to_write
import filelock, tomlkit
from openhands_strategies.sources import git_fetch
work = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    add(sys.argv[2], project_to_write(work), find_home(), base=work)
except StrategyError as error:
    print(error.code)
"""
    strategy(work / "one", "one")
    before = files_below(work)
    for text, code in (("./one", adding_path), (repository.url(), adding_git)):
        ran = subprocess.run(
            [sys.executable, "-c", script, str(work), text, str(size)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.strip() == code
        assert verify_store(home.store) == []
        project = find_project(work)
        if project is not None:
            assert set(project.entries) <= {"one"}
    for text in ("./one", repository.url()):
        add(text, project_to_write(work), home, base=work)
    project = find_project(work)
    assert project is not None
    assert len(sync(project, home, Fetching(offline=True), frozen=True)) == 2
    for name in ("one", "debate"):
        project = find_project(work)
        assert project is not None
        remove(name, project, home)
    assert files_below(work) == before


def test_times_in_the_past_and_in_the_future(
    work: Path, home: Home, repository: Repository
) -> None:
    added = add(repository.url(), project_to_write(work), home, base=work)
    trust(added.located, str(added.located.tree), added.manifest)
    for moment in (0, 4_000_000_000):
        for path in [work, home.path, *work.rglob("*"), *home.path.rglob("*")]:
            os.utime(path, (moment, moment), follow_symlinks=False)
        assert verify_store(home.store) == []
        assert collect(home).trees == ()
        assert len(sync(added.project, home, Fetching(offline=True), frozen=True)) == 1
        assert len(listed()) == 2


def test_an_inherited_git_dir_leads_nowhere_else(
    work: Path, home: Home, make_repository: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim, other = make_repository("victim"), make_repository("other")
    commit = victim.strategy("mine")
    other.strategy("debate")
    before = files_below(victim.path)
    monkeypatch.setenv("GIT_DIR", str(victim.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(victim.path))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(victim.path / ".git" / "objects"))
    add(other.url(), project_to_write(work), home, base=work)
    assert files_below(victim.path) == before
    assert victim.git("rev-parse", "HEAD") == commit


@pytest.mark.skipif(os.geteuid() != 0, reason="the home must belong to somebody else")
def test_a_read_only_home_and_project_serve_what_they_have(repository: Repository) -> None:
    script = """
import sys, os
from pathlib import Path
import fcntl, filelock, tomlkit, hashlib
from openhands_strategies.errors import StrategyError
from openhands_strategies.project.adding import add, remove
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import Home
from openhands_strategies.project.project_file import find_project
from openhands_strategies.project.roots import collect
from openhands_strategies.project.sync import lock, sync
from openhands_strategies.project.trust import check_trust, trust
from openhands_strategies.sources import git_fetch
from openhands_strategies.sources.store_care import verify_store
work, home = Path(sys.argv[1]), Home(Path(sys.argv[2]))
os.setgid(65534)
os.setuid(65534)
project = find_project(work)
(located,) = sync(project, home, Fetching(offline=True), frozen=True)
check_trust(located, located.tree, home=home)
assert lock(project, home, Fetching(offline=True)) == []
assert verify_store(home.store) == []
for call in (
    lambda: remove("debate", project, home),
    lambda: trust(located, "sha256:" + "0" * 64, home=home),
    lambda: collect(home),
):
    try:
        call()
    except StrategyError as error:
        print(error.code)
"""
    # Not below pytest's own directory, which only its user may enter.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        work, home = Path(name) / "work", Home(Path(name) / "home")
        work.mkdir()
        added = add(repository.url(), project_to_write(work), home, base=work)
        trust(added.located, str(added.located.tree), added.manifest, home=home)
        before = files_below(work, home.path)
        ran = subprocess.run(
            [sys.executable, "-c", script, str(work), str(home.path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.split() == ["file_write", "file_write", "store_write"]
        assert files_below(work, home.path) == before


def test_no_home_and_no_project(work: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "never" / "made")
    assert find_project(work) is None
    assert (listed(home=home), verify_store(home.store), stored_trees(home.store)) == ([], [], [])
    assert collect(home).trees == ()
    assert not home.path.parent.exists()


def test_a_home_that_is_a_file(work: Path, tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "file").write_text("")
    strategy(work / "one", "one")
    for text, code in (("./one", "file_write"), (repository.url(), "store_write")):
        with pytest.raises(StrategyError) as caught:
            add(text, project_to_write(work), Home(tmp_path / "file"), base=work)
        assert caught.value.code == code
