"""The same check in an environment with another SDK, made once and kept in OHS_HOME."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from openhands_strategies.cli.check.apart import told_elsewhere
from openhands_strategies.cli.installer import find_uv
from openhands_strategies.cli.text import say
from openhands_strategies.errors import RunError, UsageError
from openhands_strategies.project.home import Home
from openhands_strategies.sources.locks import locked
from openhands_strategies.sources.source import DistributionSource, Located

_VERSION: Final = re.compile(r"\d+(\.\d+){1,3}((a|b|rc|\.post|\.dev)\d+)?")
# A requirement begins with a name; what begins otherwise would be an option to uv.
_FOREIGN: Final = re.compile(r"(?!openhands[-_.](strateg|sdk|tools))[A-Za-z0-9]")
_OURS: Final = "openhands-strategies"
_DONE: Final = "installed.json"


def is_running(wanted: str) -> bool:
    """Whether this environment has that SDK already.

    Raises:
        UsageError: `sdk_version` for what is no version.
    """
    if not _VERSION.fullmatch(wanted):
        raise UsageError("sdk_version", f"{wanted!r} is no version of openhands-sdk",
                         "write it as in --sdk 1.21.0")  # fmt: skip
    try:
        return distribution("openhands-sdk").version == wanted
    except PackageNotFoundError:
        return False


def check_elsewhere(
    located: Located, requirements: Sequence[str], arguments: list[str], wanted: str, home: Home
) -> dict[str, Any]:
    """Run `ohs check --json` with another SDK and return its document.

    Args:
        located: The strategy; one that is installed here is installed there as well.
        requirements: What the strategy needs; the user trusts it.
        arguments: What comes after `ohs check --json`.
        wanted: Version of openhands-sdk and openhands-tools.
        home: Where the environment is kept, below `check/`.

    Raises:
        RunError: `uv_missing`, `environment_failed`, or `check_failed`.
        StrategyError: What that `ohs check` says.
    """
    packages = [*_installed_as(_OURS), f"openhands-sdk=={wanted}", f"openhands-tools=={wanted}"]
    if isinstance(located.source, DistributionSource):
        packages += _installed_as(located.source.name)
    own = [one for one in requirements if _FOREIGN.match(one)]
    python = _environment(home, wanted, [*packages, *own])
    done = subprocess.run(
        [str(python), "-P", "-m", "openhands_strategies", "check", "--json", *arguments],
        stdout=subprocess.PIPE,
        check=False,
    )
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise RunError(
            "check_failed",
            f"ohs check with SDK {wanted} ended with exit code {done.returncode}",
            "what it said above tells why",
        ) from error
    if "error" in document:
        raise told_elsewhere(document["error"], done.returncode)
    return document


def _environment(home: Home, wanted: str, packages: list[str]) -> Path:
    """The Python of an environment that has these packages."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    place = home.path / "check" / f"sdk-{wanted}-py{version}"
    python = place / "bin" / "python"
    place.parent.mkdir(parents=True, exist_ok=True)
    with locked(place.parent / f"{place.name}.lock"):
        done = place / _DONE
        if python.exists() and done.is_file() and json.loads(done.read_text()) == packages:
            return python
        uv = _uv()
        say(f"making an environment with openhands-sdk {wanted} in {place}")
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)], wanted)
        _run([uv, "pip", "install", "--quiet", "--python", str(python), *packages], wanted)
        done.write_text(json.dumps(packages))
    return python


def _uv() -> str:
    found = find_uv()
    if found is None:
        raise RunError("uv_missing", "uv is not there to make an environment with another SDK",
                       "pip install uv")  # fmt: skip
    return found


def _run(command: list[str], wanted: str) -> None:
    # What it says is for people; stdout is for the result.
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    done = subprocess.run(command, stdout=sys.stderr, env=environment, check=False)
    if done.returncode:
        raise RunError(
            "environment_failed",
            f"no environment with openhands-sdk {wanted}: uv ended with {done.returncode}",
            "what uv said above tells why",
        )


def _installed_as(name: str) -> list[str]:
    """What installs a distribution as it is installed here: from its directory, or by version."""
    found: Distribution = distribution(name)
    text = found.read_text("direct_url.json")
    origin = json.loads(text) if text else {}
    if "dir_info" in origin:
        directory = unquote(urlsplit(str(origin["url"])).path)
        return ["--editable", directory] if origin["dir_info"].get("editable") else [directory]
    return [f"{name}=={found.version}"]
