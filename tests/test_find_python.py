"""The script that finds a Python for the Makefile."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / ".ci" / "find-python"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


class Machine:
    """A PATH and a HOME with nothing but what a test puts there."""

    def __init__(self, root: Path) -> None:
        self.bin = root / "bin"
        self.home = root / "home"
        self.bin.mkdir()
        self.home.mkdir()
        for tool in ("sh", "sed", "tr"):
            found = shutil.which(tool)
            assert found is not None
            (self.bin / tool).symlink_to(found)

    def put(self, path: Path, script: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def working(self, path: Path) -> Path:
        """A command that passes the probe and says where it stands."""
        return self.put(path, 'echo "$0"')

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPT), *arguments],
            env={"PATH": str(self.bin), "HOME": str(self.home), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_real_python_is_found_and_named(machine: Machine) -> None:
    machine.put(machine.bin / f"python{VERSION}", f'exec "{sys.executable}" "$@"')
    assert machine.run().stdout.strip() == sys.executable


@pytest.mark.parametrize("too_old", [False, True])
def test_none_is_one_line_that_says_how_to_get_one(machine: Machine, too_old: bool) -> None:
    if too_old:
        machine.put(machine.bin / "python3", "exit 1")
    result = machine.run()
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("No Python >= 3.12 found: install one")


def test_older_of_two_is_preferred_and_unversioned_names_come_last(machine: Machine) -> None:
    machine.working(machine.bin / "python3")
    assert machine.run().stdout.strip() == str(machine.bin / "python3")
    machine.working(machine.bin / "python3.13")
    assert machine.run().stdout.strip() == str(machine.bin / "python3.13")
    machine.working(machine.bin / "python3.12")
    assert machine.run().stdout.strip() == str(machine.bin / "python3.12")


@pytest.mark.parametrize("where", ["home", "variable", "shims"])
def test_a_version_that_only_pyenv_has(machine: Machine, tmp_path: Path, where: str) -> None:
    root = machine.home / ".pyenv" if where == "home" else tmp_path / "elsewhere"
    shim = machine.put(root / "shims" / "python3.12", "exit 127")
    real = machine.working(root / "versions" / "3.12.7" / "bin" / "python")
    environment = {"PATH": f"{shim.parent}:{machine.bin}"}
    if where == "variable":
        environment = {"PYENV_ROOT": str(root)}
    assert machine.run(**environment).stdout.strip() == str(real)


def test_a_version_that_only_uv_has(machine: Machine) -> None:
    store = machine.home / ".local" / "share" / "uv" / "python"
    real = machine.working(store / "cpython-3.13.1-linux-x86_64-gnu" / "bin" / "python3.13")
    assert machine.run().stdout.strip() == str(real)


def test_a_wish_is_the_only_candidate(machine: Machine) -> None:
    machine.working(machine.bin / "python3.12")
    wish = machine.working(machine.bin / "other")
    assert machine.run(str(wish)).stdout.strip() == str(wish)
    machine.put(machine.bin / "old", "exit 1")
    result = machine.run("old")
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("PYTHON=old is not a working Python >= 3.12")
