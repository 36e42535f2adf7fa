"""From an entry of a project file to what is locked for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from openhands_strategies.errors import ResolveError, StrategyError
from openhands_strategies.project.fetching import (
    Fetching,
    fetch,
    newest_commit,
    reference_in_file,
)
from openhands_strategies.project.home import Home
from openhands_strategies.project.indexes import (
    check_requires,
    locate_offer,
    offers_of,
    open_indexes,
)
from openhands_strategies.project.locate import EntryError
from openhands_strategies.project.lock_file import (
    Lock,
    Locked,
    LockedDistribution,
    LockedGit,
    fits,
    lock_text,
    read_lock,
)
from openhands_strategies.project.project_file import Entry, ProjectFile, read_project_file
from openhands_strategies.project.writing import editing, write_file
from openhands_strategies.sources.distribution import installed
from openhands_strategies.sources.path import locate_path
from openhands_strategies.sources.reference import GitReference, NameReference, PathReference
from openhands_strategies.sources.source import DistributionSource, GitSource, Located
from openhands_strategies.sources.store import using_store

Warn = Callable[[StrategyError], None]


def lock_entry(
    entry: Entry,
    project: ProjectFile,
    home: Home,
    fetching: Fetching,
    warn: Warn,
    *,
    old: Locked | None = None,
    upgrade: bool = False,
) -> Locked | None:
    """Work out what to lock for one entry.

    Args:
        entry: The entry.
        project: The file that it stands in.
        home: Its store takes what is fetched.
        fetching: How to fetch.
        warn: Takes an error for each index that cannot be read.
        old: What is locked now; it stays while it fits.
        upgrade: Whether a branch, tag or index is asked anew.

    Returns:
        What to lock; None for a path.

    Raises:
        EntryError: Whatever is wrong with the entry or with what it leads to.
    """
    try:
        reference = reference_in_file(entry.source, home)
        if isinstance(reference, PathReference):
            locate_path(reference, project.base)
            return None
        known = old if old is not None and fits(entry, old) else None
        if isinstance(reference, GitReference):
            return _git(entry.name, reference, home, fetching, known, upgrade)
        if isinstance(known, LockedGit) and not upgrade:
            return known
        return _name(entry.name, reference, home, fetching, warn, None if upgrade else known)
    except StrategyError as error:
        raise EntryError(entry, project, error) from error


def locked_as(name: str, located: Located) -> Locked | None:
    """What to lock for a located strategy; None for a path."""
    source = located.source
    if isinstance(source, DistributionSource):
        return LockedDistribution(name, source.name, source.version)
    if not isinstance(source, GitSource) or located.tree is None:
        return None
    inside, tree = source.subdirectory, located.tree
    return LockedGit(name, source.url, source.commit, tree, source.requested, inside)


def locate_name(reference: NameReference, home: Home, fetching: Fetching, warn: Warn) -> Located:
    """Look a name up as a new entry means it: among distributions, then in the indexes.

    Raises:
        ResolveError: `name_ambiguous`, `strategy_unknown`, `index_incompatible`,
            `distribution_missing`, or what fetching raises.
    """
    name = reference.name
    found = [one for one in installed(store=home.store)[0] if one.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise ambiguous(name, {str(one.source): str(one.file) for one in found})
    offers = offers_of(name, open_indexes(home, warn))
    if not offers:
        raise ResolveError(
            "strategy_unknown",
            f"no installed distribution and no index offers {name!r}",
            "ohs search finds words; ohs index list shows the indexes",
        )
    if len(offers) > 1:
        raise ambiguous(name, {str(one.source): one.source.offers for one in offers})
    check_requires(offers[0])
    return locate_offer(offers[0], home, fetching)


def ambiguous(name: str, offers: Mapping[str, str]) -> ResolveError:
    """The error `name_ambiguous`.

    Args:
        name: The name.
        offers: What offers it, to the reference that says which one.
    """
    commands = " or ".join(f"ohs add '{one}' --as {name}-{number}"
                           for number, one in enumerate(offers.values(), 1))  # fmt: skip
    return ResolveError(
        "name_ambiguous",
        f"the name {name!r} is offered by {' and '.join(offers)}",
        f"give the one you mean a name of its own: {commands}",
    )


def fetching_trees(home: Home, needed: bool) -> AbstractContextManager[None]:
    """Keep clean-ups out while trees are fetched and not yet named, if any are."""
    return using_store(home.store) if needed else nullcontext()


def write_lock(project: ProjectFile, resolved: Mapping[str, Locked | None]) -> Lock:
    """Merge what was worked out into the lock file, as the project file is by now.

    Entries that came meanwhile keep what is locked for them.

    Raises:
        FileError: `project_file_invalid` or `lock_file_invalid`.
        LoadError: `file_busy` or `file_write`.
    """
    current = read_lock(project.lock_path)
    merged = _merged(project, current, resolved)
    if lock_text(merged.values()) == _text(project):
        return merged
    with editing(project.path.parent, tidy=not project.user):
        project = read_project_file(project.path, user=project.user)
        merged = _merged(project, read_lock(project.lock_path), resolved)
        write_file(project.lock_path, lock_text(merged.values()))
    return merged


def _merged(
    project: ProjectFile, current: Lock, resolved: Mapping[str, Locked | None]
) -> dict[str, Locked]:
    merged = {}
    for entry in project.entries.values():
        locked = resolved[entry.name] if entry.name in resolved else current.get(entry.name)
        if locked is not None and fits(entry, locked):
            merged[entry.name] = locked
    return merged


def _text(project: ProjectFile) -> str | None:
    try:
        return project.lock_path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _git(
    name: str,
    reference: GitReference,
    home: Home,
    fetching: Fetching,
    old: Locked | None,
    upgrade: bool,
) -> Locked | None:
    if isinstance(old, LockedGit):
        if not upgrade:
            return old
        commit = newest_commit(reference, fetching)
        if commit == old.commit:
            return old
        located = fetch(reference, home, fetching, commit=commit)
    else:
        located = fetch(reference, home, fetching)
    return locked_as(name, located)


def _name(
    name: str,
    reference: NameReference,
    home: Home,
    fetching: Fetching,
    warn: Warn,
    old: Locked | None,
) -> Locked:
    # It may be installed elsewhere only, on the machine that wrote the lock file.
    if old is not None and all(
        one.name != reference.name for one in installed(store=home.store)[0]
    ):
        return old
    located = locate_name(reference, home, fetching, warn)
    locked = locked_as(name, located)
    if locked is None:
        raise ResolveError(
            "not_lockable",
            f"{located.reference} is a path, and only this machine has it",
            f"add the path itself: ohs add {located.reference}",
        )
    return locked
