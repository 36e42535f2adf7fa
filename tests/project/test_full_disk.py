"""A disk that is full from some step on: a named error, nothing half-written, and on it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.project.adding import add
from openhands_strategies.project.home import Home
from openhands_strategies.project.project_file import find_project, project_to_write

from .conftest import Repository
from .test_faults import counted

SETUP = """
import git, tempfile
from crashes import full_from_every_step
from openhands_strategies.errors import StrategyError

def attempt():
    try:
        action()
    except StrategyError as error:
        return error.code
    return ""

def files():
    # The project's files byte by byte; of the consents how many, as each bears its time.
    found = {path.name: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    return {**found, "consents": len(listed(home=home))}

def run():
    prepare(0)
    before = files()
    assert attempt() == ""
    after = files()

    def check(code, refused):
        wanted = "store_write" if Path(refused).is_relative_to(home.store) else "file_write"
        # The home itself is made for the store, or for a file in it.
        also = "store_write" if Path(refused) == home.path else wanted
        assert code in (wanted, also), (code, refused)
        sound()
        left = [path for path in base.rglob("*") if path.name.endswith(".new")]
        left += (home.store / "tmp").glob("*")
        assert left == [], (refused, left)
        whole = {name: (before.get(name), after.get(name)) for name in {*before, *after}}
        now = files()
        assert all(now.get(name) in whole[name] for name in whole), (refused, now)
        assert now.keys() <= whole.keys(), (refused, now)
        assert attempt() == ""
        assert files() == after
        sound()

    print(full_from_every_step(prepare, attempt, check, below=str(base)))
run()
"""
ADD = """
def prepare(number):
    fresh()
def action():
    add(new, project_to_write(work), home, base=work)
"""
ADD_PATH = """
def prepare(number):
    fresh(lambda: shutil.copytree(sys.argv[4], work / "one"))
def action():
    add("./one", project_to_write(work), home, base=work)
"""
UPDATE = """
def prepare(number):
    fresh(locked_before)
def locked_before():
    add(old, project_to_write(work), home, base=work)
    project = find_project(work)
    project.path.write_text(project.path.read_text().replace(old, new))
    project.lock_path.write_text(project.lock_path.read_text().replace("first", "main"))
def action():
    update(find_project(work), home)
"""
TRUST = """
def prepare(number):
    fresh(added)
def added():
    added.one = add(new, project_to_write(work), home, base=work)
def action():
    trust(added.one.located, added.one.located.tree, added.one.manifest, home=home)
"""
SYNC = """
def prepare(number):
    fresh(cloned)
def cloned():
    add(new, project_to_write(work), home, base=work)
    find_project(work).lock_path.unlink()
    shutil.rmtree(home.store)
    home.path.joinpath("projects.toml").unlink()
def action():
    sync(find_project(work), home)
"""


@pytest.mark.parametrize(
    ("script", "least"), [(ADD, 40), (ADD_PATH, 8), (UPDATE, 30), (TRUST, 2), (SYNC, 40)],
    ids=["add", "add path", "update", "trust", "sync"],
)  # fmt: skip
def test_full_from_every_step(
    tmp_path: Path, repository: Repository, script: str, least: int
) -> None:
    assert counted(script + SETUP, tmp_path, repository) > least


def test_what_cannot_be_locked_is_not_added(work: Path, home: Home, repository: Repository) -> None:
    in_the_way = work / ".openhands" / ".strategies.lock.new" / "x"
    in_the_way.mkdir(parents=True)
    with pytest.raises(LoadError, match=r"strategies\.lock cannot be written"):
        add(repository.url(), project_to_write(work), home, base=work)
    assert [path.name for path in (work / ".openhands").iterdir()] == [".strategies.lock.new"]
    assert find_project(work) is None
