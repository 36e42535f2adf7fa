"""What a server offers, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.errors import ResolveError
from openhands_strategies.project.home import find_home
from openhands_strategies.project.index_file import IndexEntry
from openhands_strategies.project.indexes import Offer, OpenIndex
from openhands_strategies.server.catalogue import Catalogue
from openhands_strategies.server.setup import Setup, read_setup
from openhands_strategies.server.tags import tags_of
from openhands_strategies.sources.reference import GitReference
from openhands_strategies.sources.source import GitSource, Located, PathSource
from support import write

STRATEGY = """
from openhands_strategies import Strategy

raise SystemExit("a listing ran this file")

class One(Strategy):
    name = "{name}"
    description = "{about}"

    def build(self, context): ...
"""


def offered(base: Path, *references: str) -> Catalogue:
    return Catalogue(Setup(references, (), False, (), base, find_home()))


def test_names_that_are_taken_or_reserved(tmp_path: Path) -> None:
    for file, name in (("a", "same"), ("b", "same"), ("c", "runs"), ("d", "other")):
        write(tmp_path / f"{file}.py", STRATEGY.format(name=name, about=file))
    found = offered(tmp_path, "./a.py", "./b.py", "./c.py", "./d.py").listed()
    assert [(one.name, one.error.code if one.error else None) for one in found] == [
        ("same", None),
        ("./b.py", "name_ambiguous"),
        ("./c.py", "name_reserved"),
        ("other", None),
    ]


def test_without_references_everything_with_a_name_is_offered(tmp_path: Path) -> None:
    write(tmp_path / "tools" / "mine.py", STRATEGY.format(name="mine", about="Mine"))
    write(
        tmp_path / ".openhands" / "strategies.toml",
        '[strategies.mine]\nsource = "./tools/mine.py"\n',
    )
    catalogue = offered(tmp_path)
    names = [one.name for one in catalogue.listed()]
    assert names[0] == "mine"
    assert "fusion" in names
    mine = catalogue.find("mine").to_json()
    # It merely stands in a file, so it needs the user's yes.
    assert mine["trusted"] is False
    assert mine["error"] is None
    with pytest.raises(ResolveError) as caught:
        catalogue.find("fusiom")
    assert "fusion" in caught.value.hint


def test_tags_are_those_of_the_offer_of_the_same_source(tmp_path: Path) -> None:
    url, commit = "https://example.org/team/strategies", "0" * 40
    entry = IndexEntry("one", tags=("quick",))
    reference = GitReference(url, "main", "one")
    index = OpenIndex("team", url, {"one": Offer("team", entry, reference)})

    def tags(source: GitSource | PathSource) -> tuple[str, ...]:
        return tags_of(Located("one", source, tmp_path, "strategy.py"), [index])

    assert tags(GitSource(url, commit, "one")) == ("quick",)
    assert tags(GitSource(url, commit, "other")) == ()
    assert tags(PathSource(tmp_path)) == (), "another one of the same name"


def test_a_running_server_keeps_the_files_that_it_read(tmp_path: Path) -> None:
    path = write(tmp_path / "one.py", STRATEGY.format(name="one", about="before"))
    catalogue = offered(tmp_path, "./one.py")
    kept = catalogue.find("one").located
    assert kept is not None
    path.write_text("broken (")
    assert "before" in kept.file.read_text()
    assert catalogue.reload()["restart_needed"] == ["one"]
    path.unlink()
    assert catalogue.reload() == {
        "strategies": ["./one.py"],
        "added": ["./one.py"],
        "removed": ["one"],
        "restart_needed": [],
    }


OVERLAY = """
from openhands_strategies import Strategy, StrategyParam

raise SystemExit("a listing ran this file")

class House(Strategy):
    name = "house-rules"
    description = "{about}"
    overlay = True
    params = [StrategyParam(name="word", description="A word", required=True)]

    def build(self, context): ...
"""


def test_the_operators_overlays_are_kept_and_their_parameters_listed(tmp_path: Path) -> None:
    write(tmp_path / "one.py", STRATEGY.format(name="one", about="One"))
    path = write(tmp_path / "house.py", OVERLAY.format(about="before"))
    catalogue = Catalogue(Setup(("./one.py",), ("./house.py",), False, (), tmp_path, find_home()))
    one = catalogue.find("one")
    schema = one.to_json()["params_schema"]
    assert list(schema["properties"]) == schema["required"] == ["house-rules.word"]
    [house] = one.overlays
    path.write_text(OVERLAY.format(about="after"))
    assert house.located is not None
    assert "before" in house.located.file.read_text()
    assert catalogue.reload()["restart_needed"] == ["house-rules"]
    assert catalogue.find("one").overlays == (house,)
    assert catalogue.broken() == []
    path.unlink()
    catalogue.reload()
    assert [error.code for error in catalogue.broken()] == ["path_missing"]
    broken = catalogue.find("one").error
    assert broken is not None
    assert broken.code == "overlay_broken"
    assert "./house.py" in broken.message


def test_a_client_can_tell_overlays_and_name_their_parameters(tmp_path: Path) -> None:
    write(tmp_path / "one.py", STRATEGY.format(name="one", about="One"))
    write(tmp_path / "house.py", OVERLAY.format(about="House"))
    write(tmp_path / "bad.py", "broken (")
    references = ("./one.py", "./house.py", "./bad.py")
    catalogue = Catalogue(Setup(references, ("budget",), False, (), tmp_path, find_home()))
    one, house, bad = (listed.to_json() for listed in catalogue.listed())
    assert (one["overlay"], one["label"]) == (False, "one")
    assert (house["overlay"], house["label"]) == (True, "house-rules")
    assert (bad["overlay"], bad["label"]) == (None, None)
    # What the operator lays over a start is no matter of an overlay by itself.
    assert list(one["params_schema"]["properties"]) == ["budget.limit", "budget.warn_at"]
    assert list(house["params_schema"]["properties"]) == ["word"]


def test_parameters_that_only_code_knows_are_not_listed_below_overlays(tmp_path: Path) -> None:
    write(tmp_path / "one.py", STRATEGY.format(name="one", about="One"))
    computed = OVERLAY.replace("params = [", "params = [] if word else [")
    write(tmp_path / "house.py", computed.format(about="House"))
    catalogue = Catalogue(Setup(("./one.py",), ("./house.py",), False, (), tmp_path, find_home()))
    assert catalogue.find("one").to_json()["params_schema"] is None


def test_the_setup_is_read_from_the_environment(tmp_path: Path) -> None:
    setup = read_setup(
        {
            "OHS_EXTENSIONS": "fusion\n\n ./a b.py \n",
            "OHS_WITH": "house",
            "OHS_STRICT": "1",
            "OHS_WORKSPACES": str(tmp_path),
            "OHS_HOME": str(tmp_path / "home"),
        }
    )
    assert setup.references == ("fusion", "./a b.py")
    assert setup.overlays == ("house",)
    assert setup.strict
    assert setup.workspaces == (tmp_path.resolve(),)
    assert setup.home.path == tmp_path / "home"
    assert not read_setup({"OHS_STRICT": "0"}).strict
