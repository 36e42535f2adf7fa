"""Git worktrees for tasks: made from the parent's working state, kept as a patch, removed.

What is known of a worktree stands in `worktree.json` in its task's directory, written
before git is asked to do anything: a killed process leaves nothing that the next one
does not find.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal

from openhands_strategies.errors import RunError
from openhands_strategies.runtime.json_file import read_json, write_json
from openhands_strategies.runtime.table import SUBAGENTS_DIR
from openhands_strategies.runtime.worktrees.git import git, git_bytes
from openhands_strategies.runtime.worktrees.removal import CONTAINER, refs_since, remove_worktree
from openhands_strategies.runtime.worktrees.repository import (
    alone,
    check_workspace,
    commit_of,
    index_of,
    repository_of,
    tree_now,
)

__all__ = [
    "Changes",
    "Worktree",
    "check_workspace",
    "open_worktree",
    "put_away",
    "put_away_all",
    "read_worktree",
    "take_changes",
]

FILE: Final = "worktree.json"
PATCH: Final = "changes.patch"
_INDEX: Final = "worktree.index"


@dataclass(frozen=True)
class Worktree:
    """The worktree of one task.

    Attributes:
        top: Top of the parent's working tree.
        inside: The parent's workspace below `top`; empty for `top` itself.
        common: The repository's directory of objects and refs.
        path: Top of the worktree.
        base: Commit of the parent's working state at the start.
        state: `making` until the checkout is complete; `kept` when only the patch is left.
        ended: Whether the patch is that of the task's end.
        refs: Name to object id of what the task left in the repository beside files.
    """

    top: str
    inside: str
    common: str
    path: str
    base: str
    state: Literal["making", "ready", "kept"] = "making"
    ended: bool = False
    refs: dict[str, str] | None = None

    @property
    def workspace(self) -> Path:
        """What the parent's workspace is in this worktree."""
        return Path(self.path) / self.inside


@dataclass(frozen=True)
class Changes:
    """What a task changed: the patch file, whether it is empty, and git's statistics."""

    patch: Path
    empty: bool
    stat: str


def read_worktree(keep: Path) -> Worktree | None:
    """Read what is known of the worktree of the task in the directory `keep`.

    Raises:
        RunError: `worktree_unreadable`.
    """
    try:
        return Worktree(**read_json(keep / FILE))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            "worktree_unreadable", f"{keep / FILE} cannot be read: {error}", "start a new run"
        ) from error


def _write(keep: Path, worktree: Worktree) -> Worktree:
    write_json(keep / FILE, asdict(worktree))
    return worktree


def open_worktree(workspace: Path, keep: Path) -> Worktree:
    """Make a task's worktree, or bring back the one that it had, with its changes.

    Args:
        workspace: The parent's, in a git working tree.
        keep: The task's directory.

    Raises:
        UsageError: As `repository_of`.
        RunError: `git_failed`, for example when the snapshot is gone from the repository,
            or `worktree_inside`.
    """
    known = read_worktree(keep)
    if known is not None and known.state == "ready" and (Path(known.path) / ".git").exists():
        return _write(keep, replace(known, ended=False))
    if known is None or known.state == "making":
        if known is not None:
            _remove(known)
        repository = repository_of(workspace)
        tree = tree_now(repository.top, index_of(repository.top))
        path = _new_path(keep, repository.top)
        base = commit_of(repository.top, tree, f"working state for {path.name}\n")
        known = Worktree(
            str(repository.top), repository.inside, str(repository.common), str(path), base
        )
        return _check_out(_write(keep, known), keep, None)
    _remove(known)
    patch = keep / PATCH
    filled = patch.exists() and patch.stat().st_size > 0
    return _check_out(known, keep, patch if filled else None)


def _check_out(worktree: Worktree, keep: Path, patch: Path | None) -> Worktree:
    path = Path(worktree.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(Path(worktree.common)):
        git(
            ("worktree", "add", "--quiet", "--detach", "--"),
            [worktree.path, worktree.base],
            at=Path(worktree.top),
        )
    # As it is now it tells git which files are tracked, whatever the task does to its own.
    shutil.copy2(index_of(path), keep / _INDEX)
    if patch is not None:
        git(("apply", "--whitespace=nowarn", "--"), [str(patch)], at=path)
    worktree.workspace.mkdir(parents=True, exist_ok=True)
    return _write(keep, replace(worktree, state="ready", ended=False))


def _new_path(keep: Path, top: Path) -> Path:
    """In the task's directory, unless that lies in the repository itself."""
    name = f"worktree-{secrets.token_hex(8)}"
    if not keep.resolve().is_relative_to(top.resolve()):
        return keep.resolve() / name
    container = Path(tempfile.mkdtemp(prefix=CONTAINER)).resolve()
    if container.is_relative_to(top.resolve()):
        container.rmdir()
        raise RunError(
            "worktree_inside",
            f"both the run and the temporary directory lie in the repository {top}",
            "set TMPDIR or OHS_HOME to a directory outside of it",
        )
    return container / name


def take_changes(worktree: Worktree, keep: Path) -> Changes:
    """Write the patch of a task that has ended, and mark it as such.

    Raises:
        RunError: `git_failed`.
    """
    changes = _save_patch(worktree, keep)
    _write(keep, replace(worktree, ended=True, refs=_refs(worktree)))
    return changes


def _save_patch(worktree: Worktree, keep: Path) -> Changes:
    path, top = Path(worktree.path), Path(worktree.top)
    tree = tree_now(path, keep / _INDEX, common=Path(worktree.common))
    between = [worktree.base, tree]
    made = git_bytes(
        ("diff-tree", "-r", "-p", "--binary", "--full-index", "--no-ext-diff", "--no-textconv"),
        between,
        at=top,
    )
    new = keep / f"{PATCH}.new"
    new.write_bytes(made)
    new.replace(keep / PATCH)
    shown = git(
        ("diff-tree", "-r", "-M", "--stat=100,60,40", "--summary", "--no-ext-diff"), between, at=top
    )
    return Changes(keep / PATCH, not made, shown.rstrip())


def put_away(keep: Path) -> None:
    """Remove the worktree of the task in `keep`; its changes stay as a patch.

    Raises:
        RunError: `git_failed`, `worktree_unreadable`.
    """
    worktree = read_worktree(keep)
    if worktree is None or worktree.state == "kept":
        return
    if worktree.state == "ready" and not worktree.ended and Path(worktree.path).is_dir():
        # It was interrupted: when it goes on it finds what it had done.
        _save_patch(worktree, keep)
        worktree = replace(worktree, refs=_refs(worktree))
    made = worktree.state == "ready"
    if made:
        _write(keep, replace(worktree, state="kept"))
    _remove(worktree)
    if not made:
        (keep / FILE).unlink()


def put_away_all(directory: Path, failed: Callable[[RunError], None]) -> None:
    """Remove the worktrees of all tasks of a conversation and of those below it.

    Args:
        directory: Where the conversation keeps its tasks.
        failed: Takes what one of them raises; the others go on.
    """
    if not directory.is_dir():
        return
    for keep in [one for one in directory.iterdir() if one.is_dir()]:
        put_away_all(keep / SUBAGENTS_DIR, failed)
        try:
            put_away(keep)
        except RunError as error:
            failed(error)


def _remove(worktree: Worktree) -> None:
    with alone(Path(worktree.common)):
        remove_worktree(
            Path(worktree.path), Path(worktree.top), worktree.base, dict(worktree.refs or {})
        )


def _refs(worktree: Worktree) -> dict[str, str]:
    return {**(worktree.refs or {}), **refs_since(Path(worktree.top), worktree.base)}
