"""The table of what works on which SDK: its tests exist, and the page is what they gave."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def recorder() -> ModuleType:
    path = ROOT / "docs" / "pictures" / "record_sdk_matrix.py"
    spec = importlib.util.spec_from_file_location("record_sdk_matrix", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_test_of_it_is_there(recorder: ModuleType) -> None:
    for tests in recorder.FEATURES.values():
        assert tests
        for one in tests:
            file, name = one.split("::")
            assert f"\ndef {name}(" in (ROOT / "tests" / file).read_text(), one


def test_the_page_has_a_row_for_each_and_a_column_for_each_sdk(recorder: ModuleType) -> None:
    table = recorder.PAGE.read_text().split(recorder.BEGIN)[1].split(recorder.END)[0]
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.split("\n") if line
    ]
    assert [row[0] for row in rows] == list(recorder.FEATURES)
    assert all(cell in {"yes", "**no**", "-"} for row in rows for cell in row[1:])
    floor = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["floor"]
    (oldest,) = (one.partition("==")[2] for one in floor if one.startswith("openhands-sdk=="))
    middle = re.findall(r"^MIDDLE := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    locked = [one["version"] for one in packages if one["name"] == "openhands-sdk"]
    (newest,) = set(locked) - {oldest}
    assert head[1:] == [f"SDK {one}" for one in (oldest, *middle, newest)]
