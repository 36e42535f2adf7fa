"""Writing the small files of a project and of a user's home, one writer at a time.

A reader sees the old or the new file, never half of one, also after a crash.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from openhands_strategies.errors import LoadError, describe
from openhands_strategies.sources.locks import locked

_LOCK: Final = ".strategies.lock-held"
_SECONDS: Final = 120.0


@contextmanager
def editing(directory: Path, *, tidy: bool = False) -> Iterator[None]:
    """Be the only one who reads, changes and writes files of a directory.

    Args:
        directory: `.openhands` of a project, or `OHS_HOME`; made when missing. Not nested
            for one directory.
        tidy: Whether it is removed when it is empty afterwards.

    Raises:
        LoadError: `file_busy` when another process takes over 120 seconds, `file_write`
            when the directory cannot be written.
    """
    lock = locked(directory / _LOCK, remove=True, seconds=_SECONDS, code="file_busy")
    with ExitStack() as stack:
        if tidy:
            stack.callback(_remove_empty, directory)
        try:
            stack.enter_context(lock)
        except OSError as error:
            raise _unwritable(directory, error) from error
        yield


def write_file(path: Path, text: str | None) -> None:
    """Replace a file's content in one step; None removes it. Only within `editing`.

    Raises:
        LoadError: `file_write`; the old file is then still there, unchanged.
    """
    write_files({path: text})


def write_files(texts: Mapping[Path, str | None]) -> None:
    """Replace the content of files that belong together; None removes one. Only within `editing`.

    All new content is on the disk before the first file is replaced, so that a full disk
    changes none of them.

    Raises:
        LoadError: `file_write`.
    """
    path, staged = Path(), []
    try:
        try:
            for path, text in texts.items():
                temporary = _temporary(path)
                # One a killed process left; nobody else writes here at the same time.
                temporary.unlink(missing_ok=True)
                if text is not None:
                    staged.append(temporary)
                    _write(temporary, text, _mode(path))
            for path, text in texts.items():
                if text is None:
                    path.unlink(missing_ok=True)
                else:
                    _temporary(path).replace(path)
        except BaseException:
            for temporary in staged:
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _write(temporary: Path, text: str, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(temporary, flags, mode), "wb") as stream:
        stream.write(text.encode())
        stream.flush()
        os.fsync(stream.fileno())


def _remove_empty(directory: Path) -> None:
    with suppress(OSError):  # not empty, or another process has it already
        directory.rmdir()


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode & 0o777 if not path.is_symlink() else 0o644
    except FileNotFoundError:
        return 0o666


def _unwritable(path: Path, error: OSError) -> LoadError:
    return LoadError(
        "file_write",
        f"{path} cannot be written: {describe(error)}",
        "free some space, or check who may write there",
    )
