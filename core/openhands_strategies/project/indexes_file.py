"""`indexes.toml` in `OHS_HOME`: the indexes that the user looks names up in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from openhands_strategies.errors import ResolveError
from openhands_strategies.project.home import Home
from openhands_strategies.project.toml_file import Document, read_document
from openhands_strategies.project.toml_text import toml_string
from openhands_strategies.project.writing import editing, write_file
from openhands_strategies.sources.reference import GitReference, is_name

CODE: Final = "indexes_file_invalid"
VERSION: Final = 1
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TREE: Final = re.compile(r"sha256:[0-9a-f]{64}")
_KEYS: Final = ("name", "url", "requested-revision", "commit-id", "tree", "path")


@dataclass(frozen=True)
class UserIndex:
    """One index of the user: a git repository at a commit, or a directory.

    Attributes:
        name: kebab-case; names are unique.
        url: Canonical URL of the repository.
        requested: Revision that the user typed; None means the default branch.
        commit: Full commit id that it is at.
        tree: `sha256:<hex>` of the stored tree with its registry.toml.
        path: Absolute directory on this machine, read anew at each look-up.
    """

    name: str
    url: str | None = None
    requested: str | None = None
    commit: str | None = None
    tree: str | None = None
    path: str | None = None

    def __str__(self) -> str:
        if self.url is None:
            return str(self.path)
        return str(GitReference(self.url, self.requested))


def read_indexes(home: Home) -> tuple[UserIndex, ...]:
    """Read the user's indexes in their order; none when there is no file.

    Raises:
        FileError: `indexes_file_invalid`, with file and line.
    """
    document = read_document(home.path / "indexes.toml", CODE)
    if document is None:
        return ()
    document.version(VERSION)
    document.table(document.data, [], ["version", "index"])
    found: dict[str, UserIndex] = {}
    for position in range(len(document.tables("index", _KEYS))):
        index = _index(document, position)
        if index.name in found:
            raise document.wrong(["index", position, "name"], f"{index.name!r} stands here twice")
        found[index.name] = index
    return tuple(found.values())


def change_indexes(
    home: Home, change: Callable[[tuple[UserIndex, ...]], tuple[UserIndex, ...]]
) -> None:
    """Replace the indexes by what `change` makes of them, while nobody else does so.

    Raises:
        FileError: `indexes_file_invalid`.
        LoadError: `file_busy` or `file_write`.
    """
    with editing(home.path):
        before = read_indexes(home)
        after = change(before)
        if after != before:
            write_file(home.path / "indexes.toml", format_indexes(after))


def format_indexes(indexes: tuple[UserIndex, ...]) -> str | None:
    """The file's text; None when there is nothing to write."""
    if not indexes:
        return None
    parts = [f"# Written by ohs index.\nversion = {VERSION}\n"]
    for index in indexes:
        parts.append("\n[[index]]\n")
        values = {
            "name": index.name,
            "url": index.url,
            "requested-revision": index.requested,
            "commit-id": index.commit,
            "tree": index.tree,
            "path": index.path,
        }
        parts += [f"{key} = {toml_string(value)}\n" for key, value in values.items() if value]
    return "".join(parts)


def _index(document: Document, position: int) -> UserIndex:
    at: list[str | int] = ["index", position]
    table = document.tables("index", _KEYS)[position]
    name = document.needed(table, "name", at)
    if not is_name(name):
        raise document.wrong([*at, "name"], f"{name!r} is no name", "names are kebab-case")
    if "path" in table:
        document.table(table, at, ["name", "path"])
        return UserIndex(name, path=document.needed(table, "path", at, odd=True))
    url = document.needed(table, "url", at)
    requested = document.text_at(table, "requested-revision", at)
    commit = document.needed(table, "commit-id", at)
    tree = document.needed(table, "tree", at)
    try:
        same = GitReference(url, requested).url == url
    except ResolveError as error:
        raise document.wrong(at, error.message, error.hint) from error
    if not same or not _COMMIT.fullmatch(commit) or not _TREE.fullmatch(tree):
        raise document.wrong(at, f"{name}: url, commit-id or tree cannot be right")
    return UserIndex(name, url, requested, commit, tree)
