"""The lock file's SDK versions, and what wheels and source distributions carry."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from openhands_strategies.manifest.reader import read_manifest

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = sorted((ROOT / "plugins").glob("*/pyproject.toml"))
LICENCE = (ROOT / "LICENSE").read_text()
# What setuptools writes into an sdist by itself; nothing of it is ours.
WRITTEN = ("PKG-INFO", "setup.cfg")
LEFTOVERS = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist", ".*cache")


def locked(name: str, extra: str, python: str = "3.12.1") -> Version:
    """The version that uv.lock gives the project for one choice of extra or group."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    project = next(p for p in packages if p["name"] == "openhands-strategies")
    environment = {
        "extra": extra,
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
    }
    chosen = [
        Version(entry["version"])
        for entry in project["dependencies"]
        if entry["name"] == name
        and ("marker" not in entry or Marker(entry["marker"]).evaluate(environment))
    ]
    assert len(chosen) == 1, f"{name} with {extra or 'no extra'}: {chosen}"
    return chosen[0]


@pytest.mark.parametrize("name", ["openhands-sdk", "openhands-tools"])
class TestLock:
    @pytest.mark.parametrize("extra", ["", "extra-20-openhands-strategies-server"])
    def test_default_and_server_have_the_new_sdk(self, name: str, extra: str) -> None:
        assert locked(name, extra) >= Version("1.58")

    @pytest.mark.parametrize(
        "extra",
        ["group-20-openhands-strategies-floor", "extra-20-openhands-strategies-openhands-cli"],
    )
    def test_floor_and_openhands_cli_have_the_oldest(self, name: str, extra: str) -> None:
        assert locked(name, extra) == Version("1.21.0")


def build(project: Path, kind: str, out: Path) -> Path:
    """Builds a wheel or an sdist with the installed setuptools; no network, no isolation."""
    out.mkdir(exist_ok=True)
    code = f"import sys; from setuptools import build_meta as b; b.build_{kind}(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", code, str(out)],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    )
    (built,) = out.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


def names_in_wheel(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {n for n in archive.namelist() if ".dist-info/" not in n}


def names_in_sdist(sdist: Path) -> set[str]:
    """Its files, without its own directory."""
    with tarfile.open(sdist) as archive:
        return {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}


def licence_in_wheel(wheel: Path) -> str:
    """The text of the licence that its metadata names."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        told = archive.read(metadata).decode()
        assert "\nLicense-Expression: MIT\n" in told
        assert "\nLicense-File: LICENSE\n" in told
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/licenses/LICENSE")]
        return archive.read(name).decode()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the two distributions are built from."""
    copy = tmp_path / "tree"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "registry.toml"):
        shutil.copy(ROOT / name, copy / name)
    for name in ("core", "plugins"):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=LEFTOVERS)
    return copy


def test_wheel_carries_every_file_of_core(tree: Path, tmp_path: Path) -> None:
    core = tree / "core"
    files = {p.relative_to(core).as_posix() for p in core.rglob("*") if p.is_file()}
    wheel = build(tree, "wheel", tmp_path / "wheel")
    assert names_in_wheel(wheel) == files
    with zipfile.ZipFile(wheel) as archive:
        index = archive.read("openhands_strategies/registry.toml")
        scripts = archive.read("openhands_strategies-0.1.0.dist-info/entry_points.txt").decode()
    assert index == (ROOT / "registry.toml").read_bytes()
    assert "ohs = openhands_strategies.cli.main:main" in scripts
    assert "openhands-strategies = openhands_strategies.cli.main:main" in scripts
    assert licence_in_wheel(wheel) == LICENCE


def test_wheel_from_the_sdist_is_the_same(tree: Path, tmp_path: Path) -> None:
    core = {f"core/{p.relative_to(tree / 'core').as_posix()}"
            for p in (tree / "core").rglob("*") if p.is_file()}  # fmt: skip
    sdist = build(tree, "sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        assert not [m.name for m in archive.getmembers() if m.issym() or m.islnk()]
        archive.extractall(tmp_path / "unpacked", filter="data")
    own = {n for n in names_in_sdist(sdist) if n not in WRITTEN and ".egg-info/" not in n}
    assert own == core | {"pyproject.toml", "README.md", "LICENSE"}
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    again = build(unpacked, "wheel", tmp_path / "again")
    direct = build(tree, "wheel", tmp_path / "direct")
    assert names_in_wheel(again) == names_in_wheel(direct)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.parent.name)
def test_plugin_wheel_carries_the_plugin_directory(
    plugin: Path, tree: Path, tmp_path: Path
) -> None:
    directory = tree / "plugins" / plugin.parent.name
    package = f"openhands_strategy_{plugin.parent.name.replace('-', '_')}"
    files = {
        f"{package}/{p.relative_to(directory).as_posix()}"
        for p in directory.rglob("*")
        if p.is_file() and "tests" not in p.relative_to(directory).parts
    }
    wheel = build(directory, "wheel", tmp_path / "wheel")
    assert names_in_wheel(wheel) == files - {f"{package}/pyproject.toml", f"{package}/LICENSE"}
    assert licence_in_wheel(wheel) == LICENCE
    with zipfile.ZipFile(wheel) as archive:
        (points,) = [n for n in archive.namelist() if n.endswith("/entry_points.txt")]
        assert f"= {package}.strategy:" in archive.read(points).decode()


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.parent.name)
def test_plugin_sdist_carries_the_plugin_directory(
    plugin: Path, tree: Path, tmp_path: Path
) -> None:
    directory = tree / "plugins" / plugin.parent.name
    files = {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}
    sdist = build(directory, "sdist", tmp_path / "sdist")
    own = {n for n in names_in_sdist(sdist) if n not in WRITTEN and ".egg-info/" not in n}
    assert own == files
    with tarfile.open(sdist) as archive:
        (member,) = [m for m in archive.getmembers() if m.name.count("/") == 1
                     and m.name.endswith("/LICENSE")]  # fmt: skip
        file = archive.extractfile(member)
        assert file is not None
        assert file.read().decode() == LICENCE


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.parent.name)
def test_a_plugin_says_the_same_of_itself_everywhere(plugin: Path) -> None:
    name = plugin.parent.name
    root = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extra = {Requirement(one).name for one in root["project"]["optional-dependencies"]["plugins"]}
    indexed = tomllib.loads((ROOT / "registry.toml").read_text())["strategies"][name]
    own = tomllib.loads(plugin.read_text())["project"]
    metadata = json.loads((plugin.parent / ".plugin" / "plugin.json").read_text())
    manifest = read_manifest(plugin.parent, "strategy.py")

    assert own["name"] == indexed["distribution"] == f"openhands-strategy-{name}"
    assert own["name"] in extra
    assert root["tool"]["uv"]["sources"][own["name"]] == {"workspace": True}
    assert list(own["entry-points"]["openhands.strategies"]) == [name]
    assert indexed["source"] == f"./plugins/{name}"
    assert metadata["name"] == manifest.name == name
    assert metadata["version"] == own["version"]
    said = {one["description"] for one in (own, indexed, metadata)}
    assert said == {manifest.description}


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda p: p.parent.name)
def test_a_plugins_readme_has_its_parameters(plugin: Path) -> None:
    manifest = read_manifest(plugin.parent, "strategy.py")
    readme = (plugin.parent / "README.md").read_text()
    assert readme.startswith(f"# {plugin.parent.name}\n")
    assert manifest.params is not None
    for param in manifest.params:
        (row,) = [line for line in readme.splitlines() if line.startswith(f"| `{param.name}` |")]
        if param.required:
            assert "required" in row
        elif param.default not in (None, ""):
            assert str(param.default).lower() in row.split("|")[2].lower()
    assert "**Use it**" in readme
    assert "**Do not use it**" in readme
