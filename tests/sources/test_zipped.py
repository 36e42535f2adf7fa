"""Strategies in wheels and eggs that stand on the path as they are, and hostile archives."""

from __future__ import annotations

import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from openhands_strategies.sources.distribution import BrokenOffer, distribution_files, installed
from openhands_strategies.sources.source import DistributionSource, Located
from openhands_strategies.sources.store import put_tree
from openhands_strategies.sources.store_care import collect_garbage, stored_trees, verify_store
from openhands_strategies.sources.tree import hash_tree, tree_files

from .test_distribution import BOMB, LAYOUTS, Layout, uv, written

Content = str | bytes | tuple[int, str]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A real wheel of each layout."""
    base = tmp_path_factory.mktemp("zipped")
    projects = written(base / "projects")
    found = {}
    for layout in LAYOUTS:
        out = base / layout.name
        command = [*uv(), "build", "--quiet", "--wheel", "--offline", "--no-build-isolation"]
        command += ["--python", sys.executable, "--out-dir", str(out), str(projects / layout.name)]
        subprocess.run(command, check=True)
        (found[layout.name],) = out.glob("*.whl")
    return found


def pack(
    path: Path,
    files: Mapping[str, Content],
    *,
    entry: str = "x = pack.strategy:S",
    info: str = "x-1.0.dist-info/",
) -> Path:
    """Write an archive by hand; a tuple is a mode and a text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = "PKG-INFO" if info == "EGG-INFO/" else "METADATA"
    more = {
        f"{info}entry_points.txt": f"[openhands.strategies]\n{entry}\n",
        f"{info}{metadata}": "Metadata-Version: 2.1\nName: x\nVersion: 1.0\n",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, **more}.items():
            mode, data = content if isinstance(content, tuple) else (0o100644, content)
            one = zipfile.ZipInfo(name)
            one.external_attr = mode << 16
            one.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(one, data)
    return path


def only(archive: Path, store: Path) -> Located:
    (found,), broken = installed(path=[str(archive)], store=store)
    assert broken == []
    return found


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_wheel_on_the_path_is_what_it_is_when_installed(
    built: dict[str, Path], layout: Layout, store: Path, tmp_path: Path
) -> None:
    located = only(built[layout.name], store)
    assert located.file.read_text() == BOMB
    assert (located.module, located.attribute) == (layout.module, "Main")
    assert located.import_name == layout.entry.partition(":")[0]
    assert located.reference == located.name == layout.name
    assert str(located.source) == f"{layout.project} 0.3.1"
    command = [*uv(), "pip", "install", "--quiet", "--offline", "--no-deps"]
    command += ["--python", sys.executable, "--target", str(tmp_path / "site")]
    subprocess.run([*command, str(built[layout.name])], check=True)
    same = only(tmp_path / "site", store)
    assert located.tree == hash_tree(same.root, distribution_files(same))
    assert located.tree == hash_tree(located.root, distribution_files(located))
    assert verify_store(store) == []


def test_a_second_look_writes_nothing_and_a_clean_up_leaves_nothing(
    built: dict[str, Path], store: Path
) -> None:
    first = only(built["plugin"], store)
    for name in ("tmp", "locks"):
        subprocess.run(["rm", "-r", str(store / name)], check=True)
    assert only(built["plugin"], store) == first
    assert [path.name for path in store.iterdir()] == ["trees"]
    collect_garbage(store, [])
    assert not store.exists()
    assert only(built["plugin"], store) == first


def test_directories_and_archives_beside_each_other(
    built: dict[str, Path], store: Path, tmp_path: Path
) -> None:
    path = [str(wheel) for wheel in built.values()]
    found, broken = installed(path=path, store=store)
    assert broken == []
    assert [one.name for one in found] == sorted(built)
    assert not set(sys.modules) & {str(one.import_name) for one in found}


def test_an_egg_and_an_executable_hook(store: Path, tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "pack/__init__.py": "",
        "pack/strategy.py": BOMB,
        "pack/hooks/run.sh": (0o100755, "#!/bin/sh\n"),
        "pack/__pycache__/strategy.pyc": "x",
        "other/strategy.py": BOMB,
    }
    located = only(pack(tmp_path / "x-1.0-py3.12.egg", files, info="EGG-INFO/"), store)
    assert [(one.path, one.mode) for one in tree_files(located.root)] == [
        ("__init__.py", "100644"),
        ("hooks/run.sh", "100755"),
        ("strategy.py", "100644"),
    ]
    assert isinstance(located.source, DistributionSource)


def test_an_archive_that_changed_is_another_tree(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    first = only(pack(path, {"pack/strategy.py": "a = 1\n"}), store)
    pack(tmp_path / "new.zip", {"pack/strategy.py": "a = 22\n"}).replace(path)
    second = only(path, store)
    assert first.tree != second.tree
    assert (first.file.read_text(), second.file.read_text()) == ("a = 1\n", "a = 22\n")


def test_without_a_store_it_is_said(built: dict[str, Path]) -> None:
    found, (error,) = installed(path=[str(built["plugin"])])
    assert found == []
    assert error.code == "distribution_zipped"


HUGE = b"\0" * 50_000_001
GOOD: dict[str, Content] = {"pack/strategy.py": BOMB}
HOSTILE: dict[str, tuple[str, dict[str, Content]]] = {
    "way-out": ("tree_name", {**GOOD, "pack/../../evil.py": "x"}),
    "dot": ("tree_name", {**GOOD, "pack/./strategy.py": "x"}),
    "empty-part": ("tree_name", {**GOOD, "pack//evil.py": "x"}),
    "backslash": ("tree_name", {**GOOD, "pack/..\\evil.py": "x"}),
    "control": ("tree_name", {**GOOD, "pack/a\x1b[2J": "x"}),
    "under-a-file": ("tree_name", {**GOOD, "pack/strategy.py/more": "x"}),
    "case-twins": ("tree_case_twins", {**GOOD, "pack/Strategy.py": "x"}),
    "link": ("tree_link", {**GOOD, "pack/link": (stat.S_IFLNK | 0o777, "/etc/passwd")}),
    "entry-is-a-link": ("tree_link", {"pack/strategy.py": (stat.S_IFLNK | 0o777, "../x")}),
    "device": ("tree_special", {**GOOD, "pack/tty": (stat.S_IFCHR | 0o666, "")}),
    "bomb": ("tree_too_large", {**GOOD, "pack/bomb": HUGE}),
    "many": ("tree_too_large", {**GOOD, **{f"pack/{n}": "" for n in range(5001)}}),
    "no-module": ("entry_point_module", {"pack/other.py": "x"}),
    "metadata-bomb": (
        "distribution_broken", {**GOOD, "x-1.0.dist-info/RECORD": b"\0" * 16_000_001},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_costs_one_warning(
    built: dict[str, Path], store: Path, tmp_path: Path, name: str
) -> None:
    code, files = HOSTILE[name]
    archive = pack(tmp_path / "sub" / "x.whl", files)
    begun = time.perf_counter()
    found, (error,) = installed(path=[str(archive), str(built["plugin"])], store=store)
    assert time.perf_counter() - begun < 5
    assert [one.name for one in found] == ["plugin"]
    assert isinstance(error, BrokenOffer)
    assert (error.code, error.name) == (code, "x")
    assert error.message.isprintable()
    assert "x" in error.message
    assert stored_trees(store) == [found[0].tree]
    assert not [*tmp_path.rglob("evil.py")]


def test_a_file_that_is_there_twice(store: Path, tmp_path: Path) -> None:
    path = pack(tmp_path / "x.whl", GOOD)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("pack/strategy.py", "other")
    assert code_of(path, store) == "tree_name"


def code_of(path: Path, store: Path) -> str:
    found, (error,) = installed(path=[str(path)], store=store)
    assert found == []
    return error.code


def test_damaged_and_lying_archives(store: Path, tmp_path: Path) -> None:
    whole = pack(tmp_path / "x.whl", {"pack/strategy.py": BOMB * 50}).read_bytes()
    # The checksum no longer fits; the size is more than what unpacks; it is encrypted.
    local, central = whole.index(b"PK\x03\x04"), whole.index(b"PK\x01\x02")
    for place in (16, 24):
        data = bytearray(whole)
        data[central + place : central + place + 4] = b"\x01\x02\x03\x00"
        (tmp_path / f"{place}.whl").write_bytes(data)
        assert code_of(tmp_path / f"{place}.whl", store) in ("distribution_broken", "tree_changed")
    data = bytearray(whole)
    data[local + 6] |= 1
    data[central + 8] |= 1
    (tmp_path / "locked.whl").write_bytes(data)
    assert code_of(tmp_path / "locked.whl", store) == "distribution_broken"
    # What is no archive at all is not ours to tell of.
    (tmp_path / "cut.whl").write_bytes(whole[: len(whole) // 2])
    assert installed(path=[str(tmp_path / "cut.whl")], store=store) == ([], [])
    assert not store.exists()


def test_a_store_that_cannot_be_written_is_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert code_of(pack(tmp_path / "x.whl", GOOD), tmp_path / "file" / "store") == "store_write"


def test_the_same_tree_from_a_path_is_shared(store: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "strategy.py").write_text(BOMB)
    stored = put_tree(store, tmp_path / "own", tree_files(tmp_path / "own"))
    assert only(pack(tmp_path / "x.whl", GOOD), store).tree == stored.tree
