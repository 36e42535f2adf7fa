"""Fetching from git on behalf of a project, an index or a user."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openhands_strategies.errors import LoadError, ResolveError
from openhands_strategies.project.home import Home
from openhands_strategies.project.indexes_file import read_indexes
from openhands_strategies.project.lock_file import LockedGit
from openhands_strategies.project.trust import may_fetch, trust_path
from openhands_strategies.sources.giturl import local_path
from openhands_strategies.sources.reference import GitReference, Reference, parse_reference
from openhands_strategies.sources.source import Located

if TYPE_CHECKING:
    from openhands_strategies.sources.git_place import Progress


INDEX: Final = "registry.toml"


@dataclass(frozen=True)
class Fetching:
    """How to fetch.

    Attributes:
        offline: Whether nothing may touch the network; what is not in the store is then
            the error `not_in_store`.
        progress: Is told what happens.
    """

    offline: bool = False
    progress: Progress | None = None


def fetch(
    reference: GitReference, home: Home, fetching: Fetching, *, commit: str | None = None
) -> Located:
    """Find a git reference's tree, in the store or by fetching it into the store.

    Args:
        reference: What to fetch.
        home: Its store takes the tree.
        fetching: How.
        commit: Full commit id that the reference was resolved to before.

    Raises:
        ResolveError, LoadError: What `locate_git` raises.
    """
    from openhands_strategies.sources.git_fetch import locate_git

    return locate_git(
        reference,
        home.store,
        commit=commit,
        offline=fetching.offline,
        progress=fetching.progress,
    )


def fetch_locked(locked: LockedGit, home: Home, fetching: Fetching) -> Located:
    """Fetch exactly what a lock file names.

    Raises:
        LoadError: `tree_mismatch` when the commit has another tree than the lock says.
        ResolveError, LoadError: What `locate_git` raises.
    """
    located = fetch(locked.reference, home, fetching, commit=locked.commit)
    if located.tree != locked.tree:
        raise LoadError(
            "tree_mismatch",
            f"{locked.name} ({locked.reference}): commit {locked.commit} has the tree"
            f" {located.tree}, not {locked.tree} as locked",
            "find out who wrote the lock file; ohs lock writes a new one",
        )
    return located


def newest_commit(reference: GitReference, fetching: Fetching) -> str:
    """Ask the repository which commit a revision means now.

    Raises:
        ResolveError: `not_in_store`, or what `resolve_revision` raises.
    """
    if fetching.offline:
        raise ResolveError(
            "not_in_store",
            f"{reference}: which commit is meant is not in the store, and nobody may be asked",
            "leave out --offline",
        )
    from openhands_strategies.sources.git_fetch import resolve_revision

    return resolve_revision(reference, progress=fetching.progress)


def fetch_index(reference: GitReference, home: Home, fetching: Fetching) -> tuple[str, str, Path]:
    """Fetch the repository of an index as it is now.

    Returns:
        Its commit id, the hash of its tree, and where that is in the store.

    Raises:
        ResolveError: `index_missing` when its root has no registry.toml, or what
            `resolve_revision` and `fetch_tree` raise.
        LoadError: What `fetch_tree` raises.
    """
    commit = newest_commit(reference, fetching)
    from openhands_strategies.sources.git_fetch import fetch_tree

    try:
        stored = fetch_tree(
            reference.url,
            commit,
            None,
            home.store,
            entry=INDEX,
            progress=fetching.progress,
        )
    except ResolveError as error:
        if error.code != "strategy_file_missing":
            raise
        raise ResolveError(
            "index_missing",
            f"{reference} has no {INDEX}",
            "an index is a repository with that file at its root",
        ) from error
    return commit, stored.tree, stored.path


def reference_in_file(text: str, home: Home) -> Reference:
    """Read a reference that stands in a file of a project or an index.

    Raises:
        ResolveError: As `parse_reference`; `reference_scheme` for `git+file:` unless the
            user typed or added that repository on this machine.
    """
    reference = parse_reference(text)
    if isinstance(reference, GitReference):
        allow_url(reference, home)
    return reference


def allow_url(reference: GitReference, home: Home) -> None:
    """Refuse a `file:` URL that the user neither typed nor added on this machine.

    Raises:
        ResolveError: `reference_scheme`.
    """
    path = local_path(reference.url)
    if path is None or may_fetch(path, home=home):
        return
    if any(index.url == reference.url for index in read_indexes(home)):
        return  # the user typed it for `ohs index add`
    raise ResolveError(
        "reference_scheme",
        f"{reference} points at this machine, and nobody typed it here",
        f"use https or ssh, or type it yourself: ohs trust {shlex.quote(str(reference))}",
    )


def remember_typed(url: str, home: Home) -> None:
    """Note that the user typed a repository on this machine; other URLs need no note.

    Raises:
        UsageError: `path_encoding`, `trust_full`.
        FileError: `trust_file_invalid`.
        LoadError: `file_busy` or `file_write`.
    """
    path = local_path(url)
    if path is not None:
        trust_path(path, fetch=True, home=home)
