"""Lay strategies over another one: what `--with` does."""

from __future__ import annotations

from collections.abc import Sequence

from openhands_strategies.compose.labels import free_label, label_of
from openhands_strategies.compose.layers import Layer
from openhands_strategies.runtime.loaded import Loaded


def layered(base: Loaded, overlays: Sequence[Loaded]) -> Loaded:
    """Return `layer(base, *overlays)`, its parts already loaded.

    It keeps the base's name; its origin names the base and the overlays, so that it can
    be loaded again from that alone.
    """
    parts: dict[str, Loaded] = {}
    for one in (base, *overlays):
        parts[free_label(label_of(one.strategy), parts)] = one
    strategy = Layer(
        {label: one.strategy for label, one in parts.items()},
        name=base.name,
        description=str(getattr(base.strategy, "description", "")),
        limits=None,
        defaults=None,
    )
    origin = base.origin.model_copy(update={"overlays": tuple(one.origin for one in overlays)})
    return Loaded(strategy, origin, base.root, base.manifest, parts=parts, own_files=False)
