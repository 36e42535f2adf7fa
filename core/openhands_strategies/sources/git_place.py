"""Where git works, for which repository, and what it may use up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Progress = Callable[[str, int | None, int | None], None]
"""Takes a stage in words, how much of it is done, and of how much (None: not known)."""


@dataclass(frozen=True)
class GitLimits:
    """What one call of git may use up.

    Attributes:
        seconds: Until it is ended.
        stalled: Seconds without a byte over https until it is ended.
        output: Bytes of what it prints.
        download: Bytes of the temporary repository that it fetches into.
    """

    seconds: float = 900.0
    stalled: int = 60
    output: int = 16 << 20
    download: int = 1 << 30


@dataclass(frozen=True)
class GitPlace:
    """Where git works, and for what.

    Attributes:
        url: Canonical URL, as `giturl.check_url` returns it.
        directory: Temporary repository; need not exist for `ls-remote`.
        sha256: Whether its object ids are SHA-256.
        limits: What one call may use up.
        progress: Told what git says about its progress.
    """

    url: str
    directory: Path
    sha256: bool = False
    limits: GitLimits = GitLimits()
    progress: Progress | None = None
