"""What git may see: the programs, the environment and the settings of every call.

Nothing of the caller's environment reaches git unless it stands in `_PASSED`. The names of
the others are given to `env -u`; `env -i NAME=VALUE` would do the same, but shows the
password of a proxy to everybody who lists processes, and to debug logs.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from openhands_strategies.errors import ResolveError

_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_PASSED: Final = frozenset(
    (
        *("HOME", "XDG_CONFIG_HOME", "TMPDIR"),
        # Credential helpers of the desktop find their service with these.
        *("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
        *("SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_SSL_CAINFO"),
        *_PROXIES,
        *(name.upper() for name in _PROXIES),
    )
)
_FIXED: Final = {
    "LC_ALL": "C",
    "LANGUAGE": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}
SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    # Larger blobs are streamed, not held in memory.
    "core.bigFileThreshold=16m",
    "init.templateDir=",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "fetch.bundleURI=",
    "transfer.bundleURI=false",
    "fetch.fsckObjects=true",
    "transfer.fsckObjects=true",
    "transfer.credentialsInUrl=die",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "credential.interactive=false",
    "http.followRedirects=initial",
    "http.lowSpeedLimit=1",
)
"""`-c` settings of every call; the user's own configuration stays for all others."""

_SECRET_NAME: Final = re.compile(r"TOKEN|SECRET|PASS|KEY|CREDENTIAL|AUTH", re.IGNORECASE)
_USERINFO: Final = re.compile(r"://([^/?#\s]*)@")


def programs() -> tuple[str, str, str]:
    """Return the absolute paths of `env` and `git`, and the search path for both.

    Relative directories of `PATH` are left out: what they name is chosen by whoever
    filled the current directory.

    Raises:
        ResolveError: `git_missing`.
    """
    parts = (os.environ.get("PATH") or os.defpath).split(os.pathsep)
    path = os.pathsep.join(part for part in parts if Path(part).is_absolute())
    env, git = shutil.which("env", path=path), shutil.which("git", path=path)
    if env is None or git is None:
        raise ResolveError(
            "git_missing",
            "fetching a strategy needs the program git, which is not on PATH",
            "install git 2.34 or later",
        )
    return env, git, path


def environment(path: str, directory: Path, protocols: str) -> tuple[list[str], dict[str, str]]:
    """Return the names that git must not see, and the variables that are set for it.

    Args:
        path: Its `PATH`.
        directory: The repository that it works on; need not exist.
        protocols: `GIT_ALLOW_PROTOCOL`, for example `https:ssh`.
    """
    fixed = {
        **_FIXED,
        "PATH": path,
        "GIT_DIR": str(directory),
        "GIT_ALLOW_PROTOCOL": protocols,
    }
    dropped = [name for name in os.environ if name not in _PASSED and name not in fixed]
    return dropped, fixed


def secrets() -> list[str]:
    """What in the caller's environment may be a password, the longest first."""
    found: set[str] = set()
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name):
            found.add(value)
        for userinfo in _USERINFO.findall(value):
            found.update((userinfo, userinfo.partition(":")[2] or userinfo))
    found |= {unquote(value) for value in found}
    # Shorter ones would blank out ordinary words.
    return sorted((value for value in found if len(value) >= 6), key=len, reverse=True)
