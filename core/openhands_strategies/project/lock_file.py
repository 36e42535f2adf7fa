"""`.openhands/strategies.lock`: the exact code of every strategy of a project.

Written by us, sorted and in one form only, so that equal content is equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from openhands_strategies.errors import ResolveError
from openhands_strategies.project.project_file import Entry, ProjectFile
from openhands_strategies.project.toml_file import (
    Document,
    FileError,
    parse_document,
    read_document,
)
from openhands_strategies.project.toml_text import toml_string
from openhands_strategies.sources.reference import (
    GitReference,
    NameReference,
    is_name,
    parse_reference,
)

CODE: Final = "lock_file_invalid"
VERSION: Final = 1
HEADER: Final = "# Written by ohs; do not edit.\n"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TREE: Final = re.compile(r"sha256:[0-9a-f]{64}")
_DISTRIBUTION: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_GIT: Final = ("name", "url", "requested-revision", "commit-id", "subdirectory", "tree")
_INSTALLED: Final = ("name", "distribution", "version")


@dataclass(frozen=True)
class LockedGit:
    """One strategy at one commit.

    Attributes:
        name: Its name in the project.
        url: Canonical URL of the repository.
        commit: Full commit id, 40 or 64 hex digits.
        tree: `sha256:<hex>` of its directory at that commit.
        requested: Revision that the commit was found for; None means the default branch.
        subdirectory: Directory in the repository; None means the root.
    """

    name: str
    url: str
    commit: str
    tree: str
    requested: str | None = None
    subdirectory: str | None = None

    @property
    def reference(self) -> GitReference:
        """The reference that was resolved."""
        return GitReference(self.url, self.requested, self.subdirectory)


@dataclass(frozen=True)
class LockedDistribution:
    """One strategy of an installed distribution.

    Attributes:
        name: Its name in the project.
        distribution: For example `openhands-strategy-fusion`.
        version: The version that was installed.
    """

    name: str
    distribution: str
    version: str


Locked = LockedGit | LockedDistribution
Lock = Mapping[str, Locked]
"""The content of a lock file, by name."""


def read_lock(path: Path) -> dict[str, Locked]:
    """Read a lock file strictly; a missing one locks nothing.

    Raises:
        FileError: `lock_file_invalid`, with file and line: broken TOML, a version from the
            future, unknown keys, wrong types, and values that could not have been written.
    """
    document = read_document(path, CODE)
    return {} if document is None else _locked(document)


def parse_lock(text: str, path: Path) -> dict[str, Locked]:
    """Read the text of a lock file; `path` is for messages.

    Raises:
        FileError: As `read_lock`.
    """
    return _locked(parse_document(text.encode(), path, CODE))


def format_lock(locked: Iterable[Locked]) -> str:
    """The text of a lock file; `parse_lock` gives back what went in."""
    parts = [f"{HEADER}version = {VERSION}\n"]
    for one in sorted(locked, key=lambda each: each.name):
        parts.append("\n[[strategy]]\n")
        parts += [f"{key} = {toml_string(value)}\n" for key, value in _pairs(one) if value]
    return "".join(parts)


def lock_text(locked: Iterable[Locked]) -> str | None:
    """As `format_lock`, or None when there is nothing to lock and so no file."""
    known = list(locked)
    return format_lock(known) if known else None


def lock_matches(project: ProjectFile, lock: Lock) -> list[str]:
    """What differs between a project file and its lock; nothing when they match.

    Entries that are paths are not locked.
    """
    found = []
    for entry in project.entries.values():
        locked = lock.get(entry.name)
        if needs_lock(entry):
            if locked is None:
                found.append(f"{entry.name} is not locked")
            elif not fits(entry, locked):
                found.append(f"{entry.name} is locked for another source")
        elif locked is not None:
            found.append(f"{entry.name} is locked, but is a path")
    found += [f"{name} is locked, but not in {project.path.name}" for name in lock
              if name not in project.entries]  # fmt: skip
    return sorted(found)


def needs_lock(entry: Entry) -> bool:
    """Whether an entry is anything but a path; one that cannot be read counts as well."""
    try:
        reference = parse_reference(entry.source)
    except ResolveError:
        return True
    return isinstance(reference, (GitReference, NameReference))


def fits(entry: Entry, locked: Locked) -> bool:
    """Whether what is locked is what the entry's source names."""
    try:
        reference = parse_reference(entry.source)
    except ResolveError:
        return False
    if isinstance(reference, GitReference):
        return isinstance(locked, LockedGit) and locked.reference == reference
    # A name leads to an installed distribution, or through an index to a repository.
    return isinstance(reference, NameReference)


def _pairs(locked: Locked) -> list[tuple[str, str | None]]:
    if isinstance(locked, LockedDistribution):
        values: tuple[str | None, ...] = (locked.name, locked.distribution, locked.version)
        return list(zip(_INSTALLED, values, strict=True))
    values = (
        *(locked.name, locked.url, locked.requested),
        *(locked.commit, locked.subdirectory, locked.tree),
    )
    return list(zip(_GIT, values, strict=True))


def _locked(document: Document) -> dict[str, Locked]:
    # The version comes first: a later one may well have other keys.
    document.version(VERSION)
    document.table(document.data, [], ["version", "strategy"])
    found: dict[str, Locked] = {}
    for index, table in enumerate(document.tables("strategy", [*_GIT, *_INSTALLED])):
        at: list[str | int] = ["strategy", index]
        known = _INSTALLED if "distribution" in table else _GIT
        document.table(table, at, known)
        name = document.needed(table, "name", at)
        if not is_name(name):
            raise document.wrong([*at, "name"], f"{name!r} is no strategy name")
        if name in found:
            raise document.wrong([*at, "name"], f"{name!r} is locked twice")
        read = _read_distribution if known is _INSTALLED else _read_git
        found[name] = read(document, table, at, name)
    return found


def _read_distribution(
    document: Document, table: dict[str, Any], at: list[str | int], name: str
) -> LockedDistribution:
    distribution = _needed(document, table, "distribution", at, _DISTRIBUTION)
    return LockedDistribution(name, distribution, _needed(document, table, "version", at, _VERSION))


def _read_git(
    document: Document, table: dict[str, Any], at: list[str | int], name: str
) -> LockedGit:
    url = document.needed(table, "url", at)
    requested = document.text_at(table, "requested-revision", at)
    subdirectory = document.text_at(table, "subdirectory", at)
    try:
        reference = GitReference(url, requested, subdirectory)
    except ResolveError as error:
        raise document.wrong(at, error.message, error.hint) from error
    if (reference.url, reference.subdirectory) != (url, subdirectory):
        raise document.wrong(at, f"{reference} is not written in its only form", "run ohs lock")
    commit = _needed(document, table, "commit-id", at, _COMMIT)
    if requested is not None and _COMMIT.fullmatch(requested) and requested != commit:
        raise document.wrong([*at, "commit-id"], f"commit-id is not the commit {requested}")
    return LockedGit(
        name, url, commit, _needed(document, table, "tree", at, _TREE), requested, subdirectory
    )


def _needed(
    document: Document,
    table: dict[str, Any],
    key: str,
    at: list[str | int],
    form: re.Pattern[str],
) -> str:
    value = document.needed(table, key, at)
    if form.fullmatch(value) is None:
        raise document.wrong([*at, key], f"{key} {value[:80]!r} cannot be right", "run ohs lock")
    return value


def lock_mismatch(project: ProjectFile, differences: list[str]) -> FileError:
    """The error `lock_mismatch`: the lock file is not the one of this project file."""
    return FileError(
        "lock_mismatch",
        f"{project.lock_path} does not match {project.path.name}: {'; '.join(differences)}",
        "run ohs lock, look at what changed, and commit the file",
        file=project.lock_path,
    )
