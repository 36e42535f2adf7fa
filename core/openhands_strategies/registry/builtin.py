"""The resolvers that come with this package, as ordinary plugins of the hookspecs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openhands_strategies.errors import ResolveError, StrategyError
from openhands_strategies.registry.hookspecs import hookimpl
from openhands_strategies.sources.distribution import installed
from openhands_strategies.sources.path import locate_path
from openhands_strategies.sources.reference import GitReference, PathReference, Reference
from openhands_strategies.sources.source import Located


class Paths:
    """Files and directories that the user names."""

    @hookimpl
    def resolve_reference(self, reference: Reference, base: Path) -> Located | None:
        """Locate a `PathReference`."""
        return locate_path(reference, base) if isinstance(reference, PathReference) else None


class Git:
    """Git sources: recognised, not fetched by this version."""

    @hookimpl
    def resolve_reference(self, reference: Reference) -> Located | None:
        """Refuse a `GitReference` with `source_unsupported`."""
        if not isinstance(reference, GitReference):
            return None
        raise ResolveError(
            "source_unsupported",
            f"{reference}: this version of openhands-strategies does not fetch from git",
            "clone the repository and type the path of the strategy's directory",
        )


@dataclass(frozen=True)
class Distributions:
    """Entry points of installed distributions.

    Attributes:
        path: Directories that hold distributions; None means `sys.path`.
    """

    path: Sequence[str] | None = None

    @hookimpl
    def list_strategies(self) -> list[Located | StrategyError]:
        """Every installed strategy, read anew at each call."""
        found, broken = installed(path=self.path)
        return [*found, *broken]
