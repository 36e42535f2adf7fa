"""Requirements: where they stand, and which are missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest import missing_requirements, read_manifest
from openhands_strategies.manifest.dependencies import script_requirements

type Write = Callable[[dict[str, str | bytes]], Path]

ONE = "class One:\n    name = 'one'\n    def build(self, context): ...\n"
SCRIPT = '# /// script\n# dependencies = [\n#   "httpx>=0.27",\n# ]\n# ///\n'


def test_requirements_of_project_and_script_are_one_list(write: Write) -> None:
    project = '[project]\nname = "one"\ndependencies = ["attrs", "httpx>=0.27"]\n'
    root = write({"strategy.py": SCRIPT + ONE, "pyproject.toml": project})

    manifest = read_manifest(root, "strategy.py")

    assert manifest.requirements == ("attrs", "httpx>=0.27")
    assert manifest.capabilities.dependencies == manifest.requirements


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", ()),
        (SCRIPT, ("httpx>=0.27",)),
        (SCRIPT.replace("\n", "\r\n"), ("httpx>=0.27",)),
        ("# /// script\n# dependencies = ['a']\n#\n# ///\nx = 1\n", ("a",)),
        ("# /// script\n# requires-python = '>=3.12'\n# ///\n", ()),
        ("# /// script\n# dependencies = ['a']\nx = 1\n# ///\n", ()),
        ("# /// tool\n# dependencies = ['a']\n# ///\n", ()),
        ('# /// script\n# x = """\n# ///\n# """\n# dependencies = ["a"]\n# ///\n', ("a",)),
    ],
)
def test_inline_script_metadata(source: str, expected: tuple[str, ...]) -> None:
    assert script_requirements(source, "one.py") == expected


@pytest.mark.parametrize(
    "source",
    [
        SCRIPT + "\n" + SCRIPT,
        "# /// script\n# dependencies = [\n# ///\n",
        "# /// script\n# dependencies = 'a'\n# ///\n",
        "# /// script\n# dependencies = [1]\n# ///\n",
    ],
)
def test_broken_script_metadata_is_an_error(source: str) -> None:
    with pytest.raises(LoadError) as caught:
        script_requirements(source, "one.py")

    assert caught.value.code == "script_metadata_invalid"
    assert "one.py" in caught.value.message


@pytest.mark.parametrize(
    "content",
    ["project = 1\n", "[project]\ndependencies = 'a'\n", "[project]\ndependencies = [['a']]\n"],
)
def test_a_broken_project_file_is_an_error(write: Write, content: str) -> None:
    with pytest.raises(LoadError) as caught:
        read_manifest(write({"strategy.py": ONE, "pyproject.toml": content}), "strategy.py")

    assert caught.value.code == "pyproject_invalid"


def test_dependencies_that_the_build_computes_are_a_finding(write: Write) -> None:
    project = '[project]\nname = "one"\ndynamic = ["version", "dependencies"]\n'
    manifest = read_manifest(write({"strategy.py": ONE, "pyproject.toml": project}), "strategy.py")

    assert [finding.code for finding in manifest.findings] == ["dependencies_computed"]


@pytest.mark.parametrize(
    ("requirement", "missing"),
    [
        ("thing", False),
        ("thing>=1,<3", False),
        ("Thing[extra]>=2", False),
        ("thing>=3", True),
        ("thing @ https://example.org/thing.whl", False),
        ("other @ https://example.org/other.whl", True),
        ("other", True),
        ("other; python_version < '3'", False),
        ("other; extra == 'x'", False),
        ("other; python_version >= '3'", True),
        ("pre>=1", True),
        ("pre>=1.0b1", False),
        ("odd", False),
        ("odd>1", True),
        ("openhands-strategies", False),
        ("openhands_strategies>=99", False),
    ],
)
def test_which_requirements_are_missing(requirement: str, missing: bool) -> None:
    versions = {"thing": "2.0", "Thing": "2.0", "pre": "1.0b2", "odd": "not a version"}

    assert missing_requirements([requirement], versions.get) == [requirement] * missing


def test_this_environment_is_looked_into_by_default() -> None:
    asked = ["pytest", "pytest>=9999", "no-such-distribution-at-all"]

    assert missing_requirements(asked) == asked[1:]


@pytest.mark.parametrize("text", ["", "a b c", ">=1", "a>=", "-r file", "a; nonsense == 1"])
def test_what_is_no_requirement_is_an_error(text: str) -> None:
    with pytest.raises(LoadError) as caught:
        missing_requirements([text])

    assert caught.value.code == "requirement_invalid"
