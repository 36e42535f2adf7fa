"""Reading our TOML files strictly: whatever is wrong is named with its file and line."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from openhands_strategies.errors import StrategyError, describe
from openhands_strategies.manifest.files import printable
from openhands_strategies.project.toml_text import NAME, line_of

MAX_BYTES: Final = 1_000_000
_WHERE: Final = re.compile(r" \(at line (\d+), column \d+\)$| \(at end of document\)$")
_DEEP: Final = re.compile(rf"(?<![\w-])(?:{NAME}\.[ \t]*+){{20}}")


class FileError(StrategyError, ValueError):
    """A file of ours that is not what it has to be.

    Attributes:
        file: The file.
        line: Line of what is wrong, 1 for the first; 0 when it is the whole file.
    """

    exit_code: ClassVar[int] = 3

    def __init__(
        self, code: str, message: str, hint: str = "", *, file: Path, line: int = 0
    ) -> None:
        super().__init__(code, message, hint)
        self.file = file
        self.line = line


@dataclass(frozen=True)
class Document:
    """A parsed file.

    Attributes:
        path: Where it is, for messages.
        text: Its content.
        data: What TOML makes of it.
        code: Code of every error about it.
    """

    path: Path
    text: str
    data: Mapping[str, Any]
    code: str

    def wrong(self, at: Sequence[str | int], what: str, hint: str = "correct it") -> FileError:
        """An error about what stands at a place; `at` is a path of keys and indexes."""
        line = self.line(at)
        return FileError(
            self.code, f"{self.path}:{line}: {printable(what)}", hint, file=self.path, line=line
        )

    def line(self, at: Sequence[str | int]) -> int:
        """The line of what stands at a place."""
        return line_of(self.text, at)

    def table(self, value: object, at: Sequence[str | int], allowed: Sequence[str] | None) -> Any:
        """Return `value` when it is a table with none but the allowed keys (None: any).

        Raises:
            FileError: It is something else.
        """
        name = ".".join(map(str, at)) or "the file"
        if not isinstance(value, dict):
            raise self.wrong(at, f"{name} is {_kind(value)}, not a table")
        for key in value:
            if allowed is not None and key not in allowed:
                raise self.wrong(
                    [*at, key],
                    f"{name} has the unknown key {printable(key, 60)!r}",
                    f"known keys: {', '.join(allowed)}",
                )
        return value

    def tables(self, key: str, allowed: Sequence[str]) -> list[Any]:
        """The array of tables `[[key]]` of the top level; none when there is no such key.

        Raises:
            FileError: It is something else.
        """
        value = self.data.get(key, [])
        if not isinstance(value, list):
            raise self.wrong([key], f"{key} is {_kind(value)}, not an array: write [[{key}]]")
        return [self.table(entry, [key, index], allowed) for index, entry in enumerate(value)]

    def text_at(
        self, table: Mapping[str, Any], key: str, at: Sequence[str | int], *, odd: bool = False
    ) -> str | None:
        """A string on one line, or None when the key is missing.

        Args:
            table: What holds the key.
            key: The key.
            at: Where the table is.
            odd: Whether characters that do not print are allowed, as in file names.

        Raises:
            FileError: It is something else, or empty.
        """
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.wrong([*at, key], f"{key} is {_kind(value)}, not a string")
        if not value.strip() or not (odd or value.isprintable()):
            what = "is empty" if not value.strip() else "has a control character"
            raise self.wrong([*at, key], f"{key} {what}")
        return value

    def needed(
        self, table: Mapping[str, Any], key: str, at: Sequence[str | int], *, odd: bool = False
    ) -> str:
        """As `text_at`, for a key that must be there."""
        value = self.text_at(table, key, at, odd=odd)
        if value is None:
            raise self.wrong(at, f"{'.'.join(map(str, at))} has no {key}", f"add {key} = …")
        return value

    def version(self, known: int) -> None:
        """Check the key `version`.

        Raises:
            FileError: It is missing, no number, or from a later version of this package.
        """
        value = self.data.get("version")
        if type(value) is not int:
            what = "has no version" if value is None else f"version is {_kind(value)}"
            raise self.wrong(["version"], what, f"write version = {known} at its top")
        if value != known:
            raise self.wrong(
                ["version"],
                f"version {value} of this file is not known here",
                "update openhands-strategies" if value > known else f"the version is {known}",
            )


def read_document(path: Path, code: str) -> Document | None:
    """Read a TOML file; None when there is none.

    Raises:
        FileError: `code` when it cannot be read, is larger than 1 MB, or is no TOML.
    """
    try:
        # O_NONBLOCK: opening a named pipe must not wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(path, code, error) from error
    try:
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise FileError(code, f"{path} is no regular file", "put a file there", file=path)
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, code, error) from error
    return parse_document(content, path, code)


def parse_document(content: bytes, path: Path, code: str) -> Document:
    """Parse the content of a TOML file.

    Args:
        content: At most 1 MB of UTF-8.
        path: Its file, for messages.
        code: Code of every error.

    Raises:
        FileError: It is no TOML.
    """
    if len(content) > MAX_BYTES:
        raise FileError(code, f"{path} is larger than 1 MB", "shorten it", file=path)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileError(
            code, f"{path}:{line}: not UTF-8", "save it as UTF-8", file=path, line=line
        ) from error
    # The time that parsing takes grows with the square of a key's depth.
    if deep := _DEEP.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise FileError(
            code, f"{path}:{line}: nested too deeply", "shorten it", file=path, line=line
        )
    try:
        return Document(path, text, tomllib.loads(text), code)
    except RecursionError as error:
        raise FileError(code, f"{path} is nested too deeply", "shorten it", file=path) from error
    except ValueError as error:
        where = _WHERE.search(str(error))
        line = int(where[1] or text.rstrip().count("\n") + 1) if where else 1
        what = printable(_WHERE.sub("", str(error)), 200)
        raise FileError(
            code, f"{path}:{line}: not TOML: {what}", "correct it", file=path, line=line
        ) from error


def _kind(value: object) -> str:
    kinds = {bool: "a boolean", int: "an integer", float: "a float", str: "a string"}
    kinds.update({list: "an array", dict: "a table"})
    return kinds.get(type(value), "a date or time")


def _unreadable(path: Path, code: str, error: Exception) -> FileError:
    return FileError(
        code, f"{path} cannot be read: {describe(error)}", "check who may read it", file=path
    )
