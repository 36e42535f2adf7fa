"""What a strategy is made of, as far as the source says: parts, overlays, replacements."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from openhands_strategies.labels import free_label, kebab, reference_label
from openhands_strategies.manifest.classes import ClassInfo, attribute, class_info
from openhands_strategies.manifest.literals import Computed, Reader
from openhands_strategies.manifest.model import COMPUTED
from openhands_strategies.manifest.source import Definition, Scope, Tree

COMPOSERS: Final = frozenset({"pipeline", "team", "layer"})
_MODULE: Final = "openhands_strategies"
# Keywords of a composition that are no parts.
_OPTIONS: Final = frozenset({"name", "description", "limits", "defaults", "replaces"})
_MAX_DEPTH: Final = 8
# A strategy may have 64 parts; beside them stand options.
_MAX_PARTS: Final = 70


@dataclass(frozen=True)
class Shape:
    """What is written about parts; see `Manifest`."""

    parts: Mapping[str, str] | None = field(default_factory=dict)
    overlay: bool = False
    replaces: tuple[str, ...] | None = ()


def composer_of(scope: Scope, node: ast.AST) -> str:
    """`pipeline`, `team` or `layer` where a call makes a composition; else ""."""
    if not isinstance(node, ast.Call):
        return ""
    module, _, name = (scope.dotted(node.func) or "").rpartition(".")
    known = module == _MODULE or module.startswith(f"{_MODULE}.")
    return name if known and name in COMPOSERS else ""


def composition_text(tree: Tree, made: Definition, field: str) -> str | None:
    """The `name` or `description` of a composition; None when it is computed.

    What is not given is worked out from the parts, as the composition itself does.
    """
    node = made.node
    kind = composer_of(made.scope, node)
    if not isinstance(node, ast.Call) or not kind:
        return None
    if field == "name":
        return _name(tree, made.scope, node, kind, 0)
    text = _given(tree, made.scope, node, field)
    parts = None if text != "" else _composed_parts(tree, made.scope, node, kind)
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
        return Shape(parts=_composed_parts(tree, made.scope, made.node, kind))
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


def _given(tree: Tree, scope: Scope, node: ast.Call, field: str) -> str | None:
    """A text among the keywords: empty when it is not there, None when it is computed."""
    if any(one.arg is None for one in node.keywords):
        return None
    given = next((one.value for one in node.keywords if one.arg == field), None)
    return "" if given is None else _text(tree, scope, given)


def _name(tree: Tree, scope: Scope, node: ast.Call, kind: str, depth: int) -> str | None:
    text = _given(tree, scope, node, "name")
    if text != "" or kind != "layer":
        return text if text != "" else kind
    base = [*node.args, *(one.value for one in node.keywords if one.arg == "base")]
    if not base or isinstance(base[0], ast.Starred) or depth > _MAX_DEPTH:
        return None
    return _label(tree, scope, base[0], depth + 1)


def _composed_parts(tree: Tree, scope: Scope, node: ast.Call, kind: str) -> dict[str, str] | None:
    """Label to reference; None when one of them cannot be said."""
    many = len(node.args) + len(node.keywords) > _MAX_PARTS
    if many or any(one.arg is None for one in node.keywords):
        return None
    labelled = {
        one.arg.replace("_", "-"): _reference(tree, scope, one.value)
        for one in node.keywords
        if one.arg is not None and one.arg not in _OPTIONS and one.arg not in _base_keyword(kind)
    }
    first = [one.value for one in node.keywords if one.arg in _base_keyword(kind)]
    found: dict[str, str] = {}
    for piece in (*node.args, *first):
        label = None if isinstance(piece, ast.Starred) else _label(tree, scope, piece, 0)
        if label is None:
            return None
        found[free_label(label, {*found, *labelled})] = _reference(tree, scope, piece)
    return {**found, **labelled}


def _base_keyword(kind: str) -> tuple[str, ...]:
    return {"team": ("lead",), "layer": ("base",)}.get(kind, ())


def _reference(tree: Tree, scope: Scope, node: ast.expr) -> str:
    """The text of a part that is given as a reference; "computed" for any other."""
    scope, node = _unwrapped(tree, scope, node)
    return _text(tree, scope, node) or COMPUTED


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
    text = _text(tree, scope, node)
    if text is not None:
        return reference_label(text)
    if not isinstance(node, ast.Call):
        return None
    kind = composer_of(scope, node)
    if kind:
        named = _name(tree, scope, node, kind, depth)
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


def _text(tree: Tree, scope: Scope, node: ast.expr) -> str | None:
    try:
        value = Reader(tree).value(scope, node)
    except Computed:
        return None
    return value if isinstance(value, str) else None


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
    parts: dict[str, str] = {}
    for label, value in _items(tree, scope, node):
        if label is None:
            return None
        parts[label] = _reference(tree, scope, value)
    return parts


def _items(tree: Tree, scope: Scope, node: ast.Dict) -> Iterator[tuple[str | None, ast.expr]]:
    keys: Sequence[ast.expr | None] = node.keys
    for key, value in zip(keys, node.values, strict=True):
        yield (None if key is None else _text(tree, scope, key)), value


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
