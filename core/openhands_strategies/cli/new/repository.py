"""A git repository with a first commit, made as the user's own git would make it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openhands_strategies.errors import describe, one_line

_SECONDS: Final = 60
# Who the user is and where the settings are; everything else in GIT_* is about another
# repository, for example when a hook of one runs `ohs new`.
_PASSED: Final = frozenset(
    {
        *("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"),
        *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
    }
)


@dataclass(frozen=True)
class Outcome:
    """What became of the repository.

    Attributes:
        repository: Whether there is one of its own.
        commit: Id of its first commit.
        note: Why something of it is missing; empty when nothing is.
    """

    repository: bool = False
    commit: str | None = None
    note: str = ""


class _GitError(Exception):
    """A git that ended with an error, and what it said."""


def git_user() -> str:
    """The name that git has for the user; empty when there is none, or no git."""
    try:
        return _git(Path.cwd(), "config", "--get", "user.name")
    except (_GitError, OSError):
        return ""


def make_repository(directory: Path, name: str, target: Path) -> Outcome:
    """Make a repository of a directory and commit what is in it.

    The user's own git settings hold, hooks and signing included. Where something is
    missing for it, the rest is done and said.

    Args:
        directory: With the files.
        name: The strategy's.
        target: Where the directory is going to be.
    """
    if shutil.which("git") is None:
        return Outcome(note="there is no git on PATH, so it is no repository yet: git init")
    try:
        above = _git(target.parent, "rev-parse", "--show-toplevel")
    except _GitError:
        above = ""
    if above:
        return Outcome(note=f"it lies in the repository {above}, so it has none of its own")
    try:
        _git(directory, "init", "--quiet", *_branch(directory))
    except (_GitError, OSError) as error:
        shutil.rmtree(directory / ".git", ignore_errors=True)
        return Outcome(note=f"it is no repository yet: {_said(error)}")
    try:
        _git(directory, "-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT")
        _git(directory, "-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
    except (_GitError, OSError):
        return Outcome(
            True,
            note="git does not know your name and address, so nothing is committed yet:"
            " git config --global user.name NAME, and user.email",
        )
    try:
        _git(directory, "add", "--all")
        _git(directory, "commit", "--quiet", "--message", f"Start {name}")
        return Outcome(True, _git(directory, "rev-parse", "HEAD"))
    except (_GitError, OSError) as error:
        return Outcome(True, note=f"nothing is committed yet: {_said(error)}")


def _branch(directory: Path) -> tuple[str, ...]:
    """The option that names the first branch, unless the user's settings do."""
    try:
        _git(directory, "config", "--get", "init.defaultBranch")
    except _GitError:
        return ("--initial-branch=main",)
    return ()


def _git(directory: Path, *arguments: str) -> str:
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("GIT_") or key in _PASSED
    }
    environ = {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    # Found here and not by the call, which would look in the environment's PATH alike.
    program = shutil.which("git")
    if program is None:
        raise _GitError("there is no git on PATH")
    try:
        done = subprocess.run(
            [program, "-C", str(directory), *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _GitError(f"git {arguments[0]} did not end within {_SECONDS} seconds") from error
    if done.returncode != 0:
        raise _GitError(done.stderr.decode("utf-8", "replace") or f"exit code {done.returncode}")
    return done.stdout.decode("utf-8", "replace").strip()


def _said(error: Exception) -> str:
    text = one_line(str(error)) if isinstance(error, _GitError) else describe(error)
    return text if len(text) <= 300 else f"{text[:299]}…"
