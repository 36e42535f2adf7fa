"""Take a worktree out of a repository, with the branches, tags and stashes of its task."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from openhands_strategies.errors import RunError
from openhands_strategies.runtime.worktrees.git import git

CONTAINER: Final = "ohs_worktree_"
"""Prefix of the temporary directory around a worktree."""

_REMOVE: Final = ("worktree", "remove", "--force", "--force", "--")
_REFS: Final = ("for-each-ref", "--format=%(refname) %(objectname) %(worktreepath)", "--contains")


def remove_worktree(path: Path, top: Path, base: str, refs: Mapping[str, str]) -> None:
    """Take a worktree off the disk and out of the repository.

    Nothing is pruned: that would also forget worktrees of the user's whose disk is away.

    Args:
        path: Top of the worktree; need not exist any more.
        top: Top of the user's working tree; need not exist any more.
        base: The worktree's first commit.
        refs: What its task left, as `refs_since` says.

    Raises:
        RunError: `git_failed`.
    """
    if not top.is_dir():
        _delete(path)
        return
    try:
        git(_REMOVE, [str(path)], at=top)
    except RunError:
        # The task may have damaged it, or git was killed while making it.
        _delete(path)
        try:
            git(_REMOVE, [str(path)], at=top)
        except RunError as error:
            if "is not a working tree" not in error.message:
                raise
    _delete(path)
    if path.parent.name.startswith(CONTAINER):
        with suppress(OSError):
            path.parent.rmdir()
    if refs:
        _drop(top, base, refs)


def refs_since(top: Path, base: str) -> dict[str, str]:
    """Branches, tags and stashes that a task made: only it knew the commit below them.

    Returns:
        Name to object id.
    """
    listed = git(_REFS, [base], at=top).splitlines()
    return {name: value for name, value, _ in (line.split(" ", 2) for line in listed)}


def _drop(top: Path, base: str, refs: Mapping[str, str]) -> None:
    """Remove refs, but what somebody has moved or checked out since."""
    for line in git(_REFS, [base], at=top).splitlines():
        name, value, used = line.split(" ", 2)
        if used or refs.get(name) != value:
            continue
        if name == "refs/stash":
            git(("stash", "drop", "--quiet", "stash@{0}"), at=top)
        else:
            git(("update-ref", "-d"), [name, value], at=top)


def _delete(path: Path) -> None:
    def writable(function: Callable[..., Any], name: str, _: BaseException) -> None:
        Path(name).parent.chmod(stat.S_IRWXU)
        if not Path(name).is_symlink():
            Path(name).chmod(stat.S_IRWXU)
        function(name)

    if path.exists():
        shutil.rmtree(path, onexc=writable)
