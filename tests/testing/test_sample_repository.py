"""The sample fails as shipped and passes once its three bugs are repaired."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from openhands_strategies.testing import copy_sample, run_sample_tests

REPAIRS = {
    "inventory": ("quantity >= self.free", "quantity > self.free"),
    "delivery": ("day.weekday() != _SATURDAY", "day.weekday() < _SATURDAY"),
    "pricing": ("return round(exact)", "return (exact + Fraction(1, 2)) // 1"),
}


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return copy_sample(tmp_path / "new" / "shop")


def repair(sample: Path, module: str) -> None:
    file = sample / "shop" / f"{module}.py"
    old, new = REPAIRS[module]
    source = file.read_text("utf-8")
    assert source.count(old) == 1
    file.write_text(source.replace(old, new), "utf-8")


def failing_modules(output: str) -> set[str]:
    return set(re.findall(r"^(?:FAIL|ERROR): \w+ \((?:tests\.)?test_(\w+)\.", output, re.MULTILINE))


def test_three_modules_fail_as_shipped(sample: Path) -> None:
    run = run_sample_tests(sample)
    assert not run
    assert failing_modules(run.output) == set(REPAIRS)


@pytest.mark.parametrize("module", sorted(REPAIRS))
def test_each_bug_is_one_modules_own(sample: Path, module: str) -> None:
    repair(sample, module)
    run = run_sample_tests(sample)
    assert not run
    assert failing_modules(run.output) == set(REPAIRS) - {module}


def test_passes_after_the_repairs(sample: Path) -> None:
    for module in REPAIRS:
        repair(sample, module)
    run = run_sample_tests(sample, sys.executable)
    assert run.passed
    assert "OK" in run.output


def test_modules_can_be_tested_one_by_one(sample: Path) -> None:
    def passes(module: str) -> bool:
        command = [sys.executable, "-m", "unittest", f"tests.test_{module}"]
        done = subprocess.run(command, cwd=sample, capture_output=True, check=False)
        return done.returncode == 0

    assert passes("catalogue")
    assert not passes("inventory")
    repair(sample, "inventory")
    assert passes("inventory")


def test_copy_has_everything_and_nothing_else(sample: Path) -> None:
    names = {str(path.relative_to(sample)) for path in sample.rglob("*") if path.is_file()}
    modules = ("pricing", "inventory", "delivery", "catalogue")
    assert names == {
        "README.md",
        "shop/__init__.py",
        "tests/__init__.py",
        *(f"shop/{module}.py" for module in modules),
        *(f"tests/test_{module}.py" for module in modules),
    }


def test_copy_into_an_empty_directory(tmp_path: Path) -> None:
    assert copy_sample(tmp_path) == tmp_path.resolve()
    assert (tmp_path / "shop" / "pricing.py").is_file()


def test_copy_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty"):
        copy_sample(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
