"""Reading a stranger's files: bounded in size, regular, and inside the tree."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from openhands_strategies.errors import LoadError, describe

PYTHON_LIMIT: Final = 1_000_000
DATA_LIMIT: Final = 500_000
MAX_ENTRIES: Final = 500
_SHOWN: Final = 500


def inside(root: Path, path: Path) -> bool:
    """Whether `path`, all links followed, lies in `root`; a loop of links does not."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return False


def exists(root: Path, file: str) -> bool:
    """Whether there is something under this name, be it a dangling link."""
    try:
        (root / file).lstat()
    except (OSError, ValueError):
        return False
    return True


def read_bytes(root: Path, file: str, limit: int = DATA_LIMIT) -> bytes:
    """Read a regular file of the tree.

    Args:
        root: Directory of the tree.
        file: Path relative to it, POSIX form.
        limit: Most bytes that are accepted.

    Raises:
        LoadError: `link_outside`, `file_unreadable` or `file_too_large`.
    """
    path = root / file
    if not inside(root, path):
        raise LoadError(
            "link_outside",
            f"{file} leads out of the strategy's directory",
            "put the file itself there instead of a link",
        )
    try:
        # O_NONBLOCK: opening a named pipe must not wait for a writer.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise LoadError(
                    "file_unreadable", f"{file} is not a regular file", "put a file in its place"
                )
            content = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, LoadError):
            raise
        why = error.strerror if isinstance(error, OSError) and error.strerror else describe(error)
        raise LoadError(
            "file_unreadable", f"{file} cannot be read: {why}", "check that it exists and is yours"
        ) from error
    if len(content) > limit:
        raise LoadError(
            "file_too_large", f"{file} has more than {limit} bytes", "split or shorten it"
        )
    return content


def read_text(root: Path, file: str, limit: int = DATA_LIMIT) -> str:
    """Read a UTF-8 file, with or without a byte order mark.

    Raises:
        LoadError: As `read_bytes`, or `file_encoding`.
    """
    try:
        return read_bytes(root, file, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LoadError("file_encoding", f"{file} is not UTF-8", "save it as UTF-8") from error


def read_json(root: Path, file: str, code: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        LoadError: As `read_text`, or `code` when it is not a JSON object.
    """
    text = read_text(root, file)
    try:
        data = json.loads(text)
    except RecursionError as error:
        raise LoadError(code, f"{file} is nested too deeply") from error
    except ValueError as error:
        raise LoadError(code, f"{file} is not JSON: {error}", "correct the file") from error
    if not isinstance(data, dict):
        raise LoadError(code, f"{file} holds no JSON object", "correct the file")
    return data


def parse_toml(text: str, file: str, code: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        LoadError: `code`, naming the file and what is wrong.
    """
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise LoadError(code, f"{file} is nested too deeply") from error
    except ValueError as error:
        raise LoadError(code, f"{file} is not TOML: {error}", "correct the file") from error


def entries(root: Path, folder: str) -> Iterator[str]:
    """Names in a folder of the tree, sorted; nothing when there is no such folder.

    Raises:
        LoadError: `link_outside` for a folder that is a link out of the tree,
            `too_many_files` for more than `MAX_ENTRIES` names, `file_name_invalid`
            for a name with characters that do not print.
    """
    path = root / folder
    if not exists(root, folder):
        return
    if not inside(root, path):
        raise LoadError("link_outside", f"{folder} leads out of the strategy's directory")
    if not path.is_dir():
        return
    names: list[str] = []
    with os.scandir(path) as found:
        for entry in found:
            if not entry.name.isprintable():
                raise LoadError(
                    "file_name_invalid", f"{folder} holds {entry.name!r}", "rename that file"
                )
            names.append(entry.name)
            if len(names) > MAX_ENTRIES:
                raise LoadError("too_many_files", f"{folder} has more than {MAX_ENTRIES} entries")
    yield from sorted(names)


def printable(text: str, limit: int = _SHOWN) -> str:
    """One line without control characters, so that it is safe to show on a terminal.

    White space is folded; other characters that do not print are written as escapes.
    A longer text is cut and marked.
    """
    folded = " ".join(text[: limit * 4].split())
    safe = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in folded
    )
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
