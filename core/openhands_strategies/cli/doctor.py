"""`ohs doctor`: what is installed and set, what is missing, and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.entry import read_entry
from openhands_strategies.cli.frame import current_frame, debug_option, json_option
from openhands_strategies.cli.text import aligned, printable
from openhands_strategies.errors import describe
from openhands_strategies.project.home import find_home
from openhands_strategies.registry.catalog import Listing, list_all
from openhands_strategies.registry.host import Host, plugin_host

_BUILT_IN: Final = "builtin-"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        value: What was found; never the value of a secret.
        ok: Whether it is as it should be.
        essential: Whether nothing runs without it.
        hint: What to do when it is not.
    """

    name: str
    value: str
    ok: bool = True
    essential: bool = False
    hint: str = ""


@click.command("doctor")
@json_option
@debug_option
@click.pass_context
def command(context: click.Context) -> int:
    """Check versions, settings and what is missing.

    The exit code is 1 when something is missing without which nothing runs.
    """
    host = plugin_host()
    checks = [
        *_versions(),
        *_programs(),
        _home(),
        *_model(),
        *_strategies(list_all(host=host)),
        *_plugins(host),
    ]
    good = all(check.ok for check in checks if check.essential)
    if current_frame(context).json:
        print_json({"ok": good, "checks": [asdict(check) for check in checks]})
    else:
        click.echo("\n".join(aligned(map(_row, checks))))
        click.echo("ready" if good else "not ready: see MISSING above")
    return 0 if good else 1


def _row(check: Check) -> tuple[str, str, str]:
    mark = "ok" if check.ok else "MISSING" if check.essential else "note"
    hint = f" - {check.hint}" if check.hint and not check.ok else ""
    return mark, check.name, printable(f"{check.value}{hint}", 500)


def _versions() -> Iterator[Check]:
    yield Check("ohs", version("openhands-strategies"))
    own = platform.python_version()
    good = sys.version_info >= (3, 12)
    yield Check("Python", f"{own} ({sys.executable})", good, True, "install Python 3.12 or newer")
    for name in ("openhands-sdk", "openhands-tools"):
        hint = f"pip install '{name}>=1.21'"
        found = _version(name)
        if found is None:
            yield Check(name, "not installed", False, True, hint)
        else:
            parts = tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
            yield Check(name, found, parts >= (1, 21), True, hint)
    server = _version("openhands-agent-server")
    yield Check(
        "openhands-agent-server",
        server or "not installed",
        server is not None,
        False,
        "only for serving: pip install 'openhands-strategies[server]'",
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _programs() -> Iterator[Check]:
    for name, flag, hint in (
        ("git", "--version", "agents use it, and git sources will: install git"),
        ("tmux", "-V", "terminals work without it, one command at a time: install tmux"),
    ):
        path = shutil.which(name)
        if path is None:
            yield Check(name, "not found", False, False, hint)
            continue
        try:
            done = subprocess.run(
                [path, flag], capture_output=True, text=True, timeout=5, check=False
            )
            first = (done.stdout.splitlines() or [""])[0]
            yield Check(name, f"{first} ({path})", done.returncode == 0, False, hint)
        except (OSError, subprocess.TimeoutExpired) as error:
            yield Check(name, describe(error), False, False, hint)


def _home() -> Check:
    home = find_home().path
    # Nothing is made here: the nearest directory that exists decides.
    place = next(one for one in (home, *home.parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            return Check("OHS_HOME", str(home), True, True)
    except OSError as error:
        hint = "set OHS_HOME to a directory that you may write"
        return Check("OHS_HOME", f"{home}: {describe(error)}", False, True, hint)


def _model() -> Iterator[Check]:
    for name, hint in (
        ("LLM_MODEL", "set it, or give --model or --llm-profile"),
        ("LLM_API_KEY", "set it, unless your model needs no key or a profile has it"),
        ("LLM_BASE_URL", ""),
    ):
        given = bool(os.environ.get(name))
        yield Check(name, "set" if given else "not set", given or not hint, False, hint)


def _strategies(listing: Listing) -> Iterator[Check]:
    entries = [read_entry(located) for located in listing.entries]
    good = [entry.name for entry in entries if entry.error is None]
    yield Check(
        "strategies",
        ", ".join(good) or "none installed",
        bool(good),
        False,
        "pip install 'openhands-strategies[plugins]'",
    )
    for entry in entries:
        if entry.error is not None:
            yield Check(
                f"strategy {entry.name}", entry.error.message, False, False, entry.error.hint
            )
    for warning in listing.warnings:
        yield Check("warning", warning.message, False, False, warning.hint)


def _plugins(host: Host) -> Iterator[Check]:
    names = sorted(
        name for name, _ in host.manager.list_name_plugin() if not name.startswith(_BUILT_IN)
    )
    yield Check("hook plugins", ", ".join(names) or "none")
    chosen = os.environ.get("OHS_PLUGINS")
    if chosen is not None:
        yield Check("OHS_PLUGINS", chosen or "empty: none are loaded")
