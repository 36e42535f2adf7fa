"""`trust.toml` in `OHS_HOME`: what the user of this machine has agreed to run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from openhands_strategies.errors import UsageError
from openhands_strategies.project.changes import KINDS, CapabilityLines
from openhands_strategies.project.home import Home
from openhands_strategies.project.toml_file import (
    MAX_BYTES,
    Document,
    read_document,
)
from openhands_strategies.project.toml_text import toml_string
from openhands_strategies.project.writing import editing, write_file

CODE: Final = "trust_file_invalid"
VERSION: Final = 1
_FETCH: Final = "fetch"
_TREE: Final = re.compile(r"sha256:[0-9a-f]{64}")
_TEXTS: Final = ("tree", "name", "url", "subdirectory", "commit-id", "path", "date")


@dataclass(frozen=True)
class TrustedTree:
    """Consent to one tree: any change of any file of it asks again.

    Attributes:
        tree: `sha256:<hex>`.
        name: Name of the strategy at that time.
        date: When the user agreed, ISO 8601 in UTC.
        url: Repository, for a tree that came from git.
        subdirectory: Directory in the repository; None means its root.
        commit: Full commit id.
        path: Absolute path, for a tree that came from this machine.
        capabilities: What it could do at that time.
    """

    tree: str
    name: str
    date: str
    url: str | None = None
    subdirectory: str | None = None
    commit: str | None = None
    path: str | None = None
    capabilities: CapabilityLines = field(default_factory=dict)

    @property
    def place(self) -> tuple[str | None, str | None, str | None]:
        """Where trees of the same source come from."""
        return self.url, self.subdirectory, self.path


@dataclass(frozen=True)
class TrustedPath:
    """A path that the user typed or added on this machine, whatever it holds later.

    Attributes:
        path: Absolute path with all links followed: a `.py` file or a directory.
        date: When, ISO 8601 in UTC.
        fetch: It is a repository that may be fetched from; nothing there may run by that.
    """

    path: str
    date: str
    fetch: bool = False


@dataclass(frozen=True)
class TrustFile:
    """All consents, the oldest first."""

    trees: tuple[TrustedTree, ...] = ()
    paths: tuple[TrustedPath, ...] = ()


def read_trust(home: Home) -> TrustFile:
    """Read all consents; none when there is no file.

    Raises:
        FileError: `trust_file_invalid`, with file and line. Nothing counts then.
    """
    document = read_document(home.trust_file, CODE)
    return TrustFile() if document is None else _read(document)


def change_trust(home: Home, change: Callable[[TrustFile], TrustFile]) -> TrustFile:
    """Replace the consents by what `change` makes of them, while nobody else does so.

    Returns:
        What they were before.

    Raises:
        FileError: `trust_file_invalid`.
        UsageError: `trust_full` when the file would grow beyond 1 MB.
        LoadError: `file_busy` or `file_write`.
    """
    with editing(home.path):
        before = read_trust(home)
        after = change(before)
        if after != before:
            text = format_trust(after)
            if text is not None and len(text.encode()) > MAX_BYTES:
                raise UsageError(
                    "trust_full",
                    f"{home.trust_file} would grow beyond 1 MB",
                    "ohs trust --list shows what is in it, ohs trust --revoke takes it out",
                )
            write_file(home.trust_file, text)
        return before


def format_trust(trust: TrustFile) -> str | None:
    """The file's text; None when there is nothing to write."""
    if trust == TrustFile():
        return None
    parts = [f"# What you agreed to run; ohs trust changes it.\nversion = {VERSION}\n"]
    for path in trust.paths:
        use = _line("use", _FETCH) if path.fetch else ""
        parts.append(f"\n[[path]]\n{_line('path', path.path)}{use}{_line('date', path.date)}")
    for tree in trust.trees:
        texts = {
            "tree": tree.tree,
            "name": tree.name,
            "url": tree.url,
            "subdirectory": tree.subdirectory,
            "commit-id": tree.commit,
            "path": tree.path,
            "date": tree.date,
        }
        parts.append("\n[[tree]]\n")
        parts += [_line(key, value) for key, value in texts.items() if value]
        parts += [_array(kind, tree.capabilities[kind]) for kind in KINDS
                  if tree.capabilities.get(kind)]  # fmt: skip
    return "".join(parts)


def _line(key: str, value: str) -> str:
    return f"{key} = {toml_string(value)}\n"


def _array(key: str, values: Sequence[str]) -> str:
    return f"{key} = [\n" + "".join(f"  {toml_string(value)},\n" for value in values) + "]\n"


def _read(document: Document) -> TrustFile:
    document.version(VERSION)
    document.table(document.data, [], ["version", "path", "tree"])
    tables = document.tables("path", ["path", "use", "date"])
    paths = tuple(_path(document, one, ["path", index]) for index, one in enumerate(tables))
    tables = document.tables("tree", [*_TEXTS, *KINDS])
    return TrustFile(tuple(_tree(document, one, index) for index, one in enumerate(tables)), paths)


def _path(document: Document, table: Mapping[str, Any], at: list[str | int]) -> TrustedPath:
    use = document.text_at(table, "use", at)
    if use not in (None, _FETCH):
        raise document.wrong([*at, "use"], f"use is {use!r}, and only {_FETCH!r} is known")
    return TrustedPath(
        document.needed(table, "path", at, odd=True),
        document.needed(table, "date", at),
        use == _FETCH,
    )


def _tree(document: Document, table: Mapping[str, Any], index: int) -> TrustedTree:
    at: list[str | int] = ["tree", index]
    tree = document.needed(table, "tree", at)
    if _TREE.fullmatch(tree) is None:
        raise document.wrong([*at, "tree"], f"tree {tree[:80]!r} is no tree hash")
    for kind in KINDS:
        lines = table.get(kind, [])
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise document.wrong([*at, kind], f"{kind} is no array of strings")
    return TrustedTree(
        tree=tree,
        name=document.needed(table, "name", at),
        date=document.needed(table, "date", at),
        url=document.text_at(table, "url", at),
        subdirectory=document.text_at(table, "subdirectory", at),
        commit=document.text_at(table, "commit-id", at),
        path=document.text_at(table, "path", at, odd=True),
        capabilities={kind: tuple(table[kind]) for kind in KINDS if table.get(kind)},
    )
