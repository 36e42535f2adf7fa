"""The store: immutable copies of trees, each under the hash of its content.

Layout: `trees/<hex>/…` complete trees, `commits/<hex>.json` which tree a commit has (see
`commits`), `claims/…` which trees are in use (see `claims`), `tmp/<hex>/…` copies under way,
`locks/<hex>.lock` and `locks/store.lock`, which everybody shares who adds and a clean-up
holds alone. A tree appears by one rename after its copy was hashed, so a directory in
`trees` is always whole. A killed process leaves at most its copy in `tmp`, which the next
one that wants the same tree removes.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openhands_strategies.errors import LoadError, describe
from openhands_strategies.sources.claims import CLAIMS, write_claim
from openhands_strategies.sources.locks import locked
from openhands_strategies.sources.tree import TreeFile, hash_tree, read_file

LOCK_SECONDS: Final = 120.0
_TREE: Final = re.compile(r"sha256:([0-9a-f]{64})")
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_PARTS: Final = ("trees", "commits", "tmp", CLAIMS)


@dataclass(frozen=True)
class Stored:
    """A tree in the store.

    Attributes:
        tree: `sha256:<hex>`.
        path: Absolute directory with read-only files.
    """

    tree: str
    path: Path


def put_tree(
    store: Path,
    root: Path,
    files: Sequence[TreeFile],
    *,
    claim: bool = False,
    waiting: Callable[[str], None] | None = None,
) -> Stored:
    """Copy a tree into the store; a tree that is there already is left as it is.

    Args:
        store: Directory of the store; made when missing.
        root: Directory that the files are read from.
        files: What `tree_files` listed there.
        claim: Whether clean-ups leave it alone while this process lives.
        waiting: Called with the tree's hash before waiting for another process that
            copies the same tree.

    Raises:
        LoadError: `tree_changed`, `tree_unreadable`, `store_write` (disk full, no
            permission) or `store_busy` after 120 seconds. Nothing is left half written.
    """
    tree = hash_tree(root, files)
    stored = Stored(tree, _tree_path(store, tree))
    if claim:
        claim_tree(store, tree)
    if stored.path.is_dir():
        return stored
    name = stored.path.name
    told = None if waiting is None else lambda: waiting(tree)
    with using_store(store, waiting=told):
        try:
            for part in ("trees", "tmp"):
                (store / part).mkdir(exist_ok=True)
            with _locked(store / "locks" / f"{name}.lock", tree, waiting):
                if stored.path.is_dir():
                    return stored
                copy = store / "tmp" / name
                shutil.rmtree(copy, ignore_errors=True)
                try:
                    _copy(root, files, copy)
                    if hash_tree(copy, files) != tree:
                        raise LoadError(
                            "tree_changed", f"{root} changed while it was copied", "try again"
                        )
                    copy.rename(stored.path)
                finally:
                    shutil.rmtree(copy, ignore_errors=True)
        except OSError as error:
            raise store_write(store, error) from error
    return stored


def get_tree(store: Path, tree: str) -> Path | None:
    """Return the directory of a stored tree, or None.

    Args:
        store: Directory of the store.
        tree: `sha256:<hex>`.

    Raises:
        LoadError: `tree_hash` when `tree` is not of that form.
    """
    path = _tree_path(store, tree)
    return path if path.is_dir() else None


def claim_tree(store: Path, tree: str) -> None:
    """Keep clean-ups from a tree for as long as this process lives; it may still be missing.

    For code that runs a tree before it is named anywhere. Where the store cannot be written
    nothing is claimed: then a run cannot be started there either.

    Raises:
        LoadError: `tree_hash`, or `store_busy` when a clean-up takes over 120 seconds.
    """
    name = _tree_path(store, tree).name
    with suppress(OSError):
        try:
            with using_store(store):
                write_claim(store, name)
        except LoadError as error:
            if error.code != "store_write":
                raise


@contextmanager
def using_store(store: Path, *, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Keep clean-ups out between putting a tree into the store and naming it somewhere.

    Whoever puts a tree into the store and names it in a lock file, a consent or a run does
    both within this; otherwise a clean-up may remove the tree in between. It may be
    nested, and any number of processes may be within it. A store that is empty afterwards
    is removed.

    Raises:
        LoadError: `store_busy` when a clean-up takes over 120 seconds, `store_write` when
            the store cannot be written.
    """
    lock = locked(
        store_lock(store), shared=True, seconds=LOCK_SECONDS, code="store_busy", waiting=waiting
    )
    with ExitStack() as stack:
        try:
            stack.enter_context(lock)
        except OSError as error:
            raise store_write(store, error) from error
        try:
            yield
        finally:
            stack.close()
            _remove_if_empty(store)


def store_lock(store: Path) -> Path:
    """The lock file that everybody shares who adds, and that a clean-up holds alone."""
    return store / "locks" / "store.lock"


def store_write(store: Path, error: OSError) -> LoadError:
    """The error `store_write`: disk full, no permission, no directory."""
    return LoadError(
        "store_write",
        f"{store} cannot be written: {describe(error)}",
        "free some space, check who may write there, or set OHS_HOME to another directory",
    )


def _remove_if_empty(store: Path) -> None:
    """After an attempt that put nothing into the store, nothing of it is left."""
    if _holds_anything(store):
        return
    with suppress(LoadError, OSError):  # somebody else is at work there, or may not write
        with locked(store_lock(store), remove=True, seconds=0):
            if _holds_anything(store):
                return
            for path in (store / "locks").iterdir():
                if _HEX.fullmatch(path.stem):
                    path.unlink()
            for part in _PARTS:
                with suppress(FileNotFoundError):
                    (store / part).rmdir()
        (store / "locks").rmdir()
        store.rmdir()


def _holds_anything(store: Path) -> bool:
    for part in _PARTS:
        with suppress(OSError):
            if any((store / part).iterdir()):
                return True
    return False


def _tree_path(store: Path, tree: str) -> Path:
    match = _TREE.fullmatch(tree)
    if match is None:
        raise LoadError(
            "tree_hash", f"{tree[:80]!r} is no tree hash", "it reads sha256: and 64 hex digits"
        )
    return store.absolute() / "trees" / match[1]


@contextmanager
def _locked(path: Path, tree: str, waiting: Callable[[str], None] | None) -> Iterator[None]:
    from filelock import FileLock, Timeout  # 0.09 s, and a listing never needs it

    lock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if waiting is not None:
                waiting(tree)
            lock.acquire(timeout=LOCK_SECONDS)
    except Timeout as error:
        raise LoadError(
            "store_busy",
            f"another process has held {path} for {LOCK_SECONDS:.0f} seconds",
            "wait for it, or end it",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _copy(root: Path, files: Iterable[TreeFile], to: Path) -> None:
    to.mkdir()
    for file in files:
        target = to / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.mode == "120000":
            target.symlink_to(os.fsdecode(b"".join(read_file(root, file))))
            continue
        with target.open("xb") as stream:
            for chunk in read_file(root, file):
                stream.write(chunk)
        target.chmod(0o555 if file.mode == "100755" else 0o444)
