"""Adding a strategy to a project or to the user's own, and taking it out again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from openhands_strategies.errors import LoadError, StrategyError, UsageError
from openhands_strategies.manifest.files import printable
from openhands_strategies.manifest.model import Manifest
from openhands_strategies.manifest.reader import read_manifest
from openhands_strategies.project.fetching import Fetching, fetch, remember_typed
from openhands_strategies.project.home import Home
from openhands_strategies.project.lock_file import Locked, LockedGit, lock_text, read_lock
from openhands_strategies.project.locking import Warn, fetching_trees, locate_name, locked_as
from openhands_strategies.project.project_edit import (
    check_free,
    entry_unknown,
    with_entry,
    without_entry,
)
from openhands_strategies.project.project_file import ProjectFile, read_project_file
from openhands_strategies.project.roots import known_locks, remember_project
from openhands_strategies.project.sync import warn_by_log
from openhands_strategies.project.trust import trust_path
from openhands_strategies.project.trust_file import TrustFile, change_trust, read_trust
from openhands_strategies.project.writing import editing, write_files
from openhands_strategies.sources.giturl import local_path
from openhands_strategies.sources.path import locate_path
from openhands_strategies.sources.reference import (
    GitReference,
    PathReference,
    Reference,
    is_name,
    parse_reference,
)
from openhands_strategies.sources.source import GitSource, Located, PathSource


@dataclass(frozen=True)
class Added:
    """A strategy that was added.

    Attributes:
        name: Its name in the project.
        source: What stands in the project's file.
        located: Where it is.
        manifest: What is known of it.
        locked: What stands in the lock file; None for a path.
        project: The project's file as it is now.
    """

    name: str
    source: str
    located: Located
    manifest: Manifest
    locked: Locked | None
    project: ProjectFile


def add(
    text: str,
    project: ProjectFile,
    home: Home,
    *,
    base: Path,
    name: str | None = None,
    fetching: Fetching | None = None,
    warn: Warn = warn_by_log,
) -> Added:
    """Fetch a strategy, write it into a project's file and lock it; nothing of it runs.

    A path counts as trusted from then on, as the user typed it; a git tree does not.

    Args:
        text: A reference as the user typed it.
        project: What `project_to_write` or `user_file` returned.
        home: Its store takes what is fetched.
        base: Absolute directory that a relative path starts from.
        name: What it is called here; by default, what its class calls itself.
        fetching: How to fetch.
        warn: Takes an error for each index that cannot be read.

    Raises:
        UsageError: `name_taken`, `name_invalid`, `name_needed`, `path_encoding`.
        ResolveError, LoadError: It cannot be found, fetched, read or written.
        FileError: `project_file_invalid`, `project_file_edit`, `lock_file_invalid`.
    """
    reference = parse_reference(text)
    with fetching_trees(home, not isinstance(reference, PathReference)):
        located = _locate(reference, base, home, fetching or Fetching(), warn)
        manifest = read_manifest(
            located.root, located.module, located.attribute, located.name, directory=None
        )
        name = _name(name, located, manifest)
        source = _source(reference, located, project)
        with editing(project.path.parent, tidy=not project.user):
            project = read_project_file(project.path, user=project.user)
            check_free(project, name, source)
            locked = locked_as(name, located)
            lock = {**read_lock(project.lock_path)}
            lock.pop(name, None)
            if locked is not None:
                lock[name] = locked
            entries = with_entry(project, name, source)
            write_files({project.path: entries, project.lock_path: lock_text(lock.values())})
            project = read_project_file(project.path, user=project.user)
        if isinstance(locked, LockedGit):
            remember_project(project, home)
    if isinstance(located.source, PathSource):
        trust_path(located.source.path, home=home)
    elif isinstance(located.source, GitSource):
        # A name leads here as well, through an index that the user typed.
        remember_typed(located.source.url, home)
    located = replace(located, name=name)
    return Added(name, source, located, manifest, locked, project)


def remove(name: str, project: ProjectFile, home: Home) -> ProjectFile:
    """Take a strategy out of a project's file, its lock file and the user's consents.

    Consents that another known project still needs stay. Its tree leaves the store with
    the next clean-up.

    Raises:
        UsageError: `entry_unknown`.
        FileError: A file of the project or the home cannot be read or edited.
        LoadError: `file_busy` or `file_write`.
    """
    with editing(project.path.parent, tidy=not project.user):
        project = read_project_file(project.path, user=project.user)
        if name not in project.entries:
            raise entry_unknown(project, name)
        lock = read_lock(project.lock_path)
        gone = set(_places(project, lock, name))
        rest = {key: one for key, one in lock.items() if key != name}
        text = without_entry(project, name) or None
        write_files({project.path: text, project.lock_path: lock_text(rest.values())})
        project = read_project_file(project.path, user=project.user)
    _forget(gone, project, home)
    return project


Place = tuple[str | None, str | None, str | None]
"""URL, subdirectory and path, as `TrustedTree.place`."""


def _places(project: ProjectFile, lock: dict[str, Locked], name: str) -> Iterator[Place]:
    """The places that the consents to an entry name."""
    locked = lock.get(name)
    if isinstance(locked, LockedGit):
        yield locked.url, locked.subdirectory, None
        if directory := local_path(locked.url):
            yield None, None, str(directory.resolve())
    try:
        reference = parse_reference(project.entries[name].source)
    except StrategyError:
        return
    if isinstance(reference, PathReference):
        yield None, None, str((project.base / Path(reference.path).expanduser()).resolve())


def _forget(places: set[Place], project: ProjectFile, home: Home) -> None:
    known = read_trust(home)
    if not places.intersection(
        [*(one.place for one in known.trees), *((None, None, one.path) for one in known.paths)]
    ):
        return
    paths = {project.path, home.path / "strategies.toml"}
    paths.update(lock.with_suffix(".toml") for lock in known_locks(home))
    for path in paths:
        other = read_project_file(path, user=path.parent == home.path)
        lock = read_lock(other.lock_path)
        for name in other.entries:
            places.difference_update(_places(other, lock, name))

    def change(known: TrustFile) -> TrustFile:
        return TrustFile(
            tuple(one for one in known.trees if one.place not in places),
            tuple(one for one in known.paths if (None, None, one.path) not in places),
        )

    change_trust(home, change)


def _locate(
    reference: Reference, base: Path, home: Home, fetching: Fetching, warn: Warn
) -> Located:
    if isinstance(reference, PathReference):
        return locate_path(reference, base)
    if isinstance(reference, GitReference):
        return fetch(reference, home, fetching)
    located = locate_name(reference, home, fetching, warn)
    if isinstance(located.source, PathSource):
        raise UsageError(
            "not_lockable",
            f"{reference} is the path {located.source.path} in a local index",
            f"add the path itself: ohs add {located.source.path}",
        )
    return located


def _name(wanted: str | None, located: Located, manifest: Manifest) -> str:
    name = wanted or located.name or manifest.name
    if name is None or (wanted is None and not is_name(name)):
        shown = "computes its name" if name is None else f"calls itself {printable(name, 80)!r}"
        raise UsageError(
            "name_needed", f"{located.reference} {shown}", "give it a name: --as my-name"
        )
    return name


def _source(reference: Reference, located: Located, project: ProjectFile) -> str:
    """The reference as it stands in the file: a path within the project is relative."""
    if not isinstance(reference, PathReference) or not isinstance(located.source, PathSource):
        return str(reference)
    path, root = located.source.path, project.base.resolve()
    inside = not project.user and path.is_relative_to(root)
    text = f"./{path.relative_to(root).as_posix()}" if inside else str(path)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise LoadError("path_encoding", f"{reference} is not UTF-8", "rename it") from error
    return str(PathReference(text, reference.attribute))
