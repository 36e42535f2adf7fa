"""What docs/openhands-cli.md says to install can be resolved: our wheels, the rest from PyPI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LEFTOVERS = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist", ".*cache")


def uv(*arguments: str, at: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run uv without the settings of this project or of the user."""
    return subprocess.run(
        [sys.executable, "-m", "uv", "--no-config", "--quiet", *arguments],
        cwd=at,
        input=given,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def resolved(requirement: str, *options: str, at: Path) -> dict[str, str]:
    """Name to version of everything that would be installed on Python 3.12."""
    compiled = ("pip", "compile", "--python-version", "3.12", "--no-header", "--no-annotate")
    done = uv(*compiled, *options, "-", at=at, given=requirement)
    assert done.returncode == 0, done.stderr
    return dict(line.split("==") for line in done.stdout.splitlines())


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Ours, built from a copy; skipped where there is no package index, but not in CI."""
    known = uv("pip", "compile", "-", at=tmp_path, given="packaging")
    if known.returncode != 0 and os.environ.get("CI") != "true":
        pytest.skip("no package index can be reached")
    copy = tmp_path / "tree"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "registry.toml"):
        shutil.copy(ROOT / name, copy / name)
    for name in ("core", "plugins"):
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=LEFTOVERS)
    # With the project's settings: they say what else there is to build.
    done = subprocess.run(
        [sys.executable, "-m", "uv", "build", "--quiet", "--all-packages", "--wheel"],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return copy / "dist"


def test_the_openhands_cli_and_its_sdk_are_installed(wheels: Path, tmp_path: Path) -> None:
    found = resolved(
        "openhands-strategies[openhands-cli,plugins]", "--find-links", str(wheels), at=tmp_path
    )
    assert found["openhands"] == "1.16.0"
    assert found["openhands-sdk"] == found["openhands-tools"] == "1.21.0"
    assert "openhands-strategy-waterfall" in found
    ours = {path.name.split("-")[0].replace("_", "-") for path in wheels.glob("*.whl")}
    assert ours <= set(found)
