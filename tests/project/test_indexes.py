"""Indexes: read strictly, added, searched, looked up, and checked by their own CI."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from openhands_strategies.errors import ResolveError, StrategyError
from openhands_strategies.project.adding import add, remove
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import Home
from openhands_strategies.project.index_check import index_check
from openhands_strategies.project.index_edit import (
    add_index,
    list_indexes,
    remove_index,
    update_index,
)
from openhands_strategies.project.index_file import parse_index
from openhands_strategies.project.indexes import BUNDLED, offers_of, open_indexes, search
from openhands_strategies.project.lock_file import LockedGit
from openhands_strategies.project.project_file import project_to_write
from openhands_strategies.project.roots import collect
from openhands_strategies.project.sync import lock, outdated, sync, update
from openhands_strategies.project.toml_file import FileError
from openhands_strategies.project.trust import check_trust, is_trusted
from openhands_strategies.registry.catalog import list_all, resolve, shadows
from openhands_strategies.registry.host import plugin_host
from openhands_strategies.sources.reference import GitReference
from openhands_strategies.sources.source import GitSource
from openhands_strategies.sources.store_care import stored_trees, verify_store

from .conftest import MakeRepository, Repository, files_below, strategy

ENTRY = """
version = 1
[strategies.debate]
source = "./plugins/debate"
description = "Two agents argue"
tags = ["review", "Quality"]
homepage = "https://example.org/debate"
requires = ">=0.1"
"""


def code_of(call: object, *arguments: object, **keywords: object) -> StrategyError:
    assert callable(call)
    with pytest.raises(StrategyError) as caught:
        call(*arguments, **keywords)
    return caught.value


def write_index(directory: Path, text: str = ENTRY) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "registry.toml").write_text(textwrap.dedent(text))
    return directory


def opened(home: Home) -> list[str]:
    warnings: list[StrategyError] = []
    names = [index.name for index in open_indexes(home, warnings.append)]
    return [*names, *(warning.code for warning in warnings)]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("version = 1", "version = 3", 2, "version 3 of this file is not known"),
        ("version = 1", "", 1, "has no version"),
        ("version = 1", "version = 1\nname = 'x'", 3, "unknown key 'name'"),
        ("[strategies.debate]", "[strategies.DEBATE]", 3, "no strategy name"),
        ("[strategies.debate]", "[strategies.'-x']", 3, "no strategy name"),
        ('source = "./plugins/debate"', "", 3, "neither source nor distribution"),
        ('source = "./plugins/debate"', "source = 1", 4, "an integer, not a string"),
        ("./plugins/debate", "./../debate", 4, "no directory inside"),
        ("./plugins/debate", "../debate", 4, "neither a git source nor a directory"),
        ("./plugins/debate", "/etc", 4, "neither a git source nor a directory"),
        ("./plugins/debate", "~/x", 4, "neither a git source nor a directory"),
        ("./plugins/debate", "./.git/hooks", 4, "no directory inside"),
        ("./plugins/debate", "plugins/debate", 4, "neither a git source nor a directory"),
        ("./plugins/debate", "fusion", 4, "neither a git source nor a directory"),
        ("./plugins/debate", "git+file:///etc", 4, "points at this machine"),
        ("./plugins/debate", "git+EXT::sh -c x", 4, ""),
        ("./plugins/debate", "git+https://u:CANARY@example.org/a/b", 4, "***@"),
        ("./plugins/debate", "git+https://example.org/a@--upload-pack=x", 4, "no commit"),
        ('tags = ["review", "Quality"]', "tags = 'x'", 6, "tags is no array"),
        ('tags = ["review", "Quality"]', "tags = [1]", 6, "something else than strings"),
        ('tags = ["review", "Quality"]', "tags = [" + "'x'," * 21 + "]", 6, "at most 20"),
        ("https://example.org/debate", "javascript:alert(1)", 7, "no http or https URL"),
        ("Two agents argue", "\\u001b[31mred", 5, "control character"),
        ("requires", "command", 8, "unknown key 'command'"),
        ('requires = ">=0.1"', 'distribution = "--index-url x"', 8, "no distribution's name"),
    ],
)
def test_hostile_indexes(old: str, new: str, line: int, words: str) -> None:
    text = ENTRY.replace(old, new, 1)
    assert text != ENTRY
    with pytest.raises(FileError) as caught:
        parse_index(text.encode(), Path("/x/registry.toml"))
    error = caught.value
    assert (error.code, error.line) == ("index_invalid", line)
    assert words in error.message
    assert "CANARY" not in error.message + error.hint
    assert "\x1b" not in error.message


def test_what_an_entry_says() -> None:
    text = ENTRY + '[strategies.all]\nsource = "."\n'
    text += '[strategies.far]\nsource = "github:a/b@v1#subdirectory=x"\n'
    entries = parse_index(text.encode(), Path("/x/registry.toml"))
    debate = entries["debate"]
    assert (debate.inside, debate.git, debate.tags) == (
        "plugins/debate",
        None,
        ("review", "Quality"),
    )
    assert entries["far"].git == GitReference("https://github.com/a/b", "v1", "x")
    assert entries["all"].inside == ""


def test_this_repositorys_own_index_comes_along(home: Home) -> None:
    warnings: list[StrategyError] = []
    (bundled,) = open_indexes(home, warnings.append)
    assert (bundled.name, warnings) == (BUNDLED, [])
    offer = bundled.offers["fusion"]
    assert offer.reference is None
    assert offer.source.to_json() == {
        "type": "index", "index": BUNDLED, "offers": "openhands-strategy-fusion",
    }  # fmt: skip
    assert list(home.path.iterdir()) == []


def test_a_local_index(work: Path, home: Home) -> None:
    write_index(work / "ours" / "Acme Strategies")
    strategy(work / "ours" / "Acme Strategies" / "plugins" / "debate", hook="evil")
    index = add_index("./Acme Strategies", home, base=work / "ours")
    assert (index.name, str(index)) == ("acme-strategies", str(work / "ours" / "Acme Strategies"))
    assert list_indexes(home) == (index,)
    host = plugin_host({}, path=[])
    located = resolve("debate", base=work, host=host)
    assert located.root == work / "ours" / "Acme Strategies" / "plugins" / "debate"
    # Nobody typed that path: an index does not make it trusted.
    assert not is_trusted(located, "sha256:" + "0" * 64)
    assert code_of(check_trust, located, "sha256:" + "0" * 64).code == "not_trusted"
    # It is looked up, not listed.
    assert list_all(base=work, host=host).entries == ()
    assert code_of(add, "debate", project_to_write(work), home, base=work).code == "not_lockable"
    assert update_index("acme-strategies", home) == index
    remove_index("acme-strategies", home)
    collect(home)
    assert not home.path.exists()
    assert code_of(remove_index, "acme-strategies", home).code == "index_unknown"
    assert code_of(resolve, "debate", base=work, host=host).code == "strategy_unknown"


def test_an_index_in_git_is_pinned_and_works_offline(
    work: Path, home: Home, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_index(repository.path)
    first = repository.commit()
    (index,) = [add_index(f"git+file://{repository.path}", home, base=work, name="acme")]
    assert (index.url, index.requested, index.commit) == (
        f"file://{repository.path}", None, first,
    )  # fmt: skip
    repository.strategy("debate", description="second")
    write_index(repository.path, ENTRY.replace("Two agents", "Three agents"))
    second = repository.commit()
    warnings: list[StrategyError] = []
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nonexistent")  # no git can be found
        (hit,) = search("ARGUE", open_indexes(home, warnings.append))
    # A relative source means this repository at this commit.
    assert str(hit.reference) == f"git+file://{repository.path}@{first}#subdirectory=plugins/debate"
    assert hit.entry.description == "Two agents argue"
    located = resolve("debate", base=work, host=plugin_host({}, path=[]))
    assert isinstance(located.source, GitSource)
    assert (located.source.commit, located.name) == (first, "debate")
    assert not is_trusted(located, str(located.tree))
    assert collect(home).trees == (located.tree,)
    assert stored_trees(home.store) == [index.tree]

    assert update_index("acme", home).commit == second
    (hit,) = search("argue", open_indexes(home, warnings.append))
    assert (hit.entry.description, warnings) == ("Three agents argue", [])
    assert add_index(f"git+file://{repository.path}", home, base=work, name="acme").commit == second
    assert code_of(update_index, "other", home).code == "index_unknown"
    remove_index("acme", home)
    collect(home)
    assert not home.path.exists()


def test_adding_a_name_of_an_index_locks_its_repository(
    work: Path, home: Home, make_repository: MakeRepository
) -> None:
    repository = make_repository("acme")
    repository.strategy("debate")
    write_index(repository.path)
    commit = repository.commit()
    add_index(f"git+file://{repository.path}", home, base=work)
    added = add("debate", project_to_write(work), home, base=work)
    assert added.source == "debate"
    assert added.locked == LockedGit(
        "debate", f"file://{repository.path}", commit, str(added.located.tree), commit,
        "plugins/debate",
    )  # fmt: skip
    # What was added stays usable, also once the index is gone.
    for _ in range(2):
        (located,) = sync(added.project, home, frozen=True)
        assert located.tree == added.locked.tree
        assert resolve("debate", base=work, host=plugin_host({}, path=[])).tree == located.tree
        if list_indexes(home):
            remove_index("acme", home)
    remove("debate", added.project, home)
    collect(home)
    assert not home.path.exists()


def test_a_name_that_somebody_wrote_into_the_file_is_locked_from_an_index(
    work: Path, home: Home, repository: Repository
) -> None:
    write_index(repository.path)
    repository.commit()
    (work / ".openhands").mkdir()
    (work / ".openhands" / "strategies.toml").write_text("[strategies.mine]\nsource = 'debate'\n")
    add_index(f"git+file://{repository.path}", home, base=work)
    project = project_to_write(work)
    assert [change.name for change in lock(project, home)] == ["mine"]
    assert [one.name for one in sync(project, home, frozen=True)] == ["mine"]


def test_what_came_from_an_index_is_outdated_when_the_index_has_moved(
    work: Path, home: Home, repository: Repository, make_repository: MakeRepository
) -> None:
    write_index(repository.path)
    first = repository.commit()
    add_index(f"git+file://{repository.path}", home, base=work)
    project = add("debate", project_to_write(work), home, base=work).project
    assert outdated(project, home) == update(project, home) == []

    # The index has moved on, and nobody has fetched it.
    second = repository.strategy("debate", description="second")
    (behind,) = outdated(project, home)
    assert (behind.name, behind.locked, behind.newest) == ("debate", first, second)
    assert list_indexes(home)[0].commit == first  # nothing was fetched
    (change,) = update(project, home)
    assert (change.to_json()["old"], change.to_json()["new"]) == (first, second)
    assert list_indexes(home)[0].commit == second
    assert outdated(project, home) == update(project, home) == []

    # It was fetched since, as by `ohs index update`.
    third = repository.strategy("debate", description="third")
    update_index("acme", home)
    assert [one.newest for one in outdated(project, home)] == [third]
    assert len(update(project, home)) == 1

    # Offline nobody is asked, and an index that is gone counts as it was.
    repository.strategy("debate", description="fourth")
    assert update(project, home, fetching=Fetching(offline=True)) == []
    assert list_indexes(home)[0].commit == third
    repository.path.rename(work / "gone")
    told: list[StrategyError] = []
    assert outdated(project, home, warn=told.append) == []
    assert update(project, home, warn=told.append) == []
    assert [error.code for error in told] == ["repository_missing"] * 2
    assert "debate" in told[0].message


def test_names_in_several_indexes(work: Path, home: Home, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_index(work / name)
        strategy(work / name / "plugins" / "debate")
        add_index(f"./{name}", home, base=work)
    host = plugin_host({}, path=[])
    error = code_of(resolve, "debate", base=work, host=host)
    assert isinstance(error, ResolveError)
    assert error.code == "name_ambiguous"
    for name in ("one", "two"):
        assert f"{work}/{name}/plugins/debate (index {name})" in error.message
        assert f"ohs add '{work}/{name}/plugins/debate' --as debate-" in error.hint
    assert code_of(add, "debate", project_to_write(work), home, base=work).code == "name_ambiguous"
    # The same source in two indexes is one offer.
    text = '[strategies.debate]\nsource = "github:a/b@v1"\n'
    for name in ("one", "two"):
        write_index(work / name, "version = 1\n" + text)
    assert len(offers_of("debate", open_indexes(home, list[StrategyError]().append))) == 1
    # What the project has hides both.
    strategy(work / "own")
    add("./own", project_to_write(work), home, base=work)
    assert resolve("debate", base=work, host=host).root == work / "own"
    assert [str(one) for one in shadows("debate", base=work, host=host)] == [
        "git+https://github.com/a/b@v1 (index one)"
    ]


def test_what_only_a_distribution_offers(work: Path) -> None:
    error = code_of(resolve, "fusion", base=work, host=plugin_host({}, path=[]))
    assert (error.code, error.exit_code) == ("distribution_missing", 3)
    assert error.hint == "ohs install openhands-strategy-fusion"
    assert code_of(resolve, "fusio", base=work, host=plugin_host({}, path=[])).hint == (
        "did you mean fusion?"
    )


def test_versions_that_do_not_fit(work: Path, home: Home) -> None:
    strategy(work / "one" / "plugins" / "debate")
    host = plugin_host({}, path=[])
    for requires, code in ((">=99", "index_incompatible"), ("newest", "index_invalid")):
        write_index(work / "one", ENTRY.replace(">=0.1", requires))
        add_index("./one", home, base=work)
        error = code_of(resolve, "debate", base=work, host=host)
        assert (error.code, "index one" in error.message) == (code, True)


def test_what_is_no_index(work: Path, home: Home, repository: Repository) -> None:
    write_index(work / "broken", "version = 1\n[strategies")
    for text, code in {
        "./nowhere": "index_missing",
        ".": "index_missing",
        "./broken": "index_invalid",
        "fusion": "index_reference",
        f"git+file://{repository.path}#subdirectory=plugins": "index_reference",
        f"git+file://{repository.path}": "index_missing",
        f"git+file://{repository.path}@gone": "revision_unknown",
        "ext::sh -c x": "reference_invalid",
    }.items():
        assert code_of(add_index, text, home, base=work).code == code
    write_index(work / "fine")
    for name in ("Not A Name", BUNDLED):
        assert code_of(add_index, "./fine", home, base=work, name=name).code == "name_invalid"
    add_index("./fine", home, base=work, name="mine")
    write_index(work / "other")
    assert code_of(add_index, "./other", home, base=work, name="mine").code == "name_taken"
    remove_index("mine", home)
    collect(home)
    assert not home.path.exists()


def test_a_broken_index_costs_a_warning_and_is_not_passed_over(work: Path, home: Home) -> None:
    for name in ("one", "two"):
        write_index(work / name)
        strategy(work / name / "plugins" / "debate")
        add_index(f"./{name}", home, base=work)
    write_index(work / "one", "version = 9")
    assert opened(home) == ["two", BUNDLED, "index_invalid"]
    host = plugin_host({}, path=[])
    # What is in the broken one cannot be told: only what no index has is an error.
    assert resolve("debate", base=work, host=host).root == work / "two" / "plugins" / "debate"
    assert code_of(resolve, "unheard", base=work, host=host).code == "index_invalid"
    (work / "two" / "registry.toml").unlink()
    assert opened(home) == [BUNDLED, "index_invalid", "index_missing"]
    (home.path / "indexes.toml").write_text("version = 1\n[[index]]\nname = 'x'\nurl = 'ext::x'\n")
    assert opened(home) == [BUNDLED, "indexes_file_invalid"]
    assert code_of(add_index, "./one", home, base=work).code in (
        "index_invalid",
        "indexes_file_invalid",
    )


def test_a_check_of_an_index_that_is_right(
    work: Path, home: Home, repository: Repository, make_repository: MakeRepository
) -> None:
    write_index(work)
    strategy(work / "plugins" / "debate")
    before = files_below(work)
    assert index_check(work, home) == index_check(work / "registry.toml", home) == []
    assert files_below(work) == before
    assert list(home.path.iterdir()) == []


def test_an_index_may_offer_a_plugin_directory(work: Path, home: Home) -> None:
    write_index(work, 'version = 1\n[strategies.house-style]\nsource = "./HouseStyle"\n')
    command = work / "HouseStyle" / "commands" / "tidy.md"
    command.parent.mkdir(parents=True)
    command.write_text("Tidy up.\n")
    assert index_check(work, home) == []
    (work / "HouseStyle" / "plugin.json").write_text('{"name": "other"}')
    assert [finding.code for finding in index_check(work, home)] == ["index_name"]


def test_a_check_finds_what_is_wrong(work: Path, home: Home) -> None:
    write_index(
        work,
        """
        version = 1
        [strategies.good]
        source = "./good"
        [strategies.other-name]
        source = "./other"
        [strategies.gone]
        source = "./gone"
        [strategies.broken]
        source = "./broken"
        [strategies.twin]
        source = "./good"
        distribution = "Acme_X"
        [strategies.late]
        source = "./late"
        requires = ">=99"
        distribution = "acme-x"
        [strategies.pip-only]
        distribution = "openhands-strategy-x"
        [strategies.moving]
        source = "git+https://127.0.0.1:1/a/b@v1"
        """,
    )
    for name in ("good", "late"):
        strategy(work / name, name)
    strategy(work / "other", "really")
    strategy(work / "broken", "broken")
    (work / "broken" / "strategy.py").write_text("def (")
    found = index_check(work, home, Fetching(offline=True))
    assert [(finding.line, finding.code) for finding in found] == [
        (5, "index_name"),
        (7, "path_missing"),
        (9, "syntax_error"),
        (11, "index_collision"),
        (11, "index_name"),
        (14, "index_collision"),
        (14, "index_incompatible"),
        (18, "index_unchecked"),
        (20, "index_unpinned"),
        (20, "not_in_store"),
    ]
    assert all(finding.message.startswith(f"{work}/registry.toml:") for finding in found)
    assert "calls itself 'really'" in found[0].message
    write_index(work, "version = 1\n[strategies.x]\nsource = 'git+file:///x'")
    assert [finding.code for finding in index_check(work, home)] == ["index_invalid"]
    assert [finding.code for finding in index_check(work / "none", home)] == ["index_missing"]
    assert verify_store(home.store) == []
