"""`ohs install` and `uninstall` in throw-away environments, with pip and with uv."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import openhands_strategies

NAME = "openhands_strategy_tiny"
MODULE = """
from openhands_strategies import Strategy

raise SystemExit("installing must not run this")

class Tiny(Strategy):
    name = "tiny"
    description = "is tiny"

    def build_agent(self, llm, params=None):
        return None
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


def make_wheel(directory: Path, version: str = "1.0") -> Path:
    info = f"{NAME}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: openhands-strategy-tiny\nVersion: {version}\n"
    content = {
        f"{NAME}/__init__.py": "",
        f"{NAME}/strategy.py": MODULE,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[openhands.strategies]\ntiny = {NAME}.strategy:Tiny\n",
    }
    record = "".join(f"{name},,\n" for name in [*content, f"{info}/RECORD"])
    wheel = directory / f"{NAME}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**content, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return wheel


def _environment(directory: Path, *, pip: bool) -> Path:
    """An environment that sees the packages of this one, with or without pip."""
    # Its own pip: the environment of the tests may have none.
    venv.create(directory, with_pip=pip, symlinks=True)
    seen = directory / "seen"
    seen.mkdir()
    for path in {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}:
        for entry in path.iterdir():
            is_pip = entry.name == "pip" or entry.name.startswith("pip-")
            if not is_pip and entry.suffix != ".pth" and "tiny" not in entry.name:
                (seen / entry.name).symlink_to(entry)
    packages = next(directory.glob("lib/python*/site-packages"))
    source = Path(openhands_strategies.__file__).parent.parent
    (packages / "seen.pth").write_text(f"{seen}\n{source}\n")
    return directory / "bin" / "python"


@pytest.fixture(params=["pip", "uv"])
def ohs_there(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    uv = Path(sys.executable).parent / "uv"
    if request.param == "uv":
        if not uv.is_file() and shutil.which("uv") is None:
            pytest.skip("there is no uv")
        monkeypatch.setenv("PATH", f"{uv.parent}{os.pathsep}{os.environ['PATH']}")
    python = _environment(tmp_path / "there", pip=request.param == "pip")
    # Nothing here may reach for the network.
    for name, value in {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "PYTHONPATH": ""}.items():
        monkeypatch.setenv(name, value)
    work = tmp_path / "work"
    work.mkdir()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-P", "-m", "openhands_strategies", *arguments],
            cwd=work,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_a_wheel_is_installed_replaced_and_uninstalled(ohs_there: Run, tmp_path: Path) -> None:
    # A directory that is worked in may hold a stranger's pip.
    for name in ("pip.py", "uv.py"):
        (tmp_path / "work" / name).write_text("raise SystemExit('a stranger ran')\n")
    done = ohs_there("install", str(make_wheel(tmp_path)), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["strategies"] == [{"name": "tiny", "source": "openhands-strategy-tiny 1.0"}]
    listed = json.loads(ohs_there("list", "--json").stdout)["strategies"]
    (tiny,) = [one for one in listed if one["name"] == "tiny"]
    assert tiny["trusted"] is True
    done = ohs_there("install", str(make_wheel(tmp_path, "1.1")))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "installed tiny (openhands-strategy-tiny 1.1)\n"
    # By the strategy's name.
    done = ohs_there("uninstall", "tiny")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "uninstalled tiny (openhands-strategy-tiny 1.1)\n"
    done = ohs_there("uninstall", "openhands-strategy-tiny", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "not_installed"


def test_what_cannot_be_installed_is_exit_code_1(ohs_there: Run, tmp_path: Path) -> None:
    broken = tmp_path / "openhands_strategy_broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"no archive")
    done = ohs_there("install", str(broken))
    assert done.returncode == 1
    assert done.stdout == ""
    (error,) = [line for line in done.stderr.splitlines() if line.endswith("[install_failed]")]
    assert broken.name in error
    url = "https://127.0.0.1:9/openhands_strategy_x-1.0-py3-none-any.whl?token=canary"
    document = json.loads(ohs_there("install", url, "--json").stdout)
    assert document["error"]["code"] == "install_failed"
    assert "canary" not in json.dumps(document)


@pytest.mark.parametrize(
    "requirement",
    [
        "x @ git+https://user:canary@127.0.0.1:9/x",
        "https://user:ca@canary@127.0.0.1:9/x.whl",
        "https://user:ca/canary@127.0.0.1:9/x.whl",
        "https://canary@127.0.0.1:9/x.whl",
    ],
)
def test_a_password_is_not_passed_on_and_not_repeated(ohs, requirement: str) -> None:
    for options in ([], ["--json"], ["--debug"]):
        done = ohs("install", "fine", requirement, *options)
        assert done.code == 2
        assert "requirement_credentials" in done.out + done.err
        assert "canary" not in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["install"], "usage"),
        (["uninstall"], "usage"),
        (["install", "-r", "list.txt"], "usage"),
        (["install", "--", "--index-url=https://example.org"], "requirement_invalid"),
        (["install", "--", "--index-url=https://u:canary@example.org"], "requirement_invalid"),
        (["install", "fine", ""], "requirement_invalid"),
        (["install", "a\nb"], "requirement_invalid"),
        (["uninstall", "--", "-r"], "name_invalid"),
        (["uninstall", "../x"], "name_invalid"),
        (["uninstall", "not-installed-anywhere"], "not_installed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_input_is_one_error(ohs, arguments: list[str], name: str) -> None:
    done = ohs(*arguments)
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert 1 <= len(lines) <= 2
    assert lines[0].endswith(f"[{name}]")
    assert "canary" not in done.err
