"""Checking the store, and clearing it of what nobody names any more."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openhands_strategies.errors import LoadError, describe
from openhands_strategies.sources.claims import live_claims
from openhands_strategies.sources.commits import check_commits, forget_commits
from openhands_strategies.sources.locks import locked
from openhands_strategies.sources.store import LOCK_SECONDS, store_lock, store_write
from openhands_strategies.sources.tree import hash_tree, tree_files

_HEX: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Collected:
    """What a clean-up removed.

    Attributes:
        bytes: Size of the content of all removed files.
        trees: `sha256:<hex>` of each removed tree, sorted.
        leftovers: Names of what killed processes had left behind, sorted.
    """

    bytes: int = 0
    trees: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()


def stored_trees(store: Path) -> list[str]:
    """`sha256:<hex>` of every tree in the store, sorted; nothing of it is read."""
    return [f"sha256:{path.name}" for path in _children(store / "trees") if _is_tree(path)]


def verify_store(store: Path) -> list[LoadError]:
    """Hash every tree of the store again, and look at what names their commits.

    Returns:
        One error for each thing that is wrong: `store_damaged` for a tree that is not what
        its name says or cannot be read, and as `check_commits`, `store_foreign` for what is
        no tree. Nothing is changed. A store that does not exist has no faults.

    Raises:
        LoadError: `store_unreadable` when not even its trees can be listed.
    """
    try:
        found = [_verify(path) for path in _children(store / "trees")]
        found += check_commits(store)
    except OSError as error:
        raise LoadError(
            "store_unreadable", f"{store} cannot be read: {describe(error)}", "check its owner"
        ) from error
    return [error for error in found if error is not None]


def collect_garbage(
    store: Path,
    keep: Iterable[str],
    *,
    waiting: Callable[[], None] | None = None,
) -> Collected:
    """Remove the trees that nobody names or uses, and what killed processes left behind.

    A tree leaves `trees` by one rename before any file of it goes, so a clean-up that is
    killed leaves a sound store, and the next one goes on. An empty store is removed.

    Args:
        store: Directory of the store; nothing happens when it does not exist.
        keep: `sha256:<hex>` of trees that stay. It is read once nobody is adding any more,
            so a generator sees what was named until then.
        waiting: Called before waiting for processes that add.

    Raises:
        LoadError: `store_busy` when somebody goes on adding for 120 seconds, `store_write`
            when something cannot be removed, or what `keep` raises.
    """
    if not store.is_dir():
        return Collected()
    lock = locked(
        store_lock(store), remove=True, seconds=LOCK_SECONDS, code="store_busy", waiting=waiting
    )
    try:
        with lock:
            kept = live_claims(store) | set(keep)
            freed, trees, leftovers = 0, [], []
            for path in _children(store / "tmp"):
                freed += _remove(path)
                leftovers.append(path.name)
            for tree in stored_trees(store):
                if tree not in kept:
                    freed += _remove_tree(store, tree)
                    trees.append(tree)
            freed += forget_commits(store)
            for path in _children(store / "locks"):
                if _HEX.fullmatch(path.stem):
                    path.unlink()
            for part in ("trees", "tmp"):
                _remove_empty(store / part)
        # The lock is gone by now: a process that adds makes both directories again.
        _remove_empty(store / "locks")
        _remove_empty(store)
    except OSError as error:
        raise store_write(store, error) from error
    return Collected(freed, tuple(trees), tuple(leftovers))


def _verify(path: Path) -> LoadError | None:
    if not _is_tree(path):
        return LoadError(
            "store_foreign", f"{path} is no stored tree", "move it away, it is not ours"
        )
    hint = f"remove {path}; ohs sync, or the next run, brings it back"
    try:
        found = hash_tree(path, tree_files(path))
    except LoadError as error:
        return LoadError("store_damaged", f"stored tree {path.name}: {error.message}", hint)
    except OSError as error:
        return LoadError("store_damaged", f"stored tree {path.name}: {describe(error)}", hint)
    if found != f"sha256:{path.name}":
        return LoadError(
            "store_damaged", f"stored tree {path.name} was changed: it is {found} now", hint
        )
    return None


def _is_tree(path: Path) -> bool:
    return _HEX.fullmatch(path.name) is not None and path.is_dir() and not path.is_symlink()


def _children(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _remove_tree(store: Path, tree: str) -> int:
    name = tree.removeprefix("sha256:")
    away = store / "tmp" / name
    away.parent.mkdir(exist_ok=True)
    (store / "trees" / name).rename(away)
    return _remove(away)


def _remove(path: Path) -> int:
    """Remove a file or directory and return the size of what it held."""
    if path.is_symlink() or not path.is_dir():
        size = path.lstat().st_size
        path.unlink()
        return size
    size = 0
    for directory, _, names in path.walk():
        # Whatever was copied, its directories can be emptied by their owner.
        directory.chmod(0o700)
        size += sum((directory / name).lstat().st_size for name in names)
    shutil.rmtree(path)
    return size


def _remove_empty(directory: Path) -> None:
    with suppress(OSError):  # not empty, or gone
        directory.rmdir()
