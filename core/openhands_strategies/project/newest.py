"""What the revision or the index of an entry means now, which may be more than is locked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from openhands_strategies.errors import StrategyError
from openhands_strategies.project.fetching import (
    Fetching,
    allow_url,
    newest_commit,
    reference_in_file,
)
from openhands_strategies.project.home import Home
from openhands_strategies.project.index_edit import update_index
from openhands_strategies.project.indexes import offers_of, open_indexes
from openhands_strategies.project.indexes_file import read_indexes
from openhands_strategies.project.lock_file import Lock, LockedGit
from openhands_strategies.project.locking import Warn
from openhands_strategies.project.project_file import Entry
from openhands_strategies.sources.reference import GitReference, NameReference

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def newest_of(entry: Entry, locked: LockedGit, home: Home, fetching: Fetching, warn: Warn) -> str:
    """Ask which commit an update would lock for an entry; nothing is fetched.

    Of what an index offers from another repository, the index tells the revision as it was
    when it was fetched last.

    Args:
        entry: The entry.
        locked: What is locked for it.
        home: Whose consents and indexes count.
        fetching: How to ask.
        warn: Takes an error for each index that cannot be read.

    Raises:
        ResolveError: What parsing and `newest_commit` raise.
        FileError: `trust_file_invalid` or `indexes_file_invalid`.
    """
    reference = reference_in_file(entry.source, home)
    if isinstance(reference, NameReference):
        # What is locked is a pin of the index: it never moves, but the index does.
        return _newest_offered(reference.name, home, fetching, warn) or locked.commit
    if _COMMIT.fullmatch(locked.requested or ""):
        return locked.commit
    allow_url(locked.reference, home)
    return newest_commit(locked.reference, fetching)


def refresh_indexes(
    entries: Iterable[Entry], lock: Lock, home: Home, fetching: Fetching, warn: Warn
) -> None:
    """Fetch the indexes in git anew that offer what is locked for entries; not offline.

    Args:
        entries: Entries that are to be updated.
        lock: What is locked.
        home: Whose indexes.
        fetching: How to fetch.
        warn: Takes an error for each index that cannot be fetched, which stays as it is.

    Raises:
        FileError: `indexes_file_invalid`.
    """
    names = {one.source for one in entries if isinstance(lock.get(one.name), LockedGit)}
    if fetching.offline or not names:
        return
    in_git = {index.name for index in read_indexes(home) if index.url is not None}
    # Whoever looks the names up afterwards is told which indexes cannot be read.
    for index in open_indexes(home, lambda _: None):
        if index.name in in_git and not index.offers.keys().isdisjoint(names):
            try:
                update_index(index.name, home, fetching)
            except StrategyError as error:
                warn(error)


def _newest_offered(name: str, home: Home, fetching: Fetching, warn: Warn) -> str | None:
    """None when no index, or more than one, offers the name from git."""
    offers = offers_of(name, open_indexes(home, warn))
    reference = offers[0].reference if len(offers) == 1 else None
    if not isinstance(reference, GitReference):
        return None
    if offers[0].entry.inside is not None:
        (index,) = (one for one in read_indexes(home) if one.name == offers[0].index)
        reference = GitReference(str(index.url), index.requested)
    return newest_commit(reference, fetching)
