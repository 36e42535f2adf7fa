"""Copies of a workspace: complete, links kept, and with no way back into the original."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from openhands_strategies.errors import UsageError, describe

_GITDIR: Final = b"gitdir:"


def check_workspace(workspace: Path) -> None:
    """Refuse a workspace whose copies would work on a repository outside of them.

    Raises:
        UsageError: `workspace_linked` for a linked git worktree or a submodule.
    """
    marker = workspace / ".git"
    try:
        content = marker.read_bytes()[:4096] if marker.is_file() else b""
    except OSError as error:
        raise _failed(workspace, error) from error
    if not content.startswith(_GITDIR):
        return
    target = workspace / os.fsdecode(content.removeprefix(_GITDIR).strip())
    if not target.resolve().is_relative_to(workspace):
        raise UsageError(
            "workspace_linked",
            f"the workspace {workspace} is a git worktree or submodule: its repository lies outside"
            " of it, and agents in the copies would change it",
            f"compare in a clone: git clone {workspace} DIR, then --workspace DIR",
        )


def copy_workspace(
    source: Path,
    target: Path,
    *,
    leave_out: Path | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> None:
    """Copy a directory with its repository and its untracked files.

    Links stay links. One that leads into `source` by an absolute path leads into the copy;
    one that leads out is kept as it is and never followed. Sockets, pipes and devices are
    left out.

    Args:
        source: Absolute directory, links resolved.
        target: Does not exist yet.
        leave_out: Directory below `source` that is no part of it.
        go_on: Called for each directory; what it raises ends the copying.

    Raises:
        UsageError: `workspace_copy` when something cannot be read or written.
    """

    def ignored(directory: str, names: list[str]) -> list[str]:
        go_on()
        places = [(name, Path(directory) / name) for name in names]
        return [name for name, place in places if place == leave_out or _is_special(place)]

    try:
        shutil.copytree(source, target, symlinks=True, ignore=ignored)
        for link in _links(target):
            _lead_into_copy(link, source, target)
    except (OSError, shutil.Error) as error:
        raise _failed(source, error) from error


def links_out(workspace: Path) -> list[str]:
    """Links whose targets lie outside and can be written, so that all copies share them."""
    found = []
    for link in _links(workspace):
        target = link.resolve()
        if not target.is_relative_to(workspace) and os.access(target, os.W_OK):
            found.append(str(link.relative_to(workspace)))
    return sorted(found)


def _links(root: Path) -> Iterator[Path]:
    for directory, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(directory) / name
            if path.is_symlink():
                yield path


def _lead_into_copy(link: Path, source: Path, target: Path) -> None:
    if not link.readlink().is_absolute():
        return
    leads_to = Path(os.path.realpath(link.readlink()))
    if leads_to.is_relative_to(source):
        link.unlink()
        inside = target / leads_to.relative_to(source)
        link.symlink_to(os.path.relpath(inside, link.parent))


def _is_special(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False  # copying it tells what is wrong
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))


def _failed(workspace: Path, error: OSError) -> UsageError:
    # shutil collects (source, target, reason) of all that failed.
    collected = error.args[0] if isinstance(error, shutil.Error) and error.args else None
    if isinstance(collected, list) and collected:
        file, _, reason = collected[0]
        what = f"{file}: {reason}" + (f" and {len(collected) - 1} more" if collected[1:] else "")
    else:
        what = describe(error)
    return UsageError(
        "workspace_copy",
        f"the workspace {workspace} cannot be copied: {what}",
        "make it readable, free some space, or name another directory: --workspace DIR",
    )
