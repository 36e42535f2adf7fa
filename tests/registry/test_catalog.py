"""From what a user types to a located strategy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from openhands_strategies.errors import ResolveError, StrategyError
from openhands_strategies.registry.catalog import list_all, resolve
from openhands_strategies.registry.host import Host, plugin_host
from openhands_strategies.sources.distribution import BrokenOffer
from openhands_strategies.sources.source import DistributionSource, Located, PathSource

Install = Callable[..., Path]
BOMB = "raise RuntimeError('a listing must not import this')\n"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def host(site: Path, install: Install) -> Host:
    install("fusion", BOMB, entry="fusion = fusion:Fusion")
    install("debate", BOMB, entry="debate = debate:Debate")
    install("lost", BOMB, entry="lost = absent:Lost")
    return plugin_host({}, path=[str(site)])


def refused(text: str, base: Path, host: Host) -> StrategyError:
    with pytest.raises(StrategyError) as caught:
        resolve(text, base=base, host=host, warn=list[StrategyError]().append)
    return caught.value


def test_a_name_leads_to_its_distribution(base: Path, host: Host, site: Path) -> None:
    warnings: list[StrategyError] = []
    located = resolve("fusion", base=base, host=host, warn=warnings.append)
    assert located == Located(
        reference="fusion",
        source=DistributionSource("fusion", "1.0", "fusion:Fusion"),
        root=site,
        module="fusion.py",
        attribute="Fusion",
        import_name="fusion",
        name="fusion",
        only=("fusion.py",),
    )
    assert [warning.code for warning in warnings] == ["entry_point_module"]


def test_a_name_never_means_a_file(base: Path, host: Host) -> None:
    (base / "fusion").mkdir()
    (base / "fusion" / "strategy.py").write_text(BOMB)
    assert isinstance(resolve("fusion", base=base, host=host).source, DistributionSource)
    assert isinstance(resolve("./fusion", base=base, host=host).source, PathSource)


def test_an_unknown_name(base: Path, host: Host) -> None:
    error = refused("fuson", base, host)
    assert isinstance(error, ResolveError)
    assert (error.code, error.exit_code) == ("strategy_unknown", 3)
    assert error.hint == "did you mean fusion?"
    assert refused("zzz", base, host).hint == "ohs list shows what there is"
    (base / "zzz.py").write_text("")
    assert refused("zzz", base, host).hint == "did you mean ./zzz.py?"
    (base / "fuson").mkdir()
    assert refused("fuson", base, host).hint == "did you mean fusion?"
    (base / "fuson" / "strategy.py").write_text("")
    assert refused("fuson", base, host).hint == "did you mean fusion or ./fuson?"


def test_a_file_name_that_is_no_strategy_name(base: Path, host: Host) -> None:
    (base / "my_strategy").mkdir()
    (base / "my_strategy" / "strategy.py").write_text("")
    error = refused("my_strategy", base, host)
    assert (error.code, error.hint) == ("reference_invalid", "did you mean ./my_strategy?")
    assert "my-other" in refused("my_other", base, host).hint


def test_a_broken_distribution_says_what_is_wrong_with_it(base: Path, host: Host) -> None:
    error = refused("lost", base, host)
    assert isinstance(error, BrokenOffer)
    assert (error.code, error.exit_code) == ("entry_point_module", 3)
    assert "absent" in error.message


def test_two_offers_of_one_name(base: Path, host: Host, install: Install, site: Path) -> None:
    install("second", BOMB, entry="fusion = second:Fusion")
    error = refused("fusion", base, host)
    assert error.code == "name_ambiguous"
    assert "fusion 1.0 and second 1.0" in error.message
    assert f"{site}/fusion.py" in error.hint
    assert f"{site}/second.py" in error.hint
    assert resolve("debate", base=base, host=host).name == "debate"
    assert resolve(f"{site}/second.py:Fusion", base=base, host=host).module == "second.py"


PLUGIN = """
from pathlib import Path
from openhands_strategies.registry import hookimpl
from openhands_strategies.sources.source import Located, PathSource
def located(name):
    return Located(name, PathSource(Path("/own")), Path("/own"), "strategy.py", name=name)
@hookimpl
def list_strategies(base):
    return [located("fusion"), located("own"), located("twice"), located("twice")]
@hookimpl
def resolve_reference(reference):
    return located("unlisted") if str(reference) == "unlisted" else None
"""


def test_levels(base: Path, host: Host, install: Install, site: Path) -> None:
    install("levels-plugin", PLUGIN, group="openhands_strategies.plugins")
    host = plugin_host({}, path=[str(site)])
    # The first level that has the name wins, and only one level is looked at for two.
    assert isinstance(resolve("fusion", base=base, host=host).source, DistributionSource)
    assert isinstance(resolve("own", base=base, host=host).source, PathSource)
    assert resolve("unlisted", base=base, host=host).name == "unlisted"
    assert refused("twice", base, host).code == "name_ambiguous"
    listing = list_all(base=base, host=host)
    assert [entry.name for entry in listing.entries] == [
        "debate", "fusion", "fusion", "own", "twice", "twice",
    ]  # fmt: skip
    assert [entry.source.type for entry in listing.named("fusion")] == ["distribution", "path"]
    assert listing.named("nothing") == ()
    assert [warning.code for warning in listing.warnings] == ["entry_point_module"]


def test_warnings_of_the_host_are_passed_on(base: Path, install: Install, site: Path) -> None:
    install("fusion", BOMB, entry="fusion = fusion:Fusion")
    install("bad-plugin", "1 / 0", group="openhands_strategies.plugins")
    host = plugin_host({}, path=[str(site)])
    warnings: list[StrategyError] = []
    assert resolve("fusion", base=base, host=host, warn=warnings.append).name == "fusion"
    assert [warning.code for warning in warnings] == ["plugin_load"]
    assert [warning.code for warning in list_all(base=base, host=host).warnings] == ["plugin_load"]


def test_warnings_are_logged_by_default(
    base: Path, host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    # The SDK, when something has imported it, raises the root logger's level.
    caplog.set_level("WARNING", logger="openhands_strategies")
    resolve("fusion", base=base, host=host)
    assert "distribution lost" in caplog.text


def test_paths_start_from_the_base(base: Path, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    (base / "x.py").write_text("")
    assert resolve("x.py", base=base, host=host).root == base
    assert refused("x.py", base.parent, host).code == "path_missing"
    monkeypatch.chdir(base)
    assert resolve("x.py", host=host).root == base
    assert refused(f"git+file://{base}/none", base, host).code == "repository_missing"


def test_a_listing_is_light_and_runs_nothing(base: Path, host: Host, site: Path) -> None:
    script = (
        "import json, sys\n"
        "from openhands_strategies.registry.catalog import list_all, resolve\n"
        "names = [entry.name for entry in list_all().entries]\n"
        "resolve('debate', warn=lambda warning: None)\n"
        "print(json.dumps([names, sorted(sys.modules)]))"
    )
    path = os.pathsep.join([str(site), *(entry for entry in sys.path if entry)])
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path, "OHS_PLUGINS": ""},
        cwd=base,
        capture_output=True,
        text=True,
        check=True,
    )
    names, modules = json.loads(ran.stdout)
    assert {"fusion", "debate"} <= set(names)
    heavy = ("openhands.sdk", "openhands.tools", "pydantic", "rich", "git", "filelock", "asyncio")
    assert set(modules).isdisjoint({*heavy, "fusion", "debate", "lost"})
