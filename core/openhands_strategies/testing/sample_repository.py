"""The demo's sample repository: copying it, running its tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

_TEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class TestRun:
    """The outcome of a test run; true if all tests passed."""

    __test__ = False  # not a test class, whatever a collector makes of the name

    passed: bool
    output: str

    def __bool__(self) -> bool:
        return self.passed


def copy_sample(target: Path) -> Path:
    """Copy the sample repository, its three bugs included, into `target`.

    Returns the absolute path of `target`, which becomes the repository's root. It is
    made if need be; FileExistsError if there is already something in it.
    """
    target = target.resolve()
    if target.is_dir() and any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty")
    with as_file(files("openhands_strategies.testing") / "sample") as source:
        # copy2 keeps the old modification times, so that an edit, however soon it
        # comes, makes a file newer than any byte code compiled from the copy.
        shutil.copytree(
            source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    return target


def run_sample_tests(path: Path, python: str | None = None) -> TestRun:
    """Run the tests of a copy in a process of their own.

    `python` is the interpreter; by default the one that runs this.

    Raises OSError if the Python cannot be started and subprocess.TimeoutExpired after
    60 seconds.
    """
    done = subprocess.run(
        [python or sys.executable, "-B", "-m", "unittest", "discover", "-s", "tests"],
        cwd=path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TEST_SECONDS,
        check=False,
    )
    return TestRun(done.returncode == 0, done.stdout)
