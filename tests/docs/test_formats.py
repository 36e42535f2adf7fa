"""What pages show of files and documents is what our own readers take and our writers write."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import fields
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import yaml

from blocks import Block, blocks
from openhands_strategies.errors import StrategyError
from openhands_strategies.params import StrategyParam, validate
from openhands_strategies.project import index_file, lock_file, trust_file
from openhands_strategies.project.changes import KINDS
from openhands_strategies.project.home import Home
from openhands_strategies.project.index_file import parse_index
from openhands_strategies.project.lock_file import format_lock, parse_lock
from openhands_strategies.project.project_file import parse_project
from openhands_strategies.project.trust_file import format_trust, read_trust
from openhands_strategies.registry import hookspecs
from openhands_strategies.runtime.run_file import RunFile
from openhands_strategies.sources.offers import GROUP
from openhands_strategies.sources.reference import parse_reference
from reader import check_form
from test_pages import DOCS, PAGES, text_of
from test_reference import documented_codes, section

CORE = DOCS.parent / "core" / "openhands_strategies"
FILES = text_of("reference/files.md")


def strategies_toml(text: str) -> None:
    entries = parse_project(text, Path("strategies.toml")).entries
    assert entries
    for entry in entries.values():
        parse_reference(entry.source, typed=False)


def strategies_lock(text: str) -> None:
    locked = parse_lock(text, Path("strategies.lock"))
    assert format_lock(locked.values()) == text


def registry_toml(text: str) -> None:
    assert parse_index(text.encode(), Path("registry.toml"))


def trust_toml(text: str) -> None:
    home = Home(Path.cwd())
    home.trust_file.write_text(text)
    trusted = read_trust(home)
    assert trusted.trees
    assert trusted.paths
    assert format_trust(trusted) == text


def entry_point(group: str) -> Callable[[str], None]:
    def read(text: str) -> None:
        ((shown, points),) = tomllib.loads(text)["project"]["entry-points"].items()
        assert shown == group
        for name, value in points.items():
            assert EntryPoint(name, value, group).module

    return read


def an_error(text: str) -> None:
    shown = json.loads(text)["error"]
    assert set(shown) == set(StrategyError("a", "b", "c").to_json())
    assert shown["code"] in documented_codes()


def a_problem(text: str) -> None:
    problems = pytest.importorskip("openhands_strategies.server.problems")
    declared = [
        StrategyParam(name="sidekicks", type="integer", minimum=1, maximum=16, description="d")
    ]
    with pytest.raises(StrategyError) as caught:
        validate(declared, {"sidekicks": 99}, owner="fusion")
    shown, sent = json.loads(text), json.loads(problems.problem(caught.value).body)
    # Python 3.12 and 3.13 call 422 differently.
    assert shown.pop("title") in ("Unprocessable Content", "Unprocessable Entity")
    assert sent.pop("title") in ("Unprocessable Content", "Unprocessable Entity")
    assert shown == sent


def workflow_steps(text: str) -> None:
    shown = yaml.safe_load(text)
    steps = shown["steps"] if isinstance(shown, dict) else shown
    assert all({"run", "uses"} & set(step) for step in steps)
    for step in steps:
        if step.get("run", "").startswith("ohs "):
            check_form(step["run"])


READERS: dict[tuple[str, str], Callable[[str], None]] = {
    ("check.md", "For machines"): workflow_steps,
    ("publishing.md", "Add it to the index"): registry_toml,
    ("reference/cli.md", "JSON"): an_error,
    ("reference/files.md", "A strategy's own files"): entry_point(GROUP),
    ("reference/files.md", "registry.toml"): registry_toml,
    ("reference/files.md", "strategies.lock"): strategies_lock,
    ("reference/files.md", "strategies.toml"): strategies_toml,
    ("reference/files.md", "trust.toml"): trust_toml,
    ("reference/hooks.md", "Hooks of the command"): entry_point(hookspecs.GROUP),
    ("reference/rest.md", "The REST API"): a_problem,
    ("tutorial.md", "Publish it"): registry_toml,
    ("writing.md", "As a package"): entry_point(GROUP),
}


def heading(page: str, block: Block) -> str:
    """The heading above a block."""
    above = text_of(page).splitlines()[: block.line - 1]
    return next(line.lstrip("# ") for line in reversed(above) if re.match("#+ ", line))


SHOWN = [
    (page, heading(page, block), block)
    for page in PAGES
    for block in blocks(text_of(page))
    if block.language in ("json", "toml", "yaml")
]


@pytest.mark.parametrize(
    ("page", "title", "block"), [pytest.param(*one, id=f"{one[0]}:{one[2].line}") for one in SHOWN]
)
def test_our_reader_takes_what_is_shown(
    page: str, title: str, block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (page, title) in READERS, f"which file is this? {block.text}"
    READERS[page, title](block.text)


def test_every_reader_has_something_to_read() -> None:
    assert {(page, title) for page, title, _ in SHOWN} == set(READERS)


def test_a_reader_refuses_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for page, title, block in SHOWN:
        if block.language == "toml":
            for old, new in ((" = ", " = wrong "), ("[", "[[[")):
                with pytest.raises((StrategyError, ValueError)):
                    READERS[page, title](block.text.replace(old, new, 1))
    with pytest.raises(StrategyError, match="unknown key"):
        registry_toml('version = 1\n[strategies.a]\nsource = "./a"\nlicence = "MIT"\n')


def keys(title: str, head: str = "key") -> list[str]:
    """Names in the first column of a table below a heading."""
    table = re.search(
        rf"^\| {re.escape(head)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", section(FILES, title), re.MULTILINE
    )
    assert table, f"{title} has no table of {head}"
    rows = table[1].splitlines()
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


@pytest.mark.parametrize(
    ("title", "head", "expected"),
    [
        ("strategies.lock", "key", {*lock_file._GIT, *lock_file._INSTALLED}),
        ("registry.toml", "key", set(index_file._KEYS)),
        ("run.json", "key", {one.name for one in fields(RunFile)}),
        ("trust.toml", "key of `[[path]]`", {"path", "use", "date"}),
        ("trust.toml", "key of `[[tree]]`", {*trust_file._TEXTS, *KINDS}),
    ],
)
def test_the_keys_are_those_that_are_read(title: str, head: str, expected: set[str]) -> None:
    found = keys(title, head)
    assert set(found) == expected
    assert len(found) == len(expected)


def test_publishing_has_the_keys_of_an_index() -> None:
    rows = re.findall(r"^\| (`.*?) \|", text_of("publishing.md"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == set(index_file._KEYS)


def in_home() -> set[str]:
    """What the code names below `OHS_HOME`, by its first part."""
    found = set()
    for path in CORE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            ast.unparse(node.target): node.value.value
            for node in tree.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant)
        }
        own = path == CORE / "project" / "home.py"
        for node in ast.walk(tree):
            if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
                continue
            left = ast.unparse(node.left)
            if re.search(r"(?<![a-z])home(\(\))?\.path$", left) or (own and left == "self.path"):
                right = node.right
                if isinstance(right, ast.Constant):
                    found.add(str(right.value))
                elif ast.unparse(right) in constants:
                    found.add(str(constants[ast.unparse(right)]))
    return found


def test_everything_in_the_home_is_documented() -> None:
    told = re.findall(r"`OHS_HOME/([^/`]+)", FILES)
    shown = {name.rstrip("/") for name in [*told, *keys("Others in OHS_HOME", "file")]}
    assert {"runs", "store", "check", "trust.toml", "server.key"} <= in_home()
    assert shown == in_home()
