"""Listing, resolving and syncing what is there: no network, no git, nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from openhands_strategies.project.adding import add
from openhands_strategies.project.home import Home
from openhands_strategies.project.project_file import project_to_write
from openhands_strategies.project.trust import trust

from .conftest import Repository, strategy

PROBE = """
import json, sys

def hook(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork")):
        raise RuntimeError(f"{event} {arguments}")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & 3:
        raise RuntimeError(f"{event} {arguments}")

sys.addaudithook(hook)
from pathlib import Path
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import find_home
from openhands_strategies.project.indexes import open_indexes, search
from openhands_strategies.project.project_file import find_project
from openhands_strategies.project.sync import sync
from openhands_strategies.project.trust import check_trust
from openhands_strategies.registry.catalog import list_all, resolve, shadows
from openhands_strategies.registry.host import plugin_host
host = plugin_host({}, path=[])
listing = list_all(host=host)
listed = sorted(sys.modules)
located = resolve("debate", host=host, fetching=Fetching(offline=True))
check_trust(located, located.tree)
assert shadows("debate", host=host) == []
project = find_project(Path.cwd())
assert len(sync(project, find_home(), Fetching(offline=True), frozen=True)) == 2
assert search("sidekicks", open_indexes(find_home(), print))[0].name == "fusion"
print(json.dumps([[entry.name for entry in listing.entries], listed, sorted(sys.modules)]))
"""
HEAVY = {"openhands", "pydantic", "rich", "git", "tomlkit", "filelock", "asyncio", "packaging"}


def test_what_is_there_costs_nothing(work: Path, home: Home, repository: Repository) -> None:
    strategy(work / "one", "one")
    add("./one", project_to_write(work), home, base=work)
    added = add(repository.url(), project_to_write(work), home, base=work)
    trust(added.located, str(added.located.tree), added.manifest)
    ran = subprocess.run(
        [sys.executable, "-B", "-c", PROBE], cwd=work, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    names, listed, modules = json.loads(ran.stdout)
    assert names == ["one", "debate"]
    assert HEAVY.isdisjoint(listed)
    assert HEAVY.isdisjoint(modules)


def test_two_hundred_locked_strategies_are_listed_quickly(work: Path, home: Home) -> None:
    (work / ".openhands").mkdir()
    entries, locked = [], ["version = 1\n"]
    for number in range(200):
        url = f"https://example.org/a/r{number}"
        entries.append(f'[strategies.s{number}]\nsource = "git+{url}@v1"\n')
        tree = f"{number:064x}"
        (home.store / "trees" / tree).mkdir(parents=True)
        (home.store / "trees" / tree / "strategy.py").write_text("")
        locked.append(
            f'[[strategy]]\nname = "s{number}"\nurl = "{url}"\nrequested-revision = "v1"\n'
            f'commit-id = "{"1" * 40}"\ntree = "sha256:{tree}"\n'
        )
    (work / ".openhands" / "strategies.toml").write_text("".join(entries))
    (work / ".openhands" / "strategies.lock").write_text("".join(locked))
    probe = """
import time
from openhands_strategies.registry.catalog import list_all
from openhands_strategies.registry.host import plugin_host
host = plugin_host({}, path=[])
begun = time.process_time()
assert len(list_all(host=host).entries) == 200
print(time.process_time() - begun)
"""
    ran = subprocess.run(
        [sys.executable, "-c", probe], cwd=work, capture_output=True, text=True, check=True
    )
    assert float(ran.stdout) < 1.0
