"""`.openhands/strategies.toml`: the strategies of a project, edited by people.

The user's own strategies stand in a file of the same form, `OHS_HOME/strategies.toml`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from openhands_strategies.project.home import Home
from openhands_strategies.project.toml_file import Document, parse_document, read_document
from openhands_strategies.sources.reference import is_name

DIRECTORY: Final = ".openhands"
FILE: Final = "strategies.toml"
CODE: Final = "project_file_invalid"


@dataclass(frozen=True)
class Entry:
    """One strategy of a project.

    Attributes:
        name: What it is called here.
        source: A reference; a relative path starts from the project's directory.
        file: The file that names it.
        line: Its line there.
    """

    name: str
    source: str
    file: Path
    line: int


@dataclass(frozen=True)
class ProjectFile:
    """A project's file, or the user's own.

    Attributes:
        path: The file; it need not exist.
        entries: By name, in the order of the file.
        user: Whether it is the user's own, in `OHS_HOME`.
        text: Its content; empty when it does not exist.
    """

    path: Path
    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    user: bool = False
    text: str = field(default="", repr=False)

    @property
    def base(self) -> Path:
        """Where relative paths start: the project's directory, or `OHS_HOME`."""
        return self.path.parent if self.user else self.path.parent.parent

    @property
    def lock_path(self) -> Path:
        """The lock file beside it."""
        return self.path.with_suffix(".lock")


def find_project(base: Path) -> ProjectFile | None:
    """Read the nearest project file of `base` and the directories above it.

    Raises:
        FileError: `project_file_invalid`, with file and line.
    """
    base = base.absolute()
    for directory in (base, *base.parents):
        path = directory / DIRECTORY / FILE
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError:  # another user's directory: not the project of this one
            continue
        return read_project_file(path)
    return None


def project_to_write(base: Path) -> ProjectFile:
    """The nearest project file; where there is none, the one to make.

    A new one belongs to the root of the git repository that `base` is in, or to `base`.

    Raises:
        FileError: `project_file_invalid`.
    """
    found = find_project(base)
    if found is not None:
        return found
    base = base.absolute()
    roots = (one for one in (base, *base.parents) if os.path.lexists(one / ".git"))
    return ProjectFile(next(roots, base) / DIRECTORY / FILE)


def user_file(home: Home) -> ProjectFile:
    """Read the user's own strategies; none when the file does not exist.

    Raises:
        FileError: `project_file_invalid`.
    """
    return read_project_file(home.path / FILE, user=True)


def read_project_file(path: Path, *, user: bool = False) -> ProjectFile:
    """Read one file strictly; a missing one has no entries.

    Raises:
        FileError: `project_file_invalid` for broken TOML, unknown keys, wrong types and
            names that are none.
    """
    document = read_document(path, CODE)
    return ProjectFile(path, user=user) if document is None else _project(document, user)


def parse_project(text: str, path: Path, *, user: bool = False) -> ProjectFile:
    """Read the text of a project file; `path` is for messages.

    Raises:
        FileError: `project_file_invalid`.
    """
    return _project(parse_document(text.encode(), path, CODE), user)


def _project(document: Document, user: bool) -> ProjectFile:
    entries = MappingProxyType(_entries(document))
    return ProjectFile(document.path, entries, user, document.text)


def _entries(document: Document) -> dict[str, Entry]:
    top = document.table(document.data, [], ["strategies"])
    found: dict[str, Entry] = {}
    for name, value in document.table(top.get("strategies", {}), ["strategies"], None).items():
        at = ["strategies", name]
        if not is_name(name):
            raise document.wrong(at, f"{name!r} is no strategy name", "names are kebab-case")
        table = document.table(value, at, ["source"])
        source = document.needed(table, "source", at)
        line = document.line([*at, "source"])
        found[name] = Entry(name, source, document.path, line)
    return found
