"""Locking, fetching and updating the strategies of a project."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from openhands_strategies.errors import StrategyError
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.project.home import Home
from openhands_strategies.project.locate import EntryError, check_entries, locate_entry
from openhands_strategies.project.lock_change import Change, change_of
from openhands_strategies.project.lock_file import (
    Lock,
    LockedGit,
    fits,
    lock_matches,
    lock_mismatch,
    needs_lock,
    read_lock,
)
from openhands_strategies.project.locking import Warn, fetching_trees, lock_entry, write_lock
from openhands_strategies.project.newest import newest_of, refresh_indexes
from openhands_strategies.project.project_edit import entry_unknown
from openhands_strategies.project.project_file import Entry, ProjectFile
from openhands_strategies.project.roots import remember_project
from openhands_strategies.sources.source import Located
from openhands_strategies.sources.store import get_tree

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outdated:
    """An entry whose branch, tag or default branch has moved on.

    Attributes:
        name: The entry.
        requested: Its revision; None means the default branch, and the commit that is locked
            that an index has moved on.
        locked: Commit id that is locked.
        newest: Commit id that the revision means now.
    """

    name: str
    requested: str | None
    locked: str
    newest: str


def warn_by_log(error: StrategyError) -> None:
    """Take a warning where nobody else does."""
    _log.warning("%s", error.message)


def lock(
    project: ProjectFile, home: Home, fetching: Fetching | None = None, *, warn: Warn = warn_by_log
) -> list[Change]:
    """Write the lock file of a project; what is locked and still fits stays as it is.

    Args:
        project: The project's file.
        home: Its store takes what is fetched.
        fetching: How to fetch.
        warn: Takes an error for each index that cannot be read.

    Returns:
        What changed, by name.

    Raises:
        EntryError: An entry that leads nowhere; the lock file stays as it was.
        FileError: `project_file_invalid` or `lock_file_invalid`.
        LoadError: `file_busy`, `file_write`, `store_busy` or `store_write`.
    """
    return _relock(project, home, fetching or Fetching(), warn)


def sync(
    project: ProjectFile,
    home: Home,
    fetching: Fetching | None = None,
    *,
    frozen: bool = False,
    warn: Warn = warn_by_log,
) -> list[Located]:
    """Bring everything that a project names to this machine, exactly as it is locked.

    Args:
        project: The project's file.
        home: Its store takes what is fetched.
        fetching: How to fetch; offline, only the store is looked at.
        frozen: Whether the lock file must be right as it is.
        warn: Takes an error for each index that cannot be read.

    Returns:
        All strategies of the project, in the order of its file.

    Raises:
        FileError: `lock_mismatch` when `frozen` and it is not; `project_file_invalid`,
            `lock_file_invalid`.
        EntryError: The first entry that leads nowhere: `not_in_store`,
            `distribution_missing`, `distribution_version`, …
        LoadError: As `lock`.
    """
    fetching = fetching or Fetching()
    differences = lock_matches(project, read_lock(project.lock_path))
    if differences and frozen:
        raise lock_mismatch(project, differences)
    if differences:
        lock(project, home, fetching, warn=warn)
    check_entries(project, home)
    locked = read_lock(project.lock_path)
    missing = any(
        isinstance(one, LockedGit) and get_tree(home.store, one.tree) is None
        for one in locked.values()
    )
    with fetching_trees(home, missing):
        found = [locate_entry(entry, project, home, fetching) for entry in project.entries.values()]
        _remember(project, home, locked)
    return found


def update(
    project: ProjectFile,
    home: Home,
    name: str | None = None,
    fetching: Fetching | None = None,
    *,
    write: bool = True,
    warn: Warn = warn_by_log,
) -> list[Change]:
    """Ask branches, tags and indexes anew, and lock what they mean now.

    Indexes in git that give an entry are fetched anew; one that cannot be is a warning, and
    counts as it was.

    Args:
        project: The project's file.
        home: Its store takes what is fetched.
        name: The entry to update; all by default.
        fetching: How to fetch.
        write: Whether to write the lock file, not only to tell what would change.
        warn: Takes an error for each index that cannot be read.

    Returns:
        What changes: commits, files, capabilities.

    Raises:
        UsageError: `entry_unknown`.
        EntryError, FileError, LoadError: As `lock`.
    """
    if name is not None and name not in project.entries:
        raise entry_unknown(project, name)
    names = tuple(project.entries) if name is None else (name,)
    fetching = fetching or Fetching()
    entries = [project.entries[one] for one in names]
    refresh_indexes(entries, read_lock(project.lock_path), home, fetching, warn)
    return _relock(project, home, fetching, warn, upgrade=names, write=write)


def outdated(
    project: ProjectFile, home: Home, fetching: Fetching | None = None, *, warn: Warn = warn_by_log
) -> list[Outdated]:
    """Ask which revisions have moved on since they were locked; nothing is fetched.

    Args:
        project: The project's file.
        home: The user's consents, for repositories on this machine.
        fetching: How to ask.
        warn: Takes an `EntryError` for each repository that cannot be asked; the others are.

    Raises:
        FileError: `lock_file_invalid`.
    """
    found = []
    locked = read_lock(project.lock_path)
    for entry in project.entries.values():
        one = locked.get(entry.name)
        if not isinstance(one, LockedGit):
            continue
        try:
            newest = newest_of(entry, one, home, fetching or Fetching(), warn)
        except StrategyError as error:
            warn(EntryError(entry, project, error))
            continue
        if newest != one.commit:
            found.append(Outdated(entry.name, one.requested, one.commit, newest))
    return found


def _relock(
    project: ProjectFile,
    home: Home,
    fetching: Fetching,
    warn: Warn,
    *,
    upgrade: Collection[str] = (),
    write: bool = True,
) -> list[Change]:
    check_entries(project, home)
    before = read_lock(project.lock_path)
    entries = project.entries.values()
    new = (one for one in entries if one.name in upgrade or not _locked(one, before))
    with fetching_trees(home, any(needs_lock(entry) for entry in new)):
        resolved = {
            entry.name: lock_entry(
                entry,
                project,
                home,
                fetching,
                warn,
                old=before.get(entry.name),
                upgrade=entry.name in upgrade,
            )
            for entry in entries
        }
        changes = [
            change_of(name, before.get(name), resolved.get(name), home)
            for name in sorted({*before, *resolved})
            if before.get(name) != resolved.get(name)
        ]
        if write:
            _remember(project, home, write_lock(project, resolved))
    return changes


def _locked(entry: Entry, lock: Lock) -> bool:
    locked = lock.get(entry.name)
    return locked is not None and fits(entry, locked)


def _remember(project: ProjectFile, home: Home, lock: Lock) -> None:
    if any(isinstance(one, LockedGit) for one in lock.values()):
        remember_project(project, home)
