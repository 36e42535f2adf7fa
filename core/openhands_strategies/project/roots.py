"""What keeps trees in the store: lock files, consents, indexes and runs.

`projects.toml` in `OHS_HOME` remembers the projects of this machine by their lock files,
so that a clean-up asked for in one project leaves the trees of the others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

from openhands_strategies.errors import LoadError, describe
from openhands_strategies.project.home import Home
from openhands_strategies.project.project_file import DIRECTORY, ProjectFile
from openhands_strategies.project.project_file import FILE as PROJECT_FILE
from openhands_strategies.project.toml_file import read_document
from openhands_strategies.project.toml_text import toml_string
from openhands_strategies.project.writing import editing, write_file
from openhands_strategies.sources.store_care import Collected, collect_garbage

CODE: Final = "projects_file_invalid"
VERSION: Final = 1
_HEADER: Final = "# Projects whose lock files name trees of the store.\n"
_TREE: Final = re.compile(rb"sha256:[0-9a-f]{64}")
_RUN_FILES: Final = ("run.json", "base_state.json")


def remember_project(project: ProjectFile, home: Home) -> None:
    """Note that a project's lock file names trees of the store.

    Raises:
        FileError: `projects_file_invalid`.
        LoadError: `file_busy` or `file_write`.
    """
    path = project.lock_path.absolute()
    if project.user or path in known_locks(home):
        return
    if home.path.exists() and not os.access(home.path, os.W_OK):
        return  # who cannot write there cannot clean up there either
    _change(home, lambda known: [*known, path])


def known_locks(home: Home) -> list[Path]:
    """The remembered lock files of projects; they need not exist any more.

    Raises:
        FileError: `projects_file_invalid`.
    """
    document = read_document(home.path / "projects.toml", CODE)
    if document is None:
        return []
    document.version(VERSION)
    document.table(document.data, [], ["version", "locks"])
    found = []
    for uri in document.data.get("locks", []):
        if not isinstance(uri, str) or not uri.startswith("file:///"):
            raise document.wrong(["locks"], "locks holds something else than file: URLs")
        found.append(Path(os.fsdecode(unquote_to_bytes(uri.removeprefix("file://")))))
    return found


def kept_trees(home: Home) -> Iterator[str]:
    """`sha256:<hex>` of every tree that something names; some may stand twice.

    Files are searched for tree hashes, not parsed: one that is damaged keeps its trees.

    Raises:
        FileError: `projects_file_invalid`.
        LoadError: `root_unreadable` when it cannot be told what a file names.
    """
    own = (PROJECT_FILE.replace(".toml", ".lock"), "trust.toml", "indexes.toml")
    for path in (*known_locks(home), *(home.path / name for name in own)):
        yield from _named(path)
    for directory, below, names in home.runs.walk(on_error=_unreadable):
        # Thousands of small files, and the trees of a run stand in its state as well.
        below[:] = [name for name in below if name != "events"]
        for name in _RUN_FILES:
            if name in names:
                yield from _named(directory / name)


def collect(home: Home, *, waiting: Callable[[], None] | None = None) -> Collected:
    """Clear the store of what nothing names, and forget projects that are gone.

    A home that is empty then is removed, and so is a `.openhands` that held nothing else.

    Raises:
        LoadError: As `collect_garbage` and `kept_trees`; `file_busy` or `file_write`.
        FileError: `projects_file_invalid`.
    """
    collected = collect_garbage(home.store, kept_trees(home), waiting=waiting)
    if not all(path.exists() for path in known_locks(home)):
        _change(home, lambda known: [path for path in known if path.exists()])
    with suppress(OSError):  # not empty, not there, or not ours to remove
        home.path.rmdir()
        if home.path.parent.name == DIRECTORY:
            home.path.parent.rmdir()
    return collected


def _change(home: Home, change: Callable[[list[Path]], list[Path]]) -> None:
    with editing(home.path):
        known = sorted(set(change(known_locks(home))))
        text = None
        if known:
            lines = "".join(f"  {toml_string(path.as_uri())},\n" for path in known)
            text = f"{_HEADER}version = {VERSION}\nlocks = [\n{lines}]\n"
        write_file(home.path / "projects.toml", text)


def _named(path: Path) -> Iterator[str]:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise _root_unreadable(path, error) from error
    for tree in _TREE.findall(content):
        yield tree.decode()


def _unreadable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise _root_unreadable(Path(error.filename or "runs"), error) from error


def _root_unreadable(path: Path, error: OSError) -> LoadError:
    return LoadError(
        "root_unreadable",
        f"{path} cannot be read, so nothing is removed: {describe(error)}",
        "check who may read it",
    )
