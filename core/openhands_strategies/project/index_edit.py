"""The user's indexes: adding, bringing up to date and removing them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from openhands_strategies.errors import UsageError
from openhands_strategies.project.fetching import Fetching, fetch_index
from openhands_strategies.project.home import Home
from openhands_strategies.project.index_file import FILE, IndexEntry, read_index
from openhands_strategies.project.indexes import BUNDLED
from openhands_strategies.project.indexes_file import UserIndex, change_indexes, read_indexes
from openhands_strategies.project.toml_file import FileError
from openhands_strategies.sources.redacting import shown
from openhands_strategies.sources.reference import (
    GitReference,
    PathReference,
    is_name,
    parse_reference,
)
from openhands_strategies.sources.store import using_store


def list_indexes(home: Home) -> tuple[UserIndex, ...]:
    """The user's indexes in the order of the look-up.

    Raises:
        FileError: `indexes_file_invalid`.
    """
    return read_indexes(home)


def add_index(
    text: str,
    home: Home,
    *,
    base: Path,
    name: str | None = None,
    fetching: Fetching | None = None,
) -> UserIndex:
    """Add an index, or bring the one of that name and place up to date.

    Args:
        text: A git source or a directory, as the user typed it; its root holds
            registry.toml.
        home: The user's home.
        base: Absolute directory that a relative path starts from.
        name: What it is called; by default, as its repository or directory.
        fetching: How to fetch.

    Raises:
        UsageError: `index_reference`, `name_invalid` or `name_taken`.
        FileError: `index_invalid`, or `indexes_file_invalid`.
        ResolveError, LoadError: It cannot be found, fetched or written.
    """
    reference = parse_reference(text)
    if isinstance(reference, PathReference) and reference.attribute is None:
        directory = (base / Path(reference.path).expanduser()).resolve()
        index = UserIndex(_name(name, directory.name), path=str(directory))
        _entries(directory, str(reference))
        _write(index, home)
        return index
    if not isinstance(reference, GitReference) or reference.subdirectory is not None:
        raise UsageError(
            "index_reference",
            f"{reference} is no repository with a {FILE} at its root",
            "write git+https://…, github:org/repo@ref, or ./directory",
        )
    with using_store(home.store):
        commit, tree, directory = fetch_index(reference, home, fetching or Fetching())
        last = reference.url.rstrip("/").rpartition("/")[2].removesuffix(".git")
        index = UserIndex(
            _name(name, last), reference.url, reference.revision, commit=commit, tree=tree
        )
        _entries(directory, str(reference))
        _write(index, home)
    return index


def update_index(name: str, home: Home, fetching: Fetching | None = None) -> UserIndex:
    """Fetch an index's repository anew; one that is a directory is always up to date.

    Raises:
        UsageError: `index_unknown`.
        FileError: `index_invalid`, or `indexes_file_invalid`.
        ResolveError, LoadError: It cannot be fetched or written.
    """
    index = next((one for one in read_indexes(home) if one.name == name), None)
    if index is None:
        raise _unknown(name, home)
    if index.url is None:
        return index
    reference = GitReference(index.url, index.requested)
    with using_store(home.store):
        commit, tree, directory = fetch_index(reference, home, fetching or Fetching())
        _entries(directory, str(reference))
        index = replace(index, commit=commit, tree=tree)
        _write(index, home)
    return index


def remove_index(name: str, home: Home) -> None:
    """Remove an index; what was added from it stays.

    Raises:
        UsageError: `index_unknown`.
        FileError: `indexes_file_invalid`.
        LoadError: `file_busy` or `file_write`.
    """

    def change(known: tuple[UserIndex, ...]) -> tuple[UserIndex, ...]:
        rest = tuple(one for one in known if one.name != name)
        if rest == known:
            raise _unknown(name, home)
        return rest

    change_indexes(home, change)


def _write(index: UserIndex, home: Home) -> None:
    def change(known: tuple[UserIndex, ...]) -> tuple[UserIndex, ...]:
        same = next((one for one in known if one.name == index.name), None)
        if same is None:
            return (*known, index)
        if (same.url, same.path) != (index.url, index.path):
            raise UsageError(
                "name_taken",
                f"the index {index.name!r} is {same} already",
                f"choose another with --as, or ohs index remove {index.name}",
            )
        return tuple(index if one is same else one for one in known)

    change_indexes(home, change)


def _name(wanted: str | None, place: str) -> str:
    name = wanted or re.sub(r"[^a-z0-9]+", "-", place.lower()).strip("-")
    if not is_name(name) or name == BUNDLED:
        what = "is the index that comes along" if name == BUNDLED else "is no index name"
        raise UsageError(
            "name_invalid", f"{shown(name)!r} {what}", "names are kebab-case: --as mine"
        )
    return name


def _entries(directory: Path, shown: str) -> dict[str, IndexEntry]:
    entries = read_index(directory / FILE)
    if entries is None:
        raise FileError(
            "index_missing",
            f"{shown} has no {FILE}",
            "an index is a repository with that file at its root",
            file=directory / FILE,
        )
    return entries


def _unknown(name: str, home: Home) -> UsageError:
    names = ", ".join(one.name for one in read_indexes(home)) or "none"
    return UsageError(
        "index_unknown", f"there is no index {shown(name)!r}", f"your indexes: {names}"
    )
