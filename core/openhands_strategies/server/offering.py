"""Find what a server offers: what the operator named, or everything that has a name."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from openhands_strategies.errors import LoadError, StrategyError
from openhands_strategies.project.indexes import open_indexes
from openhands_strategies.registry.catalog import list_all, resolve
from openhands_strategies.server.listed import Listed, read_listed
from openhands_strategies.server.setup import Setup
from openhands_strategies.server.tags import tags_of

RESERVED: Final = frozenset({"runs", "reload"})
_log = logging.getLogger(__name__)


def offered(setup: Setup) -> tuple[Listed, ...]:
    """The strategies that clients may start, each name once."""
    found = _found(setup.references, setup) if setup.references else _named(setup)
    indexes = open_indexes(setup.home, lambda one: _log.warning("%s [%s]", one.message, one.code))
    return tuple(
        one if one.located is None else replace(one, tags=tags_of(one.located, indexes))
        for one in _unique(found)
    )


def overlays(setup: Setup) -> tuple[Listed, ...]:
    """What the operator lays over every strategy, innermost first."""
    return tuple(_found(setup.overlays, setup))


def _found(references: Iterable[str], setup: Setup) -> Iterator[Listed]:
    """What the operator named, in that order."""
    for reference in references:
        try:
            located = resolve(reference, base=setup.base)
        except StrategyError as error:
            yield Listed(reference, reference, error=error)
        else:
            yield read_listed(located, reference, setup)


def _named(setup: Setup) -> Iterator[Listed]:
    """Everything that has a name: the project's, then what is installed."""
    listing = list_all(base=setup.base)
    seen: set[str] = set()
    for located in listing.entries:
        if located.name is not None and located.name not in seen:
            seen.add(located.name)
            yield read_listed(located, located.name, setup)
    for warning in listing.warnings:
        name = str(getattr(warning, "name", "") or warning.code)
        if name not in seen:
            seen.add(name)
            yield Listed(name, name, error=warning)


def _unique(found: Iterable[Listed]) -> Iterator[Listed]:
    """Mark a name that is taken, or that the routes need for themselves."""
    seen: dict[str, str] = {}
    for one in found:
        if one.name in RESERVED:
            error = LoadError(
                "name_reserved",
                f"strategy {one.name!r} ({one.reference}) has a name that the server needs itself",
                "give it another name",
            )
            yield replace(one, name=one.reference, error=error)
        elif one.name in seen and one.error is None:
            error = LoadError(
                "name_ambiguous",
                f"{one.reference} and {seen[one.name]} are both named {one.name!r}",
                "serve one of them, or rename one",
            )
            yield replace(one, name=one.reference, error=error)
        else:
            seen.setdefault(one.name, one.reference)
            yield one
