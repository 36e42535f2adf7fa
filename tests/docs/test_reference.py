"""What others rely on is documented: names, hooks, options and error codes."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cli_page
import python_pages
from raised_codes import raised_codes

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
MODULES = {
    "protocol.md": ("openhands_strategies", "openhands_strategies.strategy"),
    "compose.md": ("openhands_strategies.compose",),
    "testing.md": ("openhands_strategies.testing", "openhands_strategies.pytest_plugin"),
}


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """What stands below a heading, up to the next of the same depth."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {title}"
    return found[1]


def documented_codes() -> list[str]:
    return re.findall(r"^\| `([a-z0-9_]+)` \|", page("error-codes.md"), re.MULTILINE)


def test_every_error_code_is_explained_and_none_is_left_over() -> None:
    found = raised_codes()
    assert not found.unread, "a code is named in a way that docs/_generate/raised_codes.py misses"
    known = documented_codes()
    missing = {code: places for code, places in found.places.items() if code not in known}
    assert not missing, "docs/reference/error-codes.md lacks these"
    assert set(known) == set(found.places), "docs/reference/error-codes.md has these too many"
    assert len(known) == len(set(known)), "a code stands there twice"


def test_every_error_code_says_what_it_means_and_what_to_do() -> None:
    rows = re.findall(r"^\| `[a-z0-9_]+` \|(.*)\|(.*)\|$", page("error-codes.md"), re.MULTILINE)
    assert len(rows) == len(documented_codes())
    for meaning, remedy in rows:
        assert re.fullmatch(r" .{8,}\. ", meaning), meaning
        assert re.fullmatch(r" .{4,}\. ", remedy), remedy


SAMPLE = """
from openhands_strategies.errors import ResolveError, StrategyError
from package.records import Finding

TABLE = (("first_of_table", 1), ("second_of_table", 2))


class Special(ResolveError):
    def __init__(self, text):
        super().__init__("in_a_class", text)


def plain():
    raise StrategyError("plain_code", "x")


def passed_on(code, text):
    return StrategyError(code, text)


def caller():
    yield passed_on("through_a_function", "x")
    yield Finding("a_finding", "x", "y")


def _kind(kind):
    return StrategyError(f"{kind}_clash", "x")


def clashes():
    yield _kind("skill")


def looked_up(number):
    for code, one in TABLE:
        if one == number:
            return StrategyError(code, "x")


def by_keyword(*, code="by_default"):
    raise StrategyError(code, "x")


def unknown(error):
    raise StrategyError(str(error), "x")
"""


def test_codes_are_found_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "errors.py").write_text("class ResolveError(StrategyError): ...\n")
    (tmp_path / "sample.py").write_text(SAMPLE)
    (tmp_path / "other.py").write_text('by_keyword(code="from_another_file")\n')
    found = raised_codes(tmp_path)
    assert set(found.places) == {
        "a_finding",
        "by_default",
        "first_of_table",
        "from_another_file",
        "in_a_class",
        "plain_code",
        "second_of_table",
        "skill_clash",
        "through_a_function",
    }
    assert len(found.unread) == 1


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_documented(name: str) -> None:
    text = page(name)
    for one, _ in python_pages.names(MODULES[name]):
        below = section(text, one)
        assert re.sub(r"```.*?```", "", below, flags=re.DOTALL).strip(), f"{one} has no words"


def test_every_hook_is_documented() -> None:
    module = importlib.import_module("openhands_strategies.registry.hookspecs")
    hooks = [*python_pages.hooks(module)]
    assert {"adjust_blueprint", "list_strategies", "resolve_reference"} <= {one for one, _ in hooks}
    for name, function in hooks:
        below = section(page("hooks.md"), name)
        for argument in function.__annotations__.keys() - {"return"}:
            assert f"| `{argument}` |" in below, f"{name} does not explain {argument}"


def test_every_option_of_every_command_is_documented() -> None:
    text = page("cli.md")
    commands = dict(cli_page.commands())
    assert {"ohs run", "ohs index add", "ohs store gc"} <= set(commands)
    for path, command in commands.items():
        below = section(text, path)
        assert command.help, f"{path} has no help"
        for option in cli_page.options(command):
            assert option.help, f"{path} {option.opts[0]} has no help"
            for one in (*option.opts, *option.secondary_opts):
                assert f"`{one}`" in below, f"{path} {one}"


@pytest.mark.slow_start
def test_the_generated_parts_are_current() -> None:
    if importlib.util.find_spec("openhands.agent_server") is None:
        pytest.skip("REST is described by the extra server")
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "_generate", "--check"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, f"run make docs-reference\n{done.stdout}{done.stderr}"
