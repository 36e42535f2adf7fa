"""A strategy with overlays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from openhands_strategies.blueprint import Blueprint, Limits
from openhands_strategies.compose.brought import items_of
from openhands_strategies.compose.composition import (
    Composition,
    Piece,
    composition_name,
    labelled_pieces,
    require,
)
from openhands_strategies.compose.merge import lay_over
from openhands_strategies.errors import BuildError
from openhands_strategies.strategy import BuildContext, Part, Strategy


class Layer(Composition):
    """A strategy with overlays; see `layer`."""

    def __init__(
        self, pieces: Mapping[str, Piece], *, replaces: Sequence[str] = (), **shared: Any
    ) -> None:
        super().__init__(pieces, **shared)
        self.given_replaces = tuple(replaces)

    def build(self, context: BuildContext) -> Blueprint:
        """Return the base's blueprint with what every overlay brings, in order."""
        base_label, *overlays = self.parts
        base = context.part(base_label)
        if base.overlay:
            raise BuildError(
                "overlay_alone",
                f"{base_label!r} is an overlay, no strategy that works on its own",
                "name the strategy that it is laid over first",
            )
        blueprint = base.blueprint
        unused = set(self.given_replaces)
        for label in overlays:
            over = context.part(label)
            named = _brought_by(over, self.given_replaces)
            unused -= set(named)
            replaces = tuple(dict.fromkeys((*over.replaces, *named)))
            blueprint = lay_over(
                blueprint, base_label, replace(over, replaces=replaces), context.llm
            )
        if unused:
            raise BuildError(
                "replaces_nothing",
                f"no overlay of {self.name!r} brings {min(unused)!r}, which it is to replace",
                "ohs plan shows what each brings",
            )
        return replace(blueprint, limits=blueprint.limits.tightened(self.limits))


def layer(
    base: Strategy | str,
    *overlays: Strategy | str,
    name: str = "",
    description: str = "",
    limits: Limits | None = None,
    defaults: Mapping[str, Any] | None = None,
    replaces: Sequence[str] = (),
    **labelled: Strategy | str,
) -> Strategy:
    """A strategy with the skills, hooks, tools, suffixes and limits of overlays.

    Args:
        base: The strategy that works.
        overlays: Strategies, plugin directories or references, innermost first.
        name: Kebab-case; the base's label by default.
        description: One line; names base and overlays by default.
        limits: Tighter bounds than those of the parts.
        defaults: Parameters of base and overlays, by `label.name`.
        replaces: `kind:name` of items that overlays take the place of: `skill:style`.
        labelled: Further overlays, in order, with labels.

    Raises:
        BuildError: `parts_missing`, `parts_invalid`, `label_invalid` or `name_invalid`.
    """
    pieces = labelled_pieces((base, *overlays), labelled)
    require(pieces, 2, "a layer has a base and at least one overlay", "layer('fusion', '…')")
    first = next(iter(pieces))
    return Layer(
        pieces,
        name=composition_name(name or first),
        description=description or " with ".join((first, ", ".join(list(pieces)[1:]))),
        limits=limits,
        defaults=defaults,
        replaces=replaces,
    )


def _brought_by(over: Part, names: Sequence[str]) -> tuple[str, ...]:
    """Those `kind:name` that the overlay has something for."""
    has = {f"{kind}:{name}" for kind, name in items_of(over.blueprint)}
    return tuple(name for name in names if name in has)
