"""pip or uv in the environment that runs `ohs`, as a process."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.frame import Frame
from openhands_strategies.cli.text import printable
from openhands_strategies.errors import RunError, UsageError
from openhands_strategies.sources.distribution import installed
from openhands_strategies.sources.redacting import has_credentials, shown

Changed = list[tuple[str, str]]
"""Name of a strategy and its distribution with version."""


def check_value(text: str, what: str) -> None:
    """Refuse what pip would take for an option, what is no single line, and passwords.

    Raises:
        UsageError: `requirement_invalid` or `name_invalid`, by `what`, or
            `requirement_credentials`.
    """
    if text.startswith("-"):
        raise UsageError(
            f"{what}_invalid",
            f"{_shown([text])!r} is an option, not a {what}",
            "options are not passed on",
        )
    if not text.strip() or not text.isprintable():
        raise UsageError(
            f"{what}_invalid", f"{_shown([text])!r} is no {what}", "write it as pip takes it"
        )
    # pip and uv repeat what they are given, and every user of the machine sees their arguments.
    if has_credentials(text):
        raise UsageError(
            "requirement_credentials",
            f"{_shown([text])!r} carries a user name or password",
            "leave it out; pip asks .netrc or your keyring, and git its credential helper",
        )


def change_environment(act: str, values: Sequence[str]) -> tuple[Changed, Changed]:
    """Install or uninstall by pip, or by uv where pip is not.

    Args:
        act: `install` or `uninstall`.
        values: Checked requirements or names of distributions.

    Returns:
        The strategies that came, and those that went; a new version does both.

    Raises:
        RunError: `installer_missing`, `install_failed` or `uninstall_failed`.
    """
    before = _strategies()
    _run(_installer(act), values, f"{act}_failed")
    importlib.invalidate_caches()
    after = _strategies()
    return sorted(after - before), sorted(before - after)


def _strategies() -> set[tuple[str, str]]:
    """Name and distribution with its version of every installed strategy."""
    return {(one.name or "", str(one.source)) for one in installed()[0]}


def _installer(act: str) -> list[str]:
    """The command, up to what is installed or removed.

    Raises:
        RunError: `installer_missing` when there is neither pip nor uv.
    """
    if importlib.util.find_spec("pip") is not None:
        # -P: a pip.py in the directory that the user works in must not be run.
        base = [sys.executable, "-P", "-m", "pip", act, "--disable-pip-version-check"]
        return [*base, "--yes", "--"] if act == "uninstall" else [*base, "--"]
    uv = find_uv()
    if uv is None:
        raise RunError(
            "installer_missing",
            f"neither pip nor uv is there to {act} with",
            f"{sys.executable} -m ensurepip brings pip",
        )
    return [uv, "pip", act, "--python", sys.executable, "--"]


def find_uv() -> str | None:
    """The uv beside this Python, or else the one on PATH."""
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.is_file() else shutil.which("uv")


def _run(base: list[str], values: Sequence[str], code: str) -> None:
    # What it says is for people; stdout is for the result.
    done = subprocess.run([*base, *values], stdout=sys.stderr, check=False)
    if done.returncode:
        tool = "pip" if "pip" in base[:4] and base[0] == sys.executable else "uv"
        raise RunError(
            code,
            f"{tool} ended with exit code {done.returncode}: {_shown(values)}",
            f"what {tool} said above tells why",
        )


def report(frame: Frame, act: str, values: Sequence[str], strategies: Changed) -> None:
    """Print what was done, and which strategies came or went by it."""
    if frame.json:
        found = [{"name": name, "source": source} for name, source in strategies]
        print_json({act: [_shown([value]) for value in values], "strategies": found})
        return
    for name, source in strategies:
        click.echo(f"{act} {printable(name, 60)} ({printable(source, 200)})")
    if not strategies:
        click.echo(f"{act} {printable(_shown(values), 500)}; no strategy's name changed by it")


def _shown(values: Sequence[str]) -> str:
    """The values, without what may be a password."""
    return " ".join(shown(word) for value in values for word in value.split(" "))
