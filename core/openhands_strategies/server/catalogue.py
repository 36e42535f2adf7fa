"""The strategies that a server offers, read from their files; none runs to be listed."""

from __future__ import annotations

import difflib
import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from openhands_strategies.cli.entry import Entry, read_entry
from openhands_strategies.errors import LoadError, ResolveError, StrategyError, describe
from openhands_strategies.manifest.model import Capabilities
from openhands_strategies.params import json_schema
from openhands_strategies.project.indexes import open_indexes
from openhands_strategies.registry.catalog import list_all, resolve
from openhands_strategies.server.problems import error_json
from openhands_strategies.server.setup import Setup
from openhands_strategies.server.tags import tags_of
from openhands_strategies.sources.distribution import distribution_files
from openhands_strategies.sources.source import DistributionSource, GitSource, Located, PathSource
from openhands_strategies.sources.store import put_tree
from openhands_strategies.sources.tree import hash_tree, tree_files

RESERVED: Final = frozenset({"runs", "reload"})
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """One strategy as the server offers it.

    Attributes:
        name: What clients call it.
        reference: What the operator typed, or where the name leads.
        entry: What its files say; None when it was not found at all.
        located: Where it runs from; a path's tree is the copy in the store, so that an
            edit does not change a running server.
        tree: Hash of its files.
        error: Why it cannot be started.
        tags: What an index says of it, for searching.
    """

    name: str
    reference: str
    entry: Entry | None = None
    located: Located | None = None
    tree: str | None = None
    error: StrategyError | None = None
    tags: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The entry of `GET /api/strategies`."""
        manifest = self.entry.manifest if self.entry else None
        source = self.located.source if self.located else None
        params = manifest.params if manifest else None
        return {
            "name": self.name,
            "reference": self.reference,
            "description": manifest.description if manifest else None,
            "version": self.entry.version if self.entry else None,
            "tags": list(self.tags),
            "source": source.to_json() if source else None,
            "commit": source.commit if isinstance(source, GitSource) else None,
            "tree": self.tree,
            "params_schema": None if params is None else json_schema(params),
            "capabilities": (manifest.capabilities if manifest else Capabilities()).to_json(),
            "trusted": self.entry.trusted if self.entry else False,
            "error": error_json(self.error) if self.error else None,
        }


class Catalogue:
    """What the server offers now; `reload` takes up what was added and removed."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._lock = threading.Lock()
        self._listed = _read(setup)

    def listed(self) -> tuple[Listed, ...]:
        """All strategies, in the order of the operator's references."""
        with self._lock:
            return self._listed

    def broken(self) -> list[StrategyError]:
        """Errors of the strategies that cannot be started, and of unreadable files."""
        return [one.error for one in self.listed() if one.error is not None]

    def find(self, name: str) -> Listed:
        """The strategy of this name.

        Raises:
            ResolveError: `strategy_unknown`, with the nearest names.
        """
        listed = self.listed()
        found = next((one for one in listed if one.name == name), None)
        if found is not None:
            return found
        names = [one.name for one in listed]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        raise ResolveError(
            "strategy_unknown",
            f"this server has no strategy {name[:100]!r}",
            f"did you mean {' or '.join(near)}?" if near else f"it has: {', '.join(names)}",
        )

    def reload(self) -> dict[str, list[str]]:
        """Take up added and removed strategies; code that changed stays as it was.

        Returns:
            Names under `strategies`, `added`, `removed` and `restart_needed`.
        """
        with self._lock:
            now, before = _read(self.setup), {one.name: one for one in self._listed}
            same_place = {one.reference: one for one in self._listed}
            kept: list[Listed] = []
            changed: list[str] = []
            for one in now:
                earlier = same_place.get(one.reference)
                # What could not start so far has no code in this process, and what is
                # no longer found at all is gone.
                runs = earlier is not None and earlier.error is None and one.entry is not None
                if earlier is not None and runs and earlier.tree != one.tree:
                    kept.append(earlier)
                    changed.append(earlier.name)
                else:
                    kept.append(one)
            self._listed = tuple(kept)
            names = [one.name for one in kept]
            return {
                "strategies": names,
                "added": [name for name in names if name not in before],
                "removed": [name for name in before if name not in names],
                "restart_needed": changed,
            }


def _read(setup: Setup) -> tuple[Listed, ...]:
    found = _offered(setup) if setup.references else _named(setup)
    indexes = open_indexes(setup.home, lambda one: _log.warning("%s [%s]", one.message, one.code))
    return tuple(
        one if one.located is None else replace(one, tags=tags_of(one.located, indexes))
        for one in _unique(found)
    )


def _offered(setup: Setup) -> Iterator[Listed]:
    """What the operator named, in that order."""
    for reference in setup.references:
        try:
            located = resolve(reference, base=setup.base)
        except StrategyError as error:
            yield Listed(reference, reference, error=error)
        else:
            yield _listed(located, reference, setup)


def _named(setup: Setup) -> Iterator[Listed]:
    """Everything that has a name: the project's, then what is installed."""
    listing = list_all(base=setup.base)
    seen: set[str] = set()
    for located in listing.entries:
        if located.name is not None and located.name not in seen:
            seen.add(located.name)
            yield _listed(located, located.name, setup)
    for warning in listing.warnings:
        name = str(getattr(warning, "name", "") or warning.code)
        if name not in seen:
            seen.add(name)
            yield Listed(name, name, error=warning)


def _listed(located: Located, reference: str, setup: Setup) -> Listed:
    entry = read_entry(located)
    name = entry.name
    if entry.error is not None:
        return Listed(name, reference, entry, located, error=entry.error)
    try:
        frozen, tree = _frozen(located, setup)
    except StrategyError as error:
        return Listed(name, reference, entry, located, error=error)
    except OSError as error:
        unread = LoadError("file_unreadable", f"{reference}: {describe(error)}", "")
        return Listed(name, reference, entry, located, error=unread)
    return Listed(name, reference, entry, frozen, tree)


def _frozen(located: Located, setup: Setup) -> tuple[Located, str]:
    """The place that starts use, and the hash of its files."""
    if isinstance(located.source, PathSource) and located.tree is None:
        files = tree_files(located.root, located.only)
        stored = put_tree(setup.home.store, located.root, files)
        return replace(located, root=stored.path), stored.tree
    if isinstance(located.source, DistributionSource):
        return located, hash_tree(located.root, distribution_files(located))
    return located, located.tree or hash_tree(located.root, tree_files(located.root))


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
