"""Directories for agents to work in."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openhands_strategies.errors import UsageError

_GIT_SECONDS: Final = 60


@dataclass(frozen=True)
class MakeWorkspace:
    """Makes a new workspace at each call; the fixture `strategy_workspace`.

    Attributes:
        empty: Makes an empty directory.
    """

    empty: Callable[[], Path]

    def __call__(
        self,
        files: Mapping[str, str] | None = None,
        *,
        copy: Path | str | None = None,
        git: bool = False,
    ) -> Path:
        """Make a workspace.

        Args:
            files: Relative path to text; the text's common indentation is taken off.
            copy: A directory whose content is copied first, without its `.git`.
            git: Whether it is a git repository with everything in one commit.

        Returns:
            Its absolute path, links resolved.

        Raises:
            UsageError: `workspace_outside` for a path that leaves it, `git_failed`.
        """
        workspace = self.empty().resolve()
        if copy is not None:
            shutil.copytree(
                copy,
                workspace,
                symlinks=True,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns(".git", "__pycache__"),
            )
        for name, text in (files or {}).items():
            path = (workspace / name).resolve()
            if not path.is_relative_to(workspace) or path == workspace:
                raise UsageError(
                    "workspace_outside",
                    f"the file {name!r} lies outside of the workspace",
                    "give a relative path without '..'",
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        if git:
            _make_repository(workspace)
        return workspace


def _make_repository(workspace: Path) -> None:
    # Whoever runs the tests may sign commits, use hooks or have no identity at all.
    settings = {
        "user.name": "Test",
        "user.email": "test@example.org",
        "commit.gpgsign": "false",
        "core.hooksPath": os.devnull,
    }
    _git(workspace, "init", "--quiet", "--initial-branch=main")
    for key, value in settings.items():
        _git(workspace, "config", key, value)
    _git(workspace, "add", "--all")
    _git(workspace, "commit", "--quiet", "--allow-empty", "--message=start")


def _git(workspace: Path, *arguments: str) -> None:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        subprocess.run(
            ["git", *arguments],  # noqa: S607
            cwd=workspace,
            env=environ,
            check=True,
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
        )
    except FileNotFoundError as error:
        raise UsageError("git_missing", "there is no git", "install git") from error
    except subprocess.SubprocessError as error:
        told = getattr(error, "stderr", "") or error
        raise UsageError(
            "git_failed", f"git {arguments[0]} failed in {workspace}: {told}", "look at its message"
        ) from error
