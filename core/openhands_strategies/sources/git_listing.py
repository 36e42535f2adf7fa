"""The files of a git tree: checked by name before anything is written, then written."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openhands_strategies.errors import LoadError
from openhands_strategies.sources.tree import (
    MAX_BYTES,
    MAX_FILES,
    bad_name,
    check_name,
    is_skipped,
    too_large,
)

_ENTRY: Final = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40,64})\t(.+)", re.DOTALL)
_MODES: Final = {"100644": "100644", "100664": "100644", "100755": "100755", "120000": "120000"}
_LONGEST_LINK: Final = 4096
# What a file system of Apple's drops from a name.
_IGNORED: Final = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


@dataclass(frozen=True)
class GitFile:
    """One file of a git tree.

    Attributes:
        path: POSIX path relative to the tree.
        mode: `100644`, `100755` or `120000`.
        id: Id of its blob.
    """

    path: str
    mode: str
    id: str


def read_listing(where: str, listing: bytes) -> list[GitFile]:
    """Read what `git ls-tree -r -z` printed.

    What never belongs to a tree (see `tree.is_skipped`) is left out.

    Args:
        where: The source, for messages.
        listing: Records `mode SP type SP id TAB path`, each ended by NUL.

    Raises:
        LoadError: `tree_submodule`, `tree_special`, `tree_name`, `tree_case_twins` or
            `tree_too_large`.
    """
    files: list[GitFile] = []
    spellings: dict[str, str] = {}
    for record in listing.split(b"\0")[:-1]:
        match = _ENTRY.fullmatch(record)
        if match is None:
            raise bad_name(where, os.fsdecode(record), "is no entry of a git tree")
        mode, kind, blob = (part.decode() for part in match.groups()[:3])
        path = os.fsdecode(match[4])
        _check(where, path)
        if any(is_skipped(part) for part in path.split("/")):
            continue
        check_name(where, path, spellings)
        if kind == "commit":
            raise LoadError(
                "tree_submodule",
                f"{where}: {path} is a submodule",
                "a strategy's directory holds its own files; copy them in",
            )
        if kind != "blob" or mode not in _MODES:
            raise LoadError(
                "tree_special",
                f"{where}: {path} is no file and no link",
                "a strategy's directory holds files, directories and links only",
            )
        files.append(GitFile(path, _MODES[mode], blob))
        if len(files) > MAX_FILES or len(spellings) > 2 * MAX_FILES:
            raise too_large(where)
    _check_nesting(where, files)
    return files


def check_sizes(where: str, files: Sequence[GitFile], sizes: dict[str, int]) -> None:
    """Refuse a tree that would be too large, or a link whose target is no path.

    Raises:
        LoadError: `tree_too_large` or `tree_link`.
    """
    if sum(sizes[file.id] for file in files) > MAX_BYTES:
        raise too_large(where)
    for file in files:
        if file.mode == "120000" and not 0 < sizes[file.id] <= _LONGEST_LINK:
            raise _link_to_no_path(f"{where}: {file.path}")


class TreeWriter:
    """Writes the files of a tree from what `git cat-file --batch` prints.

    Links are made by `finish`, after all files, so that nothing is written through one.

    Args:
        root: Empty directory.
        files: In the order in which git was asked for their blobs.
    """

    def __init__(self, root: Path, files: Sequence[GitFile]) -> None:
        self._root = root
        self._waiting = list(reversed(files))
        self._links: list[tuple[Path, bytes]] = []
        self._held = bytearray()
        self._size: int | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next piece of the output.

        Raises:
            LoadError: `git_answer` when it is not what was asked for, `tree_link`.
            OSError: A file cannot be written.
        """
        self._held += chunk
        while self._waiting:
            if self._size is None:
                header, newline, rest = self._held.partition(b"\n")
                if not newline:
                    return
                self._size = self._expected(bytes(header))
                self._held = rest
            if len(self._held) <= self._size:
                return
            self._write(self._waiting.pop(), bytes(self._held[: self._size]))
            self._held = self._held[self._size + 1 :]
            self._size = None

    def finish(self) -> None:
        """Make the links.

        Raises:
            LoadError: `git_answer` when git printed less than was asked for.
            OSError: A link cannot be made.
        """
        if self._waiting:
            raise _answer(self._waiting[-1])
        for path, target in self._links:
            path.symlink_to(os.fsdecode(target))

    def _expected(self, header: bytes) -> int:
        words = header.decode("ascii", "replace").split(" ")
        if len(words) != 3 or words[:2] != [self._waiting[-1].id, "blob"]:
            raise _answer(self._waiting[-1])
        return int(words[2])

    def _write(self, file: GitFile, content: bytes) -> None:
        path = self._root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.mode == "120000":
            if b"\0" in content:
                raise _link_to_no_path(file.path)
            self._links.append((path, content))
            return
        with path.open("xb") as stream:
            stream.write(content)
        path.chmod(0o755 if file.mode == "100755" else 0o644)


def _check(where: str, path: str) -> None:
    for part in path.split("/"):
        plain = _IGNORED.sub("", part).casefold().rstrip(" .")
        if plain in (".git", "git~1") or re.match(r"\.git(:|\\)", plain):
            raise bad_name(where, path, "is named like git's own directory")
        if "\\" in part or any(ord(sign) < 32 or ord(sign) == 127 for sign in part):
            raise bad_name(where, repr(path), "has a backslash or control character in its name")


def _check_nesting(where: str, files: Sequence[GitFile]) -> None:
    """git refuses trees in which one path is there twice; so do we."""
    paths = {file.path for file in files}
    twice = len(paths) != len(files)
    for file in files:
        parents = file.path.split("/")[:-1]
        inside = any("/".join(parents[:end]) in paths for end in range(1, len(parents) + 1))
        if twice or inside:
            raise bad_name(where, file.path, "is there twice")


def _link_to_no_path(link: str) -> LoadError:
    return LoadError("tree_link", f"{link} is a link to no path", "replace it by a copy")


def _answer(file: GitFile) -> LoadError:
    return LoadError(
        "git_answer", f"git did not give the content of {file.path}", "try again, or update git"
    )
