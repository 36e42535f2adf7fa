"""What a strategy is made of, as far as the source says: parts, overlays, replacements."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from openhands_strategies.manifest.classes import ClassInfo, attribute
from openhands_strategies.manifest.literals import Computed
from openhands_strategies.manifest.pieces import (
    Piece,
    composed_name,
    composer_of,
    given_text,
    pieces_of,
    references_of,
    text_of,
)
from openhands_strategies.manifest.source import Definition, Scope, Tree


@dataclass(frozen=True)
class Shape:
    """What is written about parts; see `Manifest`."""

    parts: Mapping[str, str] | None = field(default_factory=dict)
    overlay: bool = False
    replaces: tuple[str, ...] | None = ()


def composition_text(tree: Tree, made: Definition, field: str) -> str | None:
    """The `name` or `description` of a composition; None when it is computed.

    What is not given is worked out from the parts, as the composition itself does.
    """
    node = made.node
    kind = composer_of(made.scope, node)
    if not isinstance(node, ast.Call) or not kind:
        return None
    if field == "name":
        return composed_name(tree, made.scope, node, kind)
    text = given_text(tree, made.scope, node, field)
    parts = None if text != "" else pieces_of(tree, made.scope, node, kind)
    if not parts:
        return text or None
    first, *rest = parts
    return {
        "pipeline": f"Phases in turn: {', '.join(parts)}",
        "team": f"{first} leads {', '.join(rest)}",
        "layer": f"{first} with {', '.join(rest)}",
    }[kind]


def shape_of(tree: Tree, info: ClassInfo | None, made: Definition | None) -> Shape:
    """What a strategy says of its parts.

    Args:
        tree: The tree it is in.
        info: The class, also the class of an instance; None when it is not in the tree.
        made: The call that makes the instance; None for a class.
    """
    kind = "" if made is None else composer_of(made.scope, made.node)
    if made is not None and isinstance(made.node, ast.Call) and kind:
        pieces = pieces_of(tree, made.scope, made.node, kind)
        return Shape(parts=None if pieces is None else references_of(tree, pieces))
    if info is None:
        return Shape(parts=None, replaces=None)
    return Shape(_class_parts(tree, info), _class_overlay(tree, info), _replaces(tree, info))


def used_as_parts(scope: Scope) -> frozenset[str]:
    """Names of the module that stand in the arguments of its compositions."""
    calls = [
        node
        for node in scope.values.values()
        if isinstance(node, ast.Call) and composer_of(scope, node)
    ]
    given = [one for call in calls for one in (*call.args, *(k.value for k in call.keywords))]
    return frozenset(
        node.id for one in given for node in ast.walk(one) if isinstance(node, ast.Name)
    )


def _class_parts(tree: Tree, info: ClassInfo) -> dict[str, str] | None:
    try:
        found = attribute(tree, info, "parts")
    except Computed:
        return None
    if found is None:
        return {}
    reader, scope, node = found
    if isinstance(node, ast.Name):
        try:
            scope, node = reader.follow(scope, node.id)
        except Computed:
            return None
    if not isinstance(node, ast.Dict):
        return None
    pieces: dict[str, Piece] = {}
    for label, value in _items(tree, scope, node):
        if label is None:
            return None
        pieces[label] = (scope, value)
    return references_of(tree, pieces)


def _items(tree: Tree, scope: Scope, node: ast.Dict) -> Iterator[tuple[str | None, ast.expr]]:
    keys: Sequence[ast.expr | None] = node.keys
    for key, value in zip(keys, node.values, strict=True):
        yield (None if key is None else text_of(tree, scope, key)), value


def _class_overlay(tree: Tree, info: ClassInfo) -> bool:
    """Whether the class says `overlay = True`; what is computed counts as no."""
    try:
        found = attribute(tree, info, "overlay")
        return found is not None and found[0].value(found[1], found[2]) is True
    except Computed:
        return False


def _replaces(tree: Tree, info: ClassInfo) -> tuple[str, ...] | None:
    try:
        found = attribute(tree, info, "replaces")
        value = () if found is None else found[0].value(found[1], found[2])
    except Computed:
        return None
    return tuple(map(str, value)) if isinstance(value, tuple) else None
