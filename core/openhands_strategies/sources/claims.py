"""Which trees running processes use: a claim counts for as long as its process lives.

A run uses its tree before `run.json` names it, and a server for as long as it runs. Each
claim is an empty file `claims/<hex>.<pid>-<start>` in the store; the start tells a process
from a later one with the same number. Processes of other containers are not seen.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

CLAIMS: Final = "claims"
_NAME: Final = re.compile(r"(?P<tree>[0-9a-f]{64})\.(?P<pid>[0-9]{1,10})-(?P<start>[0-9]{1,20})")


def write_claim(store: Path, tree: str) -> None:
    """Claim a tree for this process; within `using_store`.

    Args:
        store: Directory of the store.
        tree: The 64 hex digits of its hash.

    Raises:
        OSError: The claim cannot be written.
    """
    directory = store / CLAIMS
    directory.mkdir(parents=True, exist_ok=True)
    own = directory / f"{tree}.{os.getpid()}-{_start(os.getpid())}"
    for path in directory.glob(f"{tree}.*"):
        if path != own and not _lives(path):
            path.unlink(missing_ok=True)  # else each run would leave one
    own.touch()


def live_claims(store: Path) -> set[str]:
    """`sha256:<hex>` of what other processes claim; the claims of ended ones are removed.

    For a clean-up, which holds the store alone. What its own process claims does not stand
    in its way, and those claims go too.

    Raises:
        OSError: A claim cannot be removed.
    """
    directory, found = store / CLAIMS, set()
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        if match and int(match["pid"]) != os.getpid() and _lives(path):
            found.add(f"sha256:{match['tree']}")
        else:
            path.unlink()
    with suppress(OSError):  # not empty, or not there
        directory.rmdir()
    return found


def _lives(path: Path) -> bool:
    match = _NAME.fullmatch(path.name)
    return match is not None and _start(int(match["pid"])) == match["start"]


def _start(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty when there is none.

    Where the kernel does not tell, 0 for every process that there is.
    """
    if Path("/proc/self/stat").exists():
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
        # The second field, a name in brackets, may hold anything; the state comes next.
        state, *fields = text.rpartition(")")[2].split()
        return "" if state == "Z" else fields[18]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "0"
    return "0"
