"""The resolvers that come with this package, as ordinary plugins of the hookspecs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openhands_strategies.errors import StrategyError
from openhands_strategies.project.fetching import Fetching, fetch
from openhands_strategies.project.home import find_home
from openhands_strategies.project.indexes import locate_offer, offers_of, open_indexes
from openhands_strategies.project.locate import locate_entries
from openhands_strategies.project.locking import ambiguous
from openhands_strategies.project.project_file import find_project, user_file
from openhands_strategies.registry.hookspecs import hookimpl
from openhands_strategies.sources.distribution import installed
from openhands_strategies.sources.path import locate_path
from openhands_strategies.sources.reference import (
    GitReference,
    NameReference,
    PathReference,
    Reference,
)
from openhands_strategies.sources.source import DistributionSource, Located


class Paths:
    """Files and directories that the user names."""

    @hookimpl
    def resolve_reference(self, reference: Reference, base: Path) -> Located | None:
        """Locate a `PathReference`."""
        return locate_path(reference, base) if isinstance(reference, PathReference) else None


class Git:
    """Directories of git repositories, in the user's store or fetched into it."""

    @hookimpl
    def resolve_reference(self, reference: Reference, fetching: Fetching) -> Located | None:
        """Locate a `GitReference`; a pinned one that is in the store costs no git."""
        if not isinstance(reference, GitReference):
            return None
        return fetch(reference, find_home(), fetching)


class Project:
    """The strategies of the project that the user works in: the first level."""

    @hookimpl
    def list_strategies(self, base: Path) -> list[Located | StrategyError]:
        """Every entry of the nearest project file; nothing is fetched."""
        project = find_project(base)
        return [] if project is None else list(locate_entries(project, find_home()))


class User:
    """The user's own strategies, in `OHS_HOME`: the level below the project."""

    @hookimpl
    def list_strategies(self) -> list[Located | StrategyError]:
        """Every entry of the user's own file; nothing is fetched."""
        home = find_home()
        return list(locate_entries(user_file(home), home))


class Indexes:
    """The indexes: the last level. They are looked up, not listed."""

    @hookimpl
    def resolve_reference(self, reference: Reference, fetching: Fetching) -> Located | None:
        """Find what the indexes offer under a name that nothing listed has."""
        if not isinstance(reference, NameReference):
            return None
        home = find_home()
        warnings: list[StrategyError] = []
        offers = offers_of(reference.name, open_indexes(home, warnings.append))
        if len(offers) > 1:
            raise ambiguous(reference.name, {str(one.source): one.source.offers for one in offers})
        if offers:
            return locate_offer(offers[0], home, fetching)
        if warnings:  # the name may well stand in one that cannot be read
            raise warnings[0]
        return None


@dataclass(frozen=True)
class Distributions:
    """Entry points of installed distributions.

    Attributes:
        path: Directories that hold distributions; None means `sys.path`.
        only: Canonical names of the distributions that count; None means all.
    """

    path: Sequence[str] | None = None
    only: frozenset[str] | None = None

    @hookimpl
    def list_strategies(self) -> list[Located | StrategyError]:
        """Every installed strategy, read anew at each call."""
        if self.only is not None and not self.only:
            return []
        found, broken = installed(path=self.path, store=find_home().store)
        return [*(one for one in found if self._counts(one)), *broken]

    def _counts(self, located: Located) -> bool:
        source = located.source
        if self.only is None or not isinstance(source, DistributionSource):
            return True
        return canonical(source.name) in self.only


def canonical(name: str) -> str:
    """A distribution's name as the packaging standards compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
