"""One strategy as a server offers it: read from its files, and kept as it was then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from openhands_strategies.cli.entry import Entry, read_entry
from openhands_strategies.errors import LoadError, StrategyError, describe
from openhands_strategies.labels import kebab
from openhands_strategies.manifest.model import Capabilities
from openhands_strategies.params import json_schema
from openhands_strategies.server.layered_params import layered_params
from openhands_strategies.server.problems import error_json
from openhands_strategies.server.setup import Setup
from openhands_strategies.sources.distribution import distribution_files
from openhands_strategies.sources.source import DistributionSource, GitSource, Located, PathSource
from openhands_strategies.sources.store import put_tree
from openhands_strategies.sources.tree import hash_tree, tree_files


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
        overlays: What the operator lays over it, innermost first.
    """

    name: str
    reference: str
    entry: Entry | None = None
    located: Located | None = None
    tree: str | None = None
    error: StrategyError | None = None
    tags: tuple[str, ...] = ()
    overlays: tuple[Listed, ...] = ()

    def below(self, overlays: tuple[Listed, ...]) -> Listed:
        """The same under these overlays; a broken one keeps it from being started."""
        broken = next((one for one in overlays if one.error is not None), None)
        if self.error is not None or broken is None or broken.error is None:
            return replace(self, overlays=overlays)
        why = f"{broken.error.message} [{broken.error.code}]"
        error = LoadError(
            "overlay_broken",
            f"this server lays {broken.reference} over every strategy, and cannot use it: {why}",
            "the operator has to mend it, or to leave it out of --with",
        )
        return replace(self, overlays=overlays, error=error)

    def to_json(self) -> dict[str, Any]:
        """The entry of `GET /api/strategies`."""
        manifest = self.entry.manifest if self.entry else None
        source = self.located.source if self.located else None
        # An overlay is not started itself: its parameters are for what it is laid over.
        above = () if manifest and manifest.overlay else self.overlays
        manifests = [one.entry.manifest if one.entry else None for one in above]
        params = layered_params(manifest, manifests) if manifest else None
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
            "overlay": manifest.overlay if manifest else None,
            "label": kebab(manifest.name) if manifest and manifest.name else None,
            "capabilities": (manifest.capabilities if manifest else Capabilities()).to_json(),
            "trusted": self.entry.trusted if self.entry else False,
            "error": error_json(self.error) if self.error else None,
        }


def read_listed(located: Located, reference: str, setup: Setup) -> Listed:
    """Read what was found; what is wrong with it becomes its error."""
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
