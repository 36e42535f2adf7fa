"""Locating strategies in real wheels and editable installs, and surviving broken ones."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from importlib_metadata import distributions

from openhands_strategies.errors import StrategyError
from openhands_strategies.sources.distribution import (
    BrokenOffer,
    distribution_files,
    installed,
)
from openhands_strategies.sources.source import DistributionSource, Located
from openhands_strategies.sources.tree import hash_tree, tree_files

BOMB = "raise RuntimeError('a listing must not import this')\n"


@dataclass(frozen=True)
class Layout:
    """A project: its files, its setuptools tables, and what is to be found of it."""

    name: str
    entry: str
    tables: str
    files: tuple[str, ...]
    tree: str  # the project's directory that is the tree
    module: str
    strict: bool = False

    @property
    def project(self) -> str:
        return f"openhands-strategy-{self.name}"


LAYOUTS = [
    # As the first-party plugins: one directory is plugin and package at once.
    Layout(
        "plugin",
        "openhands_strategy_plugin.strategy:Main",
        """
        packages = ["openhands_strategy_plugin"]
        package-dir = {openhands_strategy_plugin = "."}
        package-data = {openhands_strategy_plugin = ["skills/**", "hooks/*", ".mcp.json"]}
        """,
        ("__init__.py", "strategy.py", "skills/plan/SKILL.md", "hooks/hooks.json", ".mcp.json"),
        ".",
        "strategy.py",
    ),
    Layout(
        "src",
        "openhands_strategy_src:Main",
        """package-dir = {"" = "src"}""",
        ("src/openhands_strategy_src/__init__.py", "src/openhands_strategy_src/roles.py"),
        "src/openhands_strategy_src",
        "__init__.py",
    ),
    Layout(
        "flat",
        "openhands_strategy_flat.inner.waterfall:Main",
        """packages = ["openhands_strategy_flat", "openhands_strategy_flat.inner"]""",
        (
            "openhands_strategy_flat/__init__.py",
            "openhands_strategy_flat/inner/__init__.py",
            "openhands_strategy_flat/inner/waterfall.py",
        ),
        "openhands_strategy_flat/inner",
        "waterfall.py",
    ),
    Layout(
        "strict",
        "openhands_strategy_strict.strategy:Main",
        """packages = ["openhands_strategy_strict"]""",
        ("openhands_strategy_strict/__init__.py", "openhands_strategy_strict/strategy.py"),
        "openhands_strategy_strict",
        "strategy.py",
        strict=True,
    ),
    # Two distributions that share the namespace directory `acme`.
    Layout(
        "space-a",
        "acme.debate:Main",
        """packages = ["acme"]""",
        ("acme/debate.py", "acme/debate_roles.py"),
        "acme",
        "debate.py",
    ),
    Layout(
        "space-b",
        "acme.deeper.review:Main",
        """packages = ["acme.deeper"]
        package-dir = {"acme.deeper" = "deeper"}""",
        ("deeper/review.py",),
        "deeper",
        "review.py",
    ),
    Layout(
        "single",
        "single_strategy:Main",
        """py-modules = ["single_strategy"]""",
        ("single_strategy.py",),
        ".",
        "single_strategy.py",
    ),
]


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("projects"))


def written(base: Path) -> Path:
    for layout in LAYOUTS:
        root = base / layout.name
        for name in layout.files:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(BOMB if name.endswith(".py") else "{}\n")
        (root / "pyproject.toml").write_text(
            textwrap.dedent(f"""
            [build-system]
            requires = ["setuptools"]
            build-backend = "setuptools.build_meta"
            [project]
            name = "{layout.project}"
            version = "0.3.1"
            [project.entry-points."openhands.strategies"]
            {layout.name} = "{layout.entry}"
            [tool.setuptools]
            """)
            + textwrap.dedent(layout.tables)
        )
    return base


def uv() -> list[str]:
    """The installer that set up this environment."""
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    found = os.environ.get("UV") or shutil.which("uv")
    assert found, "these tests need uv"
    return [found]


def install(projects: Path, site: Path, *, editable: bool) -> Path:
    """Install all layouts into `site` with the real installer and build backend."""
    for strict in (False, True):
        chosen = [layout for layout in LAYOUTS if layout.strict is strict]
        command = [*uv(), "pip", "install", "--quiet", "--offline"]
        command += ["--no-deps", "--no-build-isolation", "--python", sys.executable]
        command += ["--target", str(site), "--cache-dir", str(site.parent / f"cache-{strict}")]
        if strict and editable:
            command += ["--config-setting", "editable_mode=strict"]
        for layout in chosen:
            command += [*(["--editable"] if editable else []), str(projects / layout.name)]
        subprocess.run(command, check=True)
    return site


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # From projects of their own: building a wheel leaves a build directory behind.
    base = tmp_path_factory.mktemp("wheels")
    return install(written(base / "projects"), base / "site", editable=False)


@pytest.fixture(scope="session")
def editables(projects: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(projects, tmp_path_factory.mktemp("editables") / "site", editable=True)


def good(*path: Path) -> dict[str, Located]:
    found, broken = installed(path=[str(place) for place in path])
    assert broken == []
    assert len({located.name for located in found}) == len(found)
    return {located.name or "": located for located in found}


def add(
    site: Path,
    name: str,
    entry: str | bytes,
    *,
    group: str = "openhands.strategies",
    metadata: str | bytes | None = None,
    record: str | bytes | None = None,
    version: str = "1.0",
) -> Path:
    """Write an installed distribution by hand, to break it where a test wants it."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    contents: dict[str, str | bytes | None] = {
        "entry_points.txt": f"# a comment\n[other]\na = b\n[{group}]\n".encode()
        + (entry if isinstance(entry, bytes) else entry.encode()),
        "METADATA": metadata
        if metadata is not None
        else f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: a text\n",
        "RECORD": record,
    }
    for file, content in contents.items():
        if content is not None:
            data = content if isinstance(content, bytes) else content.encode()
            (info / file).write_bytes(data)
    return info


def module(site: Path, name: str) -> str:
    """Write a module and return the RECORD line of it."""
    (site / name).parent.mkdir(parents=True, exist_ok=True)
    (site / name).write_text(BOMB)
    return f"{name},,\n"


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_wheels_are_located_by_record(wheels: Path, layout: Layout) -> None:
    located = good(wheels)[layout.name]
    package = layout.entry.partition(":")[0].split(".")
    if layout.module != "__init__.py":
        package = package[:-1]
    assert located.root == wheels.joinpath(*package)
    check(located, layout)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_editable_installs_are_located_in_their_project(
    editables: Path, projects: Path, layout: Layout
) -> None:
    located = good(editables)[layout.name]
    assert located.root == projects / layout.name / layout.tree
    check(located, layout)


def check(located: Located, layout: Layout) -> None:
    assert located.file.read_text() == BOMB
    assert located.module == layout.module
    assert located.attribute == "Main"
    assert located.import_name == layout.entry.partition(":")[0]
    assert located.reference == located.name == layout.name
    assert located.source.to_json() == {
        "type": "distribution",
        "name": layout.project,
        "version": "0.3.1",
        "entry_point": layout.entry,
    }
    assert located.only == (("single_strategy.py",) if layout.name == "single" else None)


def test_skills_and_hooks_belong_to_the_tree_in_both(wheels: Path, editables: Path) -> None:
    files = {"__init__.py", "strategy.py", "skills/plan/SKILL.md", "hooks/hooks.json", ".mcp.json"}
    wheel = distribution_files(good(wheels)["plugin"])
    assert {file.path for file in wheel} == files
    editable = distribution_files(good(editables)["plugin"])
    assert {file.path for file in editable} == files | {"pyproject.toml"}
    assert hash_tree(good(wheels)["plugin"].root, wheel).startswith("sha256:")


def test_a_tree_holds_no_other_distributions_files(wheels: Path) -> None:
    found = good(wheels)
    names = {
        name: [file.path for file in distribution_files(found[name])]
        for name in ("space-a", "space-b", "single")
    }
    assert names == {
        "space-a": ["debate.py", "debate_roles.py"],
        "space-b": ["review.py"],
        "single": ["single_strategy.py"],
    }


def test_compiled_files_are_not_part_of_the_tree(wheels: Path) -> None:
    located = good(wheels)["plugin"]
    assert isinstance(located.source, DistributionSource)
    before = distribution_files(located)
    cache = located.root / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "strategy.cpython-312.pyc").write_bytes(b"x")
    assert distribution_files(located) == before


def test_a_real_environment_finds_what_import_finds(projects: Path, tmp_path: Path) -> None:
    """The module that Python would import is the file that was located."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    (site,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    install(projects, site, editable=True)
    found = good(site)
    names = [located.import_name for located in found.values()]
    script = (
        "import importlib.util, json, sys\n"
        "print(json.dumps({n: importlib.util.find_spec(n).origin for n in sys.argv[1:]}))"
    )
    # A dotted name's parents are imported by find_spec: give them bodies that allow it.
    for file in projects.rglob("__init__.py"):
        file.write_text("")
    try:
        ran = subprocess.run(
            [python, "-c", script, *[name for name in names if name]],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        for file in projects.rglob("__init__.py"):
            file.write_text(BOMB)
    origins = {name: Path(origin).resolve() for name, origin in json.loads(ran.stdout).items()}
    assert origins == {located.import_name: located.file for located in found.values()}


def test_duplicate_path_entries_give_one(wheels: Path) -> None:
    link = wheels.parent / "again"
    if not link.is_symlink():
        link.symlink_to("site")
    assert good(wheels) == good(wheels, wheels, link)


def test_the_first_on_the_path_hides_later_ones(tmp_path: Path) -> None:
    for place, version in (("one", "1.0"), ("two", "2.0")):
        line = module(tmp_path / place, "a_strategy.py")
        add(tmp_path / place, "A.b_c", "abc = a_strategy:S", record=line, version=version)
    other = add(tmp_path / "three", "a-b-c", "abc = nothing:S", version="0.1")
    located = good(tmp_path / "two", tmp_path / "one", tmp_path / "three")["abc"]
    assert isinstance(located.source, DistributionSource)
    assert located.source.version == "2.0"
    # One that offers no strategy hides the later one all the same, as in an import.
    (other / "entry_points.txt").unlink()
    assert good(tmp_path / "three", tmp_path / "one") == {}


def test_two_distributions_with_one_name_are_both_returned(tmp_path: Path) -> None:
    add(tmp_path, "one", "debate = one:S", record=module(tmp_path, "one.py"))
    add(tmp_path, "two", "debate = two:S", record=module(tmp_path, "two.py"))
    found, broken = installed(path=[str(tmp_path)])
    assert broken == []
    assert [(located.name, str(located.source)) for located in found] == [
        ("debate", "one 1.0"),
        ("debate", "two 1.0"),
    ]


def test_without_record_the_files_beside_the_metadata_count(tmp_path: Path) -> None:
    module(tmp_path, "pack/strategy.py")
    add(tmp_path, "system-package", "s = pack.strategy:S")
    assert good(tmp_path)["s"].file == tmp_path / "pack" / "strategy.py"


BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "no-metadata": ("distribution_metadata", {"metadata": ""}),
    "no-version": ("distribution_metadata", {"metadata": "Name: no-version\n"}),
    "no-attribute": ("entry_point_invalid", {"entry": "x = good_one"}),
    "bad-value": ("entry_point_invalid", {"entry": "x = good one:S"}),
    "dotted-attribute": ("entry_point_invalid", {"entry": "x = good_one:S.T"}),
    "keyword": ("entry_point_invalid", {"entry": "x = good_one.class:S"}),
    "way-out": ("entry_point_invalid", {"entry": "x = ..good_one:S"}),
    "bad-name": ("entry_point_invalid", {"entry": "Bad Name = good_one:S"}),
    "no-module": ("entry_point_module", {"entry": "x = absent:S"}),
    "recorded-only": ("entry_point_module", {"entry": "x = gone:S", "record": "gone.py,,\n"}),
    "binary-record": ("distribution_broken", {"entry": "x = good_one:S", "record": b"\xff\xfe"}),
    "long-record": ("distribution_broken", {"entry": "x = good_one:S", "record": "x" * 200_000}),
    "binary-metadata": ("distribution_broken", {"metadata": b"Name: \xff\n"}),
    "no-equals": ("entry_point_invalid", {"entry": "words"}),
    "binary-entries": ("distribution_broken", {"entry": b"x = y:z \xff"}),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_distribution_costs_one_warning(tmp_path: Path, name: str) -> None:
    code, parts = BROKEN[name]
    record = module(tmp_path, "good_one.py")
    add(tmp_path, "good", "good = good_one:S", record=record)
    arguments: dict[str, Any] = {"entry": "x = good_one:S", "record": record}
    add(tmp_path, name, **arguments | parts)
    check_broken(tmp_path, code, name)


def check_broken(site: Path, code: str, name: str) -> None:
    found, broken = installed(path=[str(site)])
    assert [located.name for located in found] == ["good"]
    (error,) = broken
    assert isinstance(error, BrokenOffer)
    assert error.code == code
    assert name in error.message or name.replace("-", "_") in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("direct_url.json", b"{"),
        ("direct_url.json", b'{"url": "https://h/x", "dir_info": {"editable": true}}'),
        ("../__editable___x_finder.py", b"MAPPING = {\n"),
        ("../__editable___x_finder.py", b"MAPPING = __import__('os').environ\n"),
        ("../__editable___x_finder.py", b"MAPPING = [1]\n"),
        ("../x.pth", b"\xff\n"),
    ],
)
def test_a_broken_editable_install_costs_one_warning(
    tmp_path: Path, file: str, content: bytes
) -> None:
    add(tmp_path, "good", "good = good_one:S", record=module(tmp_path, "good_one.py"))
    record = "__editable___x_finder.py,,\nx.pth,,\n" if ".." in file else "x,,\n"
    info = add(tmp_path, "ed", "x = ed_strategy:S", record=record)
    for name in ("__editable___x_finder.py", "x.pth"):
        (tmp_path / name).write_text("")
    (info / file).write_bytes(content)
    check_broken(tmp_path, "distribution_broken", "ed")


def test_a_pth_line_that_would_be_run_is_not(tmp_path: Path) -> None:
    project = tmp_path / "project"
    module(project, "later.py")
    marker = tmp_path / "ran"
    (tmp_path / "x.pth").write_text(f"# text\nimport os; open({str(marker)!r}, 'w')\n\n{project}\n")
    add(tmp_path, "pth", "later = later:S", record="x.pth,,\n")
    assert good(tmp_path)["later"].file == project / "later.py"
    assert not marker.exists()


def test_other_groups_and_other_breakage_are_not_ours(tmp_path: Path) -> None:
    add(tmp_path, "good", "good = good_one:S", record=module(tmp_path, "good_one.py"))
    add(tmp_path, "console", "x = y:z", group="console_scripts", metadata="")
    (tmp_path / "empty-1.0.dist-info").mkdir()
    (tmp_path / "file-1.0.dist-info").write_text("")
    assert list(good(tmp_path)) == ["good"]


def test_the_installed_first_look_needs_no_metadata() -> None:
    """`_normalized_name` is importlib_metadata's own short cut; without it we are slow."""
    assert all(getattr(one, "_normalized_name", None) for one in distributions())


def test_nothing_is_imported(wheels: Path, editables: Path) -> None:
    names = {located.import_name for located in [*good(wheels).values(), *good(editables).values()]}
    assert names.isdisjoint(sys.modules)


def test_a_thousand_strategies(tmp_path: Path) -> None:
    for number in range(1000):
        line = module(tmp_path, f"pack{number}/strategy.py")
        add(tmp_path, f"strategy-{number}", f"s{number} = pack{number}.strategy:S", record=line)
    started = time.perf_counter()
    found, broken = installed(path=[str(tmp_path)])
    seconds = time.perf_counter() - started
    assert (len(found), broken) == (1000, [])
    print(f"{seconds:.3f} s")
    # Far above what is measured (0.2 s), far below what parsing or importing would cost.
    assert seconds < 3


def test_a_warning_is_a_strategy_error_with_the_offers_name(tmp_path: Path) -> None:
    add(tmp_path, "lost", "lost-one = absent:S", record="")
    _, (error,) = installed(path=[str(tmp_path)])
    assert isinstance(error, StrategyError)
    assert isinstance(error, BrokenOffer)
    assert error.name == "lost-one"
    assert error.message == (
        "distribution lost: strategy 'lost-one' names the module absent, "
        "of which no Python file was found"
    )
    assert os.linesep not in error.message


def test_a_tree_that_lost_a_recorded_file(tmp_path: Path) -> None:
    record = module(tmp_path, "pack/strategy.py") + "pack/docs.md,,\n../../bin/x,,\n"
    add(tmp_path, "stripped", "s = pack.strategy:S", record=record)
    located = good(tmp_path)["s"]
    assert distribution_files(located) == tree_files(tmp_path / "pack")
