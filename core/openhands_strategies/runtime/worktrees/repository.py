"""The repository around a workspace, and what it holds at a moment, without touching it.

The user's index, branches, stash and reflogs stay as they are: a snapshot is made with a
copy of the index. All it leaves are objects that nothing refers to, which git collects.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openhands_strategies.errors import LoadError, RunError, UsageError
from openhands_strategies.project.home import find_home
from openhands_strategies.runtime.entries import Entry
from openhands_strategies.runtime.worktrees.git import check_git, git
from openhands_strategies.sources.locks import locked

_LOCK_SECONDS: Final = 900.0


@dataclass(frozen=True)
class Repository:
    """Where a workspace is.

    Attributes:
        top: Top of the working tree.
        inside: The workspace below it; empty when it is the top.
        common: Directory of objects and refs, shared by all worktrees.
    """

    top: Path
    inside: str
    common: Path


def check_workspace(entries: Mapping[str, Entry], workspace: Path) -> None:
    """Refuse a workspace in which sub-agents could not get the worktrees that they need.

    Args:
        entries: Aliases; those below them count too.
        workspace: Directory of the agent that delegates to them.

    Raises:
        UsageError: `workspace_not_git`, `workspace_submodules`, `git_missing` or
            `git_too_old`.
    """
    if any(entry.worktree for entry in entries.values()):
        check_git(_existing(workspace))
        repository_of(_existing(workspace))
    for entry in entries.values():
        below = workspace / entry.workspace if entry.workspace is not None else workspace
        check_workspace(entry.agents, below)


def _existing(path: Path) -> Path:
    """The directory, or the one in which it would be made."""
    return next((one for one in (path, *path.parents) if one.is_dir()), Path("/"))


def repository_of(workspace: Path) -> Repository:
    """Find the repository around a workspace.

    Raises:
        UsageError: `workspace_not_git` or `workspace_submodules`.
    """
    hint = "give a workspace in a git repository: git init is enough"
    try:
        said = git(
            ("rev-parse", "--is-inside-work-tree", "--show-toplevel", "--show-prefix"), at=workspace
        )
    except RunError as error:
        # Git says why: no repository, a bare one, or one of another user.
        why = error.message.partition("fatal: ")[2] or error.message
        raise UsageError(
            "workspace_not_git",
            f"the workspace {workspace} is in no git working tree: {why}",
            hint,
        ) from error
    inside_one, top, prefix = said.split("\n")[:3]
    if inside_one != "true":
        raise UsageError("workspace_not_git", f"{workspace} is in no git working tree", hint)
    repository = Repository(Path(top), prefix.rstrip("/"), _common(Path(top)))
    _check_usable(repository, workspace)
    return repository


def _check_usable(repository: Repository, workspace: Path) -> None:
    top, inside = repository.top, repository.inside
    if inside and _is_ignored(top, inside):
        raise UsageError(
            "workspace_not_git",
            f"the workspace {workspace} is ignored by the repository {top} around it",
            "make it a repository of its own: git init",
        )
    listed = git(("ls-files", "--stage", "-z", "--full-name"), at=top).split("\0")
    links = [line.partition("\t")[2] for line in listed if line.startswith("160000 ")]
    filled = [link for link in links if (top / link / ".git").exists()]
    if filled:
        raise UsageError(
            "workspace_submodules",
            f"the repository {top} has the submodule {filled[0]!r} checked out, and a worktree"
            " would not have its files",
            "give the submodule itself as the workspace, or use a strategy without worktrees",
        )


def _is_ignored(top: Path, inside: str) -> bool:
    try:
        git(("check-ignore", "--quiet", "--"), [inside], at=top)
    except RunError:
        return False
    return True


def _common(top: Path) -> Path:
    said = git(("rev-parse", "--git-common-dir"), at=top).rstrip("\n")
    return (top / said).resolve()


@contextmanager
def alone(common: Path) -> Iterator[None]:
    """Make or remove a worktree while nobody else of ours does in that repository.

    Git reads the list of worktrees for both, and fails over one that is half made.

    Raises:
        RunError: `worktree_busy`.
    """
    name = hashlib.sha256(os.fsencode(common)).hexdigest()[:32]
    try:
        lock = find_home().path / "worktrees" / f"{name}.lock"
        with locked(lock, remove=True, seconds=_LOCK_SECONDS, code="worktree_busy"):
            yield
    except LoadError as error:
        raise RunError(error.code, error.message, error.hint) from error


def index_of(top: Path) -> Path:
    """The index file of a working tree; it need not exist."""
    return top / git(("rev-parse", "--git-path", "index"), at=top).rstrip("\n")


def head_of(top: Path) -> str | None:
    """The commit that is checked out; None in a repository without one."""
    said = git(("rev-parse", "--verify", "--quiet", "HEAD^{commit}"), at=top, ok=(0, 1, 128))
    return said.strip() or None


def tree_now(at: Path, index: Path, *, common: Path | None = None) -> str:
    """Write what a working tree holds now, untracked files included, as a tree.

    Args:
        at: Top of the working tree.
        index: What is tracked, and cached facts about the files; it is copied.
        common: The repository, where the working tree's own `.git` must not decide.

    Returns:
        Id of the tree.

    Raises:
        RunError: `git_failed` or `git_timeout`.
    """
    with tempfile.TemporaryDirectory(prefix="ohs_index_") as directory:
        copy = Path(directory) / "index"
        if index.exists():
            shutil.copy2(index, copy)
        tree = None if common is None else (common, at)
        git(("add", "--all"), at=at, index=copy, tree=tree)
        return git(("write-tree",), at=at, index=copy, tree=tree).strip()


def commit_of(top: Path, tree: str, message: str) -> str:
    """Make a commit of a tree on top of what is checked out; no ref points at it.

    Raises:
        RunError: `git_failed`.
    """
    head = head_of(top)
    if head is None:
        return git(("commit-tree", "-F", "-"), [tree], at=top, stdin=message).strip()
    # `-p COMMIT TREE`: git takes the tree after the options as well.
    return git(("commit-tree", "-F", "-", "-p"), [head, tree], at=top, stdin=message).strip()
