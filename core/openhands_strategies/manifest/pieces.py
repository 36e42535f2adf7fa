"""The calls of `pipeline`, `team` and `layer`: their parts, nested ones too, and their names."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from openhands_strategies.labels import free_label, kebab, reference_label
from openhands_strategies.manifest.classes import attribute, class_info
from openhands_strategies.manifest.literals import Computed, Reader
from openhands_strategies.manifest.model import COMPUTED
from openhands_strategies.manifest.source import Scope, Tree

COMPOSERS: Final = frozenset({"pipeline", "team", "layer"})
_MODULE: Final = "openhands_strategies"
# Keywords of a composition that are no parts.
_OPTIONS: Final = frozenset({"name", "description", "limits", "defaults", "replaces"})
_MAX_DEPTH: Final = 8
# A strategy may have 64 parts; beside them stand options.
_MAX_PARTS: Final = 70
# Nested parts that are told of.
_MAX_NESTED: Final = 200

Piece = tuple[Scope, ast.expr]
"""An expression, and where it stands."""

Pieces = Mapping[str, Piece]


def composer_of(scope: Scope, node: ast.AST) -> str:
    """`pipeline`, `team` or `layer` where a call makes a composition; else ""."""
    if not isinstance(node, ast.Call):
        return ""
    module, _, name = (scope.dotted(node.func) or "").rpartition(".")
    known = module == _MODULE or module.startswith(f"{_MODULE}.")
    return name if known and name in COMPOSERS else ""


def given_text(tree: Tree, scope: Scope, node: ast.Call, field: str) -> str | None:
    """A text among the keywords: empty when it is not there, None when it is computed."""
    if any(one.arg is None for one in node.keywords):
        return None
    given = next((one.value for one in node.keywords if one.arg == field), None)
    return "" if given is None else text_of(tree, scope, given)


def composed_name(
    tree: Tree, scope: Scope, node: ast.Call, kind: str, depth: int = 0
) -> str | None:
    """The name that a composition has; None when it is computed."""
    text = given_text(tree, scope, node, "name")
    if text != "" or kind != "layer":
        return text if text != "" else kind
    base = [*node.args, *(one.value for one in node.keywords if one.arg == "base")]
    if not base or isinstance(base[0], ast.Starred) or depth > _MAX_DEPTH:
        return None
    return _label(tree, scope, base[0], depth + 1)


def pieces_of(tree: Tree, scope: Scope, node: ast.Call, kind: str) -> Pieces | None:
    """What a composition is made of, by label; None when a label cannot be said."""
    many = len(node.args) + len(node.keywords) > _MAX_PARTS
    if many or any(one.arg is None for one in node.keywords):
        return None
    labelled = {
        one.arg.replace("_", "-"): (scope, one.value)
        for one in node.keywords
        if one.arg is not None and one.arg not in _OPTIONS and one.arg not in _base_keyword(kind)
    }
    first = [one.value for one in node.keywords if one.arg in _base_keyword(kind)]
    found: dict[str, Piece] = {}
    for piece in (*node.args, *first):
        label = None if isinstance(piece, ast.Starred) else _label(tree, scope, piece, 0)
        if label is None:
            return None
        found[free_label(label, {*found, *labelled})] = (scope, piece)
    return {**found, **labelled}


def references_of(tree: Tree, pieces: Pieces) -> dict[str, str]:
    """Label to reference, "computed" for what is none.

    What a composition among them is made of follows it, as `label.label`: so are its
    parameters called.
    """
    return dict(islice(_references(tree, pieces, "", 0), _MAX_NESTED))


def _references(tree: Tree, pieces: Pieces, above: str, depth: int) -> Iterator[tuple[str, str]]:
    for label, (given_scope, given) in pieces.items():
        scope, node = _unwrapped(tree, given_scope, given)
        text = text_of(tree, scope, node)
        yield f"{above}{label}", text or COMPUTED
        kind = composer_of(scope, node)
        if text is None and isinstance(node, ast.Call) and kind and depth < _MAX_DEPTH:
            below = pieces_of(tree, scope, node, kind)
            yield from _references(tree, below or {}, f"{above}{label}.", depth + 1)


def _base_keyword(kind: str) -> tuple[str, ...]:
    return {"team": ("lead",), "layer": ("base",)}.get(kind, ())


def _unwrapped(tree: Tree, scope: Scope, node: ast.expr) -> tuple[Scope, ast.expr]:
    """What `part(…)` says more about, names followed."""
    for _ in range(_MAX_DEPTH):
        if isinstance(node, ast.Name):
            found = tree.find(scope, node.id)
            if found is None or not isinstance(found.node, ast.expr):
                return scope, node
            scope, node = found.scope, found.node
        elif isinstance(node, ast.Call) and _is_part(scope, node):
            given = [one.value for one in node.keywords if one.arg == "strategy"]
            wrapped = [*given, *node.args]
            if not wrapped:
                return scope, node
            node = wrapped[0]
        else:
            break
    return scope, node


def _is_part(scope: Scope, node: ast.Call) -> bool:
    module, _, name = (scope.dotted(node.func) or "").rpartition(".")
    return name == "part" and (module == _MODULE or module.startswith(f"{_MODULE}."))


def _label(tree: Tree, scope: Scope, node: ast.expr, depth: int) -> str | None:
    scope, node = _unwrapped(tree, scope, node)
    text = text_of(tree, scope, node)
    if text is not None:
        return reference_label(text)
    if not isinstance(node, ast.Call):
        return None
    kind = composer_of(scope, node)
    if kind:
        named = composed_name(tree, scope, node, kind, depth)
        return kebab(named) if named else None
    if not isinstance(node.func, ast.Name):
        return None
    found = tree.find(scope, node.func.id)
    if found is None or not isinstance(found.node, ast.ClassDef):
        return None
    info = class_info(tree, found.scope, found.node)
    try:
        name = attribute(tree, info, "name")
        value = name[0].value(name[1], name[2]) if name else None
    except Computed:
        return None
    return kebab(value) if isinstance(value, str) and value else kebab(info.name)


def text_of(tree: Tree, scope: Scope, node: ast.expr) -> str | None:
    """A text that can be read from the source; None for anything else."""
    try:
        value = Reader(tree).value(scope, node)
    except Computed:
        return None
    return value if isinstance(value, str) else None
