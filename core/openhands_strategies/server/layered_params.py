"""Parameters of a strategy below overlays, from their files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openhands_strategies.labels import free_label, kebab
from openhands_strategies.manifest.model import Manifest
from openhands_strategies.params import StrategyParam


def layered_params(
    base: Manifest, overlays: Sequence[Manifest | None]
) -> tuple[StrategyParam, ...] | None:
    """What a start of the base takes: its own parameters, below overlays as `label.name`.

    Args:
        base: The strategy.
        overlays: What is laid over it, innermost first; None for one that cannot be read.

    Returns:
        None where some of them exist only once code runs.
    """
    if not overlays:
        return base.params
    parts: dict[str, tuple[StrategyParam, ...]] = {}
    for one in (base, *overlays):
        if one is None or one.name is None or one.params is None or one.parts != {}:
            return None
        parts[free_label(kebab(one.name), parts)] = one.params
    return tuple(
        replace(param, name=f"{label}.{param.name}")
        for label, params in parts.items()
        for param in params
    )
