"""From an entry of a project file to its located strategy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from openhands_strategies.errors import ResolveError, StrategyError
from openhands_strategies.project.fetching import (
    Fetching,
    allow_url,
    fetch_locked,
    reference_in_file,
)
from openhands_strategies.project.home import Home
from openhands_strategies.project.lock_file import (
    Lock,
    Locked,
    LockedDistribution,
    fits,
    read_lock,
)
from openhands_strategies.project.project_file import Entry, ProjectFile
from openhands_strategies.sources.distribution import installed
from openhands_strategies.sources.entry import ENTRY, attribute_of, entry_of
from openhands_strategies.sources.path import locate_path
from openhands_strategies.sources.reference import NameReference, PathReference
from openhands_strategies.sources.source import DistributionSource, GitSource, Located
from openhands_strategies.sources.store import get_tree


class EntryError(ResolveError):
    """An entry of a project file that leads nowhere, or not yet.

    Attributes:
        entry: The entry.
        project: The file that it stands in.
    """

    def __init__(self, entry: Entry, project: ProjectFile, error: StrategyError) -> None:
        where = f"{entry.file}:{entry.line}: {entry.name}"
        super().__init__(error.code, f"{where}: {error.message}", error.hint)
        self.entry = entry
        self.project = project

    @property
    def name(self) -> str:
        """The entry's name."""
        return self.entry.name


@dataclass(frozen=True)
class _Place:
    project: ProjectFile
    lock: Lock
    home: Home
    fetching: Fetching | None


def locate_entries(project: ProjectFile, home: Home) -> Iterator[Located | EntryError]:
    """Locate every entry of a project file; nothing is fetched or run.

    Yields:
        In the order of the file: where it is, or an `EntryError`: `not_locked`,
        `lock_mismatch`, `not_in_store`, `distribution_missing`, `distribution_version`, or
        what parsing and locating raise.

    Raises:
        FileError: `lock_file_invalid`.
    """
    place = _Place(project, read_lock(project.lock_path), home, None)
    found: list[Located] | None = None
    for entry in project.entries.values():
        if found is None and isinstance(place.lock.get(entry.name), LockedDistribution):
            found = installed(store=home.store)[0]  # once, and only when it is needed
        try:
            yield _locate(entry, place, found)
        except EntryError as error:
            yield error


def check_entries(project: ProjectFile, home: Home) -> None:
    """Refuse sources that are no references or that may not stand in a file.

    Raises:
        EntryError: `reference_invalid`, `reference_scheme` or what else parsing raises.
    """
    for entry in project.entries.values():
        try:
            reference_in_file(entry.source, home)
        except StrategyError as error:
            raise EntryError(entry, project, error) from error


def locate_entry(entry: Entry, project: ProjectFile, home: Home, fetching: Fetching) -> Located:
    """Locate one entry; what is locked and not in the store is fetched.

    Raises:
        EntryError: As `locate_entries`, and what fetching raises.
        FileError: `lock_file_invalid`.
    """
    place = _Place(project, read_lock(project.lock_path), home, fetching)
    return _locate(entry, place, None)


def _locate(entry: Entry, place: _Place, found: list[Located] | None) -> Located:
    try:
        reference = reference_in_file(entry.source, place.home)
        if isinstance(reference, PathReference):
            located = locate_path(reference, place.project.base)
        else:
            locked = place.lock.get(entry.name)
            if locked is None:
                raise ResolveError("not_locked", f"{reference} is not locked yet", "run ohs lock")
            if not fits(entry, locked):
                raise ResolveError(
                    "lock_mismatch", f"{reference} is locked for another source", "run ohs lock"
                )
            name = reference.name if isinstance(reference, NameReference) else entry.name
            located = locate_locked(locked, name, place.home, place.fetching, found)
    except StrategyError as error:
        raise EntryError(entry, place.project, error) from error
    return replace(located, name=entry.name, typed=False)


def locate_locked(
    locked: Locked,
    name: str,
    home: Home,
    fetching: Fetching | None,
    found: list[Located] | None = None,
) -> Located:
    """Locate what a lock file names.

    Args:
        locked: The locked source.
        name: Name of the entry point, for a distribution.
        home: Whose store is looked at.
        fetching: How to fetch what is missing; None for not at all.
        found: The installed strategies where they are known.

    Raises:
        ResolveError: `not_in_store`, `distribution_missing`, `distribution_version`.
        ResolveError, LoadError: What fetching raises.
    """
    if isinstance(locked, LockedDistribution):
        found = installed(store=home.store)[0] if found is None else found
        return _installed(locked, name, found)
    allow_url(locked.reference, home)
    root = get_tree(home.store, locked.tree)
    if root is None:
        if fetching is None or fetching.offline:
            raise ResolveError(
                "not_in_store", f"{locked.reference} at {locked.commit} is not in the store",
                "run ohs sync",
            )  # fmt: skip
        return fetch_locked(locked, home, fetching)
    entry_file = entry_of(root)
    if entry_file is None:
        raise ResolveError("strategy_file_missing", f"{locked.reference} has no {ENTRY}", "")
    source = GitSource(locked.url, locked.commit, locked.subdirectory, locked.requested)
    attribute = attribute_of(entry_file, source)
    return Located(str(locked.reference), source, root, entry_file, attribute, tree=locked.tree)


def _installed(locked: LockedDistribution, name: str, found: list[Located]) -> Located:
    wanted = normalised(locked.distribution)
    for one in found:
        source = one.source
        if not isinstance(source, DistributionSource) or one.name != name:
            continue
        if normalised(source.name) != wanted:
            continue
        if source.version != locked.version:
            raise ResolveError(
                "distribution_version",
                f"{source.name} {source.version} is installed, and {locked.version} is locked",
                f"ohs install {locked.distribution}=={locked.version}, or run ohs lock",
            )
        return one
    raise ResolveError(
        "distribution_missing",
        f"{locked.distribution} {locked.version} is not installed",
        f"ohs install {locked.distribution}=={locked.version}",
    )


def normalised(distribution: str) -> str:
    """A distribution's name as package indexes compare it."""
    folded = distribution.lower().replace("_", "-").replace(".", "-")
    return "-".join(part for part in folded.split("-") if part)
