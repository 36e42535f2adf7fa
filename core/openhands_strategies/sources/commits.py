"""Which tree of the store belongs to a commit, so that a pinned reference costs no git.

One small file for each URL, subdirectory and commit: `commits/<key>.json` in the store. A
commit id and a directory in it name one content for ever, so an entry is never wrong; it
is of no use only once its tree has left the store.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from openhands_strategies.errors import LoadError
from openhands_strategies.sources.store import Stored, get_tree, store_write

_DIRECTORY: Final = "commits"
_KEYS: Final = ("url", "commit", "subdirectory", "tree")
_TREE: Final = re.compile(r"sha256:[0-9a-f]{64}")


def commit_key(url: str, commit: str, subdirectory: str | None) -> str:
    """64 hex digits that stand for a directory of a repository at one commit."""
    text = "\0".join((url, subdirectory or "", commit))
    return hashlib.sha256(text.encode()).hexdigest()


def known_tree(store: Path, url: str, commit: str, subdirectory: str | None) -> Stored | None:
    """Return the tree of a commit when it is in the store.

    Args:
        store: Directory of the store.
        url: Canonical URL.
        commit: Full commit id, lower case.
        subdirectory: Canonical path; None for the repository's root.
    """
    entry = _read(store / _DIRECTORY / f"{commit_key(url, commit, subdirectory)}.json")
    if entry != {**_fields(url, commit, subdirectory), "tree": entry.get("tree")}:
        return None
    try:
        path = get_tree(store, str(entry["tree"]))
    except LoadError:  # no tree hash: somebody has edited the file
        return None
    return None if path is None else Stored(str(entry["tree"]), path)


def remember_tree(store: Path, url: str, commit: str, subdirectory: str | None, tree: str) -> None:
    """Write down that a commit has this tree; within `using_store`.

    Raises:
        LoadError: `store_write`.
    """
    directory = store / _DIRECTORY
    entry = {**_fields(url, commit, subdirectory), "tree": tree}
    name = ""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # In `tmp`, so that a clean-up finds what a killed process leaves.
        (store / "tmp").mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=store / "tmp", prefix="commit-", encoding="utf-8", delete=False
        ) as file:
            name = file.name
            json.dump(entry, file)
        Path(name).chmod(0o444)
        Path(name).replace(directory / f"{commit_key(url, commit, subdirectory)}.json")
    except OSError as error:
        if name:
            with suppress(OSError):
                Path(name).unlink(missing_ok=True)
        raise store_write(store, error) from error


def check_commits(store: Path) -> list[LoadError]:
    """Look at every entry as it stands; nothing is changed.

    One whose tree is gone is no fault: it counts for nothing until that is back.

    Returns:
        `store_damaged` for each that is malformed or stands under another one's name.

    Raises:
        OSError: They cannot be listed.
    """
    directory = store / _DIRECTORY
    paths = sorted(directory.iterdir()) if directory.is_dir() else []
    return [
        LoadError(
            "store_damaged",
            f"{path} is not what was written there: it says which tree a commit has",
            f"remove {path}; the next fetch of that commit writes it again",
        )
        for path in paths
        if not _is_sound(path) and os.path.lexists(path)  # a clean-up removes some meanwhile
    ]


def forget_commits(store: Path) -> int:
    """Remove the entries whose tree has left the store, and the directory once it is empty.

    For a clean-up, which holds the store alone meanwhile.

    Returns:
        How many bytes went.

    Raises:
        OSError: Something cannot be removed.
    """
    directory = store / _DIRECTORY
    size = 0
    for path in sorted(directory.glob("*")) if directory.is_dir() else ():
        tree = _read(path).get("tree")
        try:
            kept = isinstance(tree, str) and get_tree(store, tree) is not None
        except LoadError:
            kept = False
        if not kept:
            size += path.lstat().st_size
            path.unlink()
    with suppress(OSError):  # not empty, or not there
        directory.rmdir()
    return size


def _is_sound(path: Path) -> bool:
    entry = _read(path)
    url, commit, inside, tree = (entry.get(key) for key in _KEYS)
    return (
        len(entry) == len(_KEYS)
        and isinstance(url, str)
        and isinstance(commit, str)
        and isinstance(inside, str | None)
        and isinstance(tree, str)
        and _TREE.fullmatch(tree) is not None
        and path.name == f"{commit_key(url, commit, inside)}.json"
    )


def _fields(url: str, commit: str, subdirectory: str | None) -> dict[str, str | None]:
    return {"url": url, "commit": commit, "subdirectory": subdirectory}


def _read(path: Path) -> dict[str, object]:
    """An entry; empty when there is none or it cannot be used."""
    try:
        entry = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return entry if isinstance(entry, dict) else {}
