"""Strategies in git repositories: which commit, its directory into the store, and where.

GitPython and git come in only when the store does not have what is asked for.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from openhands_strategies.errors import LoadError, ResolveError
from openhands_strategies.sources.commits import commit_key, known_tree, remember_tree
from openhands_strategies.sources.entry import ENTRY, WHAT_IT_HOLDS, attribute_of, entry_of
from openhands_strategies.sources.git_command import check_version, run_git
from openhands_strategies.sources.git_listing import TreeWriter, check_sizes
from openhands_strategies.sources.git_obtain import obtain_files
from openhands_strategies.sources.git_place import GitLimits, GitPlace, Progress
from openhands_strategies.sources.git_refs import find_commit, pinned_commit
from openhands_strategies.sources.locks import locked
from openhands_strategies.sources.reference import GitReference
from openhands_strategies.sources.source import GitSource, Located
from openhands_strategies.sources.store import Stored, put_tree, store_write, using_store
from openhands_strategies.sources.tree import tree_files

WAITING = "waiting for another process"
"""The stage that `progress` is told while another process fetches the same."""


def locate_git(
    reference: GitReference,
    store: Path,
    *,
    commit: str | None = None,
    offline: bool = False,
    progress: Progress | None = None,
    limits: GitLimits | None = None,
) -> Located:
    """Find the files of a git reference, in the store or by fetching them into it.

    A reference that is pinned, by a full commit id as revision or by `commit`, and whose
    tree is in the store needs no git and no network.

    Args:
        reference: A directory of a repository that holds `strategy.py` or plugin files.
        store: Directory of the store.
        commit: Full commit id that the revision was resolved to before.
        offline: Whether nothing may be fetched.
        progress: Is told what happens.
        limits: What one call of git may use up.

    Returns:
        Its `root` lies in the store, `tree` is its hash, `source` a `GitSource`.

    Raises:
        ResolveError: `not_in_store`, `strategy_file_missing`, or what
            `resolve_revision` and `fetch_tree` raise.
        LoadError: What `fetch_tree` raises.
    """
    pinned = _full(commit) if commit is not None else pinned_commit(reference.revision)
    url, subdirectory = reference.url, reference.subdirectory
    if pinned is None:
        if offline:
            raise _offline(reference, "and which commit is meant can only be asked for online")
        pinned = resolve_revision(reference, progress=progress, limits=limits)
    stored = known_tree(store, url, pinned, subdirectory)
    if stored is None:
        if offline:
            raise _offline(reference, f"at commit {pinned}")
        stored = fetch_tree(
            url, pinned, subdirectory, store, entry=ENTRY, progress=progress, limits=limits
        )
    entry = entry_of(stored.path)
    if entry is None:
        raise ResolveError(
            "strategy_file_missing",
            f"{reference} has no {ENTRY}",
            WHAT_IT_HOLDS,
        )
    source = GitSource(url, pinned, subdirectory, reference.revision)
    attribute = attribute_of(entry, source)
    return Located(str(reference), source, stored.path, entry, attribute, tree=stored.tree)


def resolve_revision(
    reference: GitReference,
    *,
    progress: Progress | None = None,
    limits: GitLimits | None = None,
) -> str:
    """Return the full commit id that a reference means now.

    A revision of 40 or 64 hex digits is that id, and nobody is asked. Otherwise a branch
    comes before a tag of the same name, as in pip; `refs/tags/v1` says which is meant.

    Raises:
        ResolveError: `revision_unknown`; `git_missing`, `git_too_old`, `git_timeout`,
            `git_auth`, `git_unreachable`, `repository_missing`, `git_scheme`,
            `git_output_too_large` or `git_failed`.
    """
    pinned = pinned_commit(reference.revision)
    if pinned is not None:
        return pinned
    if progress is not None:
        progress("asking for the commit", None, None)
    place = GitPlace(reference.url, Path(os.devnull), limits=limits or GitLimits())
    check_version(place)
    return find_commit(reference, place)


def fetch_tree(
    url: str,
    commit: str,
    subdirectory: str | None,
    store: Path,
    *,
    entry: str | None = None,
    progress: Progress | None = None,
    limits: GitLimits | None = None,
) -> Stored:
    """Put one directory of one commit into the store; fetch it unless it is there.

    Args:
        url: Canonical URL.
        commit: Full commit id.
        subdirectory: Canonical path; None for the repository's root.
        store: Directory of the store; made when missing.
        entry: A file that the directory must hold; plugin files do in place of
            `strategy.py`.
        progress: Is told what happens.
        limits: What one call of git may use up.

    Raises:
        ResolveError: `commit_missing`, `subdirectory_missing`, `strategy_file_missing`,
            `git_unsound`, `git_download_too_large`, or as `resolve_revision`.
        LoadError: `tree_submodule`, `tree_link`, `tree_special`, `tree_name`,
            `tree_case_twins`, `tree_too_large`, `store_write`, `store_busy`. Nothing is
            left in the store after an error.
    """
    commit = _full(commit)
    reference = GitReference(url, commit, subdirectory)
    url, subdirectory = reference.url, reference.subdirectory
    limits = limits or GitLimits()
    with _alone(reference, store, limits, progress) as work:
        known = known_tree(store, url, commit, subdirectory)
        if known is not None:
            return known
        place = GitPlace(url, work / "git", len(commit) == 64, limits, progress)
        check_version(place)
        files, sizes = obtain_files(place, str(reference), commit, subdirectory, entry)
        check_sizes(str(reference), files, sizes)
        root = work / "tree"
        root.mkdir()
        writer = TreeWriter(root, files)
        asked = work / "asked"
        asked.write_text("".join(f"{file.id}\n" for file in files), encoding="ascii")
        run_git(place, "cat-file", ("--batch", "--buffer"), stdin=asked, sink=writer.feed)
        writer.finish()
        stored = _put(reference, store, root)
        remember_tree(store, url, commit, subdirectory, stored.tree)
        return stored


@contextmanager
def _alone(
    reference: GitReference, store: Path, limits: GitLimits, progress: Progress | None
) -> Iterator[Path]:
    """A directory to work in, while no other process fetches the same or cleans up."""
    key = commit_key(reference.url, str(reference.revision), reference.subdirectory)
    waiting: Callable[[], None] | None = None
    if progress is not None:
        tell = progress

        def waiting() -> None:
            tell(WAITING, None, None)

    try:
        with (
            using_store(store, waiting=waiting),
            locked(
                store / "locks" / f"{key}.lock",
                remove=True,
                seconds=2 * limits.seconds,
                code="store_busy",
                waiting=waiting,
            ),
        ):
            place = store / "tmp" / key
            shutil.rmtree(place, ignore_errors=True)  # a killed process left it
            place.mkdir(parents=True)
            try:
                # Not the same name again: the killed process's git may still be at work.
                yield Path(tempfile.mkdtemp(dir=place))
            finally:
                shutil.rmtree(place, ignore_errors=True)
    except OSError as error:
        raise store_write(store, error) from error


def _put(reference: GitReference, store: Path, root: Path) -> Stored:
    try:
        return put_tree(store, root, tree_files(root))
    except LoadError as error:
        # What the user knows is the reference, not where it was unpacked.
        message = error.message.replace(str(root), str(reference))
        raise LoadError(error.code, message, error.hint) from error


def _full(commit: str) -> str:
    pinned = pinned_commit(commit)
    if pinned is None:
        raise ResolveError(
            "commit_invalid",
            f"{commit[:80]!r} is no full commit id",
            "a commit id has 40 or 64 hex digits",
        )
    return pinned


def _offline(reference: GitReference, what: str) -> ResolveError:
    return ResolveError(
        "not_in_store",
        f"{reference} is not in the store, {what}"
        if what.startswith("and")
        else f"{reference} is not in the store {what}",
        "run the command once without --offline",
    )
