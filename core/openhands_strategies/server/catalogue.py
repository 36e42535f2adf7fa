"""The strategies that a server offers, read from their files; none runs to be listed."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterable

from openhands_strategies.errors import ResolveError, StrategyError
from openhands_strategies.registry.host import plugin_host
from openhands_strategies.server.listed import Listed
from openhands_strategies.server.offering import offered, overlays
from openhands_strategies.server.setup import Setup


class Catalogue:
    """What the server offers now; `reload` takes up what was added and removed.

    Attributes:
        setup: What the operator asked for.
        host: The hook plugins; made once, as a start waits for it.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.host = plugin_host()
        self._lock = threading.Lock()
        self._listed = offered(setup)
        self._overlays = overlays(setup)

    def listed(self) -> tuple[Listed, ...]:
        """All strategies below the operator's overlays, in the order of their references."""
        with self._lock:
            return tuple(one.below(self._overlays) for one in self._listed)

    def broken(self) -> list[StrategyError]:
        """Errors of overlays and strategies that cannot be started, and of unreadable files."""
        with self._lock:
            found = (*self._overlays, *self._listed)
        return [one.error for one in found if one.error is not None]

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
            self.host = plugin_host()
            before = [one.name for one in self._listed]
            self._listed, changed = _taken_up(offered(self.setup), self._listed)
            self._overlays, below = _taken_up(overlays(self.setup), self._overlays)
            names = [one.name for one in self._listed]
            return {
                "strategies": names,
                "added": [name for name in names if name not in before],
                "removed": [name for name in before if name not in names],
                "restart_needed": list(dict.fromkeys([*changed, *below])),
            }


def _taken_up(
    now: Iterable[Listed], before: Iterable[Listed]
) -> tuple[tuple[Listed, ...], list[str]]:
    """What is there now, but earlier code where it changed; and the names of those."""
    same_place = {one.reference: one for one in before}
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
    return tuple(kept), changed
