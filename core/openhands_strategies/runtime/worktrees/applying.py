"""Bring the changes of one worktree into the parent's working tree, all of them or none."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from openhands_strategies.errors import RunError
from openhands_strategies.runtime.worktrees.git import git, git_bytes
from openhands_strategies.runtime.worktrees.repository import index_of

_CHECK = ("apply", "--check", "--whitespace=nowarn", "--")
_APPLY = ("apply", "--whitespace=nowarn", "--")


def apply_patch(top: Path, patch: Path) -> None:
    """Apply a patch to the files below `top`; the index stays as it is.

    Where the files have changed meanwhile, the changes are merged, if they can be.

    Raises:
        RunError: `patch_conflict`; nothing has changed then.
    """
    if _would(_CHECK, patch, top):
        git(_APPLY, [str(patch)], at=top)
        return
    with tempfile.TemporaryDirectory(prefix="ohs_merge_") as directory:
        merged = _merged(top, patch, Path(directory))
        # Nothing is left to do where all of it is there already; git calls that an error.
        if merged.stat().st_size:
            git(_APPLY, [str(merged)], at=top)


def is_applied(top: Path, patch: Path) -> bool:
    """Whether the files below `top` already are as the patch makes them."""
    return _would(("apply", "--check", "--reverse", "--whitespace=nowarn", "--"), patch, top)


def _merged(top: Path, patch: Path, directory: Path) -> Path:
    """Merge in a copy of the index, and return what that changes as a patch."""
    index = index_of(top)
    copy = directory / "index"
    if index.exists():
        shutil.copy2(index, copy)
    try:
        git(("add", "--all"), at=top, index=copy)
        now = git(("write-tree",), at=top, index=copy).strip()
        git(
            ("apply", "--cached", "--3way", "--whitespace=nowarn", "--"),
            [str(patch)],
            at=top,
            index=copy,
        )
        then = git(("write-tree",), at=top, index=copy).strip()
        merged = directory / "merged.patch"
        merged.write_bytes(
            git_bytes(
                (
                    *("diff-tree", "-r", "-p", "--binary", "--full-index"),
                    *("--no-ext-diff", "--no-textconv"),
                ),
                [now, then],
                at=top,
            )
        )
        if merged.stat().st_size:
            git(_CHECK, [str(merged)], at=top)
    except RunError as error:
        raise RunError(
            "patch_conflict",
            f"the changes no longer fit the files in {top}: {error.message}",
            "make them by hand from the patch",
        ) from error
    return merged


def _would(command: tuple[str, ...], patch: Path, top: Path) -> bool:
    try:
        git(command, [str(patch)], at=top)
    except RunError as error:
        if error.code != "git_failed":
            raise
        return False
    return True
