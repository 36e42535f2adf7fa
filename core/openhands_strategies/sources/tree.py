"""Trees: which files make up a strategy, and the hash that names them.

What the user's machine adds to a directory (`.git`, caches, virtual environments) is
left out; what could lead out of the tree or mean two things on two machines is refused.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openhands_strategies.errors import LoadError, describe, one_line

MAX_FILES: Final = 5_000
MAX_BYTES: Final = 50_000_000
_SKIPPED: Final = frozenset(
    (
        *(".git", ".hg", ".svn", "__pycache__", ".venv", "venv", "node_modules"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".DS_Store"),
    )
)
_SKIPPED_ENDINGS: Final = (".pyc", ".egg-info")
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, order=True)
class TreeFile:
    """One file of a tree.

    Attributes:
        path: POSIX path relative to the root.
        mode: As git writes it: `100644`, `100755` (executable) or `120000` (link).
        size: Bytes of the content; for a link, of its target.
    """

    path: str
    mode: str
    size: int


def tree_files(root: Path, only: Sequence[str] | None = None) -> list[TreeFile]:
    """List the files of a tree, sorted by path. No content is read.

    Args:
        root: Directory of the tree.
        only: POSIX paths relative to `root` that make up the tree; everything below
            `root` by default.

    Raises:
        LoadError: `tree_unreadable`, `tree_link` (leads out of the tree or in a circle),
            `tree_special` (a device, socket or pipe), `tree_case_twins`, `tree_name`, or
            `tree_too_large` (over 5,000 files or directories, or 50 MB).
    """
    root = root.resolve()
    paths: Iterable[str] = _walk(root) if only is None else dict.fromkeys(only)
    files: list[TreeFile] = []
    spellings: dict[str, str] = {}
    total = 0
    try:
        for path in paths:
            check_name(root, path, spellings)
            entry = _entry(root, path)
            if entry is not None:
                files.append(entry)
                total += entry.size
            if len(files) > MAX_FILES or len(spellings) > 2 * MAX_FILES or total > MAX_BYTES:
                raise too_large(root)
    except OSError as error:
        raise _unreadable(root, error) from error
    return sorted(files)


def hash_tree(root: Path, files: Iterable[TreeFile]) -> str:
    """Return `sha256:<hex>` over the sorted records `mode SP sha256(content) SP path NUL`.

    The inner hash is written in hex, the path in UTF-8; a link's content is its target.

    Raises:
        LoadError: `tree_unreadable` or `tree_changed` when a file is not what it was when
            it was listed.
    """
    return hash_contents((file, read_file(root, file)) for file in files)


def hash_contents(files: Iterable[tuple[TreeFile, Iterable[bytes]]]) -> str:
    """As `hash_tree`, of files whose content comes from elsewhere, in pieces."""
    records = []
    for file, pieces in files:
        content = hashlib.sha256()
        for piece in pieces:
            content.update(piece)
        records.append(f"{file.mode} {content.hexdigest()} {file.path}\0".encode())
    return "sha256:" + hashlib.sha256(b"".join(sorted(records))).hexdigest()


def read_file(root: Path, file: TreeFile) -> Iterator[bytes]:
    """Yield the content of one file in pieces, without following a link.

    Raises:
        LoadError: `tree_unreadable` or `tree_changed`.
    """
    path = root / file.path
    try:
        if file.mode == "120000":
            yield os.fsencode(_target(path))
            return
        # A file swapped for a link or a pipe since the listing must not be followed.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        flags |= getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise _changed(path)
            left = file.size
            while chunk := stream.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise _changed(path)
                yield chunk
            if left:
                raise _changed(path)
    except FileNotFoundError as error:
        raise _changed(path) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def is_skipped(name: str) -> bool:
    """Whether a file or directory of this name never belongs to a tree."""
    return name in _SKIPPED or name.endswith(_SKIPPED_ENDINGS)


def check_name(root: Path | str, path: str, spellings: dict[str, str]) -> None:
    """Check one path of a tree.

    Args:
        root: The tree, for messages.
        path: POSIX path relative to the root.
        spellings: What was checked before, by how a machine that folds case sees it; begin
            with an empty one.

    Raises:
        LoadError: `tree_name` or `tree_case_twins`.
    """
    parts = path.split("/")
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise bad_name(root, path, "has a name that is not UTF-8") from error
    if path.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise bad_name(root, path, "is no path below the tree's root")
    for end in range(1, len(parts) + 1):
        spelling = "/".join(parts[:end])
        folded = unicodedata.normalize("NFC", spelling).casefold()
        if spellings.setdefault(folded, spelling) != spelling:
            raise LoadError(
                "tree_case_twins",
                f"{root} has both {spellings[folded]} and {spelling}",
                "rename one: they are the same file on many machines",
            )


def bad_name(root: Path | str, path: str, what: str) -> LoadError:
    """The error `tree_name` for a path that cannot be shown as it is."""
    shown = one_line(path.encode("utf-8", "backslashreplace").decode())
    return LoadError("tree_name", f"{root}: {shown} {what}", "rename the file")


def too_large(root: Path | str) -> LoadError:
    """The error `tree_too_large`."""
    return LoadError(
        "tree_too_large",
        f"{root} has more than {MAX_FILES} files or {MAX_BYTES // 10**6} MB",
        "a strategy is one .py file or a directory of its own",
    )


def _walk(root: Path) -> Iterator[str]:
    """Yield files, links and directories, parents first; `_entry` sorts them out."""
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with os.scandir(root / prefix) as found:
            for entry in found:
                if is_skipped(entry.name):
                    continue
                path = prefix + entry.name
                yield path
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path + "/")


def _entry(root: Path, path: str) -> TreeFile | None:
    full = root / path
    status = full.lstat()
    if "/" in path and not full.parent.resolve().is_relative_to(root):
        raise _link(full.parent)
    if stat.S_ISLNK(status.st_mode):
        target = _target(full)
        if _goes_round(full):
            raise _link(full, "leads round in a circle")
        # Both readings must stay inside: the text's, and the file system's.
        plain = Path(os.path.normpath(full.parent / target))
        inside = plain.is_relative_to(root) and full.resolve().is_relative_to(root)
        if Path(target).is_absolute() or not inside:
            raise _link(full)
        return TreeFile(path, "120000", len(os.fsencode(target)))
    if stat.S_ISDIR(status.st_mode):
        return None
    if not stat.S_ISREG(status.st_mode):
        raise LoadError(
            "tree_special",
            f"{full} is a device, a socket or a pipe",
            "a strategy's directory holds files, directories and links only",
        )
    mode = "100755" if status.st_mode & stat.S_IXUSR else "100644"
    return TreeFile(path, mode, status.st_size)


def _target(link: Path) -> str:
    return os.readlink(link)  # noqa: PTH115 (Path would rewrite it, and it is hashed)


def _goes_round(link: Path) -> bool:
    try:
        link.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _link(path: Path, what: str = "leaves its directory") -> LoadError:
    return LoadError(
        "tree_link",
        f"{path} is a link that {what}",
        "replace the link by a copy, or by a relative link to a file beside it",
    )


def _changed(path: Path) -> LoadError:
    return LoadError("tree_changed", f"{path} changed while it was read", "try again")


def _unreadable(path: Path, error: OSError) -> LoadError:
    return LoadError(
        "tree_unreadable", f"{path} cannot be read: {describe(error)}", "check who may read it"
    )
