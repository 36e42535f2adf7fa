"""Which class or instance of a module is the strategy."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from typing import Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.classes import (
    ClassInfo,
    attribute,
    class_info,
)
from openhands_strategies.manifest.compositions import composition_text, used_as_parts
from openhands_strategies.manifest.files import printable
from openhands_strategies.manifest.literals import Computed
from openhands_strategies.manifest.pieces import composer_of
from openhands_strategies.manifest.source import Definition, Scope, Tree

_SHOWN: Final = 8


@dataclass(frozen=True)
class Candidate:
    """What a module offers under one name.

    Attributes:
        attribute: The name in the entry module.
        info: The class, also the class of an instance; None when it is not in the tree.
        instance: The call that makes the instance; None for a class.
    """

    attribute: str
    info: ClassInfo | None
    instance: Definition | None = None

    @property
    def line(self) -> int:
        if self.instance is not None:
            return self.instance.node.lineno
        return self.info.node.lineno if self.info else 1

    @property
    def file(self) -> str | None:
        if self.instance is not None:
            return self.instance.scope.file
        return self.info.scope.file if self.info else None


def choose(tree: Tree, entry: Scope, wanted: str | None, name: str | None) -> Candidate:
    """Return the one strategy of the entry module.

    Args:
        tree: The tree it is in.
        entry: The entry module.
        wanted: Class or instance that the user or an entry point named.
        name: The strategy's name, if known; decides between several.

    Raises:
        LoadError: `attribute_missing`, `no_strategy` or `several_strategies`.
    """
    if wanted is not None:
        return _named(tree, entry, wanted)
    found = _offered(tree, entry)
    if len(found) > 1 and name is not None:
        found = [one for one in found if text_of(tree, one, "name") == name] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise _nothing(tree, entry)
    names = [one.attribute for one in found]
    raise LoadError(
        "several_strategies",
        f"{entry.file} has {len(names)} strategies: {_few(names)}",
        f"name one: {entry.file}:{names[0]}",
    )


def _offered(tree: Tree, entry: Scope) -> list[Candidate]:
    """Classes, or else instances. A composition counts beside the classes that it does not
    put together itself."""
    classes, instances = _classes(tree, entry), _instances(tree, entry)
    composed = [one for one in instances if _is_composed(one)]
    if not composed:
        return classes or instances
    used = used_as_parts(entry)
    found = [one for one in (*classes, *composed) if one.attribute not in used]
    return found or composed


def _is_composed(candidate: Candidate) -> bool:
    made = candidate.instance
    return made is not None and composer_of(made.scope, made.node) != ""


def text_of(tree: Tree, candidate: Candidate, field: str) -> str | None:
    """The literal `name` or `description`, or None when it is computed or not set."""
    if candidate.instance is not None:
        node = candidate.instance.node
        if composer_of(candidate.instance.scope, node):
            return composition_text(tree, candidate.instance, field)
        keywords = node.keywords if isinstance(node, ast.Call) else []
        for keyword in keywords:
            if keyword.arg == field and isinstance(keyword.value, ast.Constant):
                return keyword.value.value if isinstance(keyword.value.value, str) else None
    if candidate.info is None:
        return None
    try:
        found = attribute(tree, candidate.info, field)
        if found is None:
            return None
        reader, scope, node = found
        value = reader.value(scope, node)
    except Computed:
        return None
    return value if isinstance(value, str) else None


def _named(tree: Tree, entry: Scope, wanted: str) -> Candidate:
    found = tree.find(entry, wanted)
    if found is not None and isinstance(found.node, ast.ClassDef):
        info = class_info(tree, found.scope, found.node)
        if info.is_strategy or (info.unknown and not info.sdk_bases):
            return Candidate(wanted, info)
        raise LoadError(
            "no_strategy",
            f"{found.scope.file}:{found.node.lineno}: {wanted} is no strategy",
            "a strategy has a name and a method build or build_agent",
        )
    if found is not None and isinstance(found.node, ast.expr):
        return Candidate(wanted, _class_of(tree, found), found)
    if wanted in entry.imported or (wanted in entry.values and found is None):
        return Candidate(wanted, None)
    if found is not None:
        raise LoadError(
            "no_strategy",
            f"{found.scope.file}:{found.node.lineno}: {wanted} is a function",
            "name a class or an instance",
        )
    known = [one.attribute for one in _offered(tree, entry)]
    near = difflib.get_close_matches(wanted[:100], {*known, *entry.values}, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has: {_few(known) or 'none'}"
    raise LoadError("attribute_missing", f"{entry.file} has no {printable(wanted, 100)!r}", hint)


def _classes(tree: Tree, entry: Scope) -> list[Candidate]:
    """Public strategy classes that the module defines or imports from its own tree."""
    names = [name for name, node in entry.values.items() if isinstance(node, ast.ClassDef)]
    for imported in entry.every_import:
        if imported.level and imported.name == "*":
            file = tree.locate(entry, imported)
            names.extend(tree.scope(file).values if file else ())
    names.extend(name for name in sorted(entry.imported) if _is_relative(entry, name))
    found: dict[str, Candidate] = {}
    for name in names:
        definition = None if name.startswith("_") else tree.find(entry, name)
        if definition is None or not isinstance(definition.node, ast.ClassDef):
            continue
        candidate = Candidate(name, class_info(tree, definition.scope, definition.node))
        if _is_candidate(tree, candidate):
            found.setdefault(name, candidate)
    return list(found.values())


def _is_relative(entry: Scope, name: str) -> bool:
    imported = entry.imports.get(name)
    return imported is not None and imported.level > 0


def _is_candidate(tree: Tree, candidate: Candidate) -> bool:
    info = candidate.info
    if info is None or not info.is_strategy:
        return False
    try:
        found = attribute(tree, info, "name")
        if found is None:
            return False
        reader, scope, node = found
        value = reader.value(scope, node)
    except Computed:
        # Set here by code, not perhaps inherited from a base that nobody knows.
        return any("name" in one.values for one in info.line)
    return isinstance(value, str) and bool(value)


def _instances(tree: Tree, entry: Scope) -> list[Candidate]:
    """Public module-level compositions, and instances of strategy classes."""
    found: list[Candidate] = []
    for name, node in entry.values.items():
        if name.startswith("_") or not isinstance(node, ast.Call):
            continue
        definition = Definition(entry, node)
        info = _class_of(tree, definition)
        if composer_of(entry, node) or (info is not None and info.is_strategy):
            found.append(Candidate(name, info, definition))
    return found


def _class_of(tree: Tree, definition: Definition) -> ClassInfo | None:
    node = definition.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None
    made = tree.find(definition.scope, node.func.id)
    if made is None or not isinstance(made.node, ast.ClassDef):
        return None
    return class_info(tree, made.scope, made.node)


def _nothing(tree: Tree, entry: Scope) -> LoadError:
    """The error for a module without a strategy; says what a near miss lacks."""
    for name, node in entry.values.items():
        if not isinstance(node, ast.ClassDef) or name.startswith("_"):
            continue
        if class_info(tree, entry, node).is_strategy:
            return LoadError(
                "no_strategy",
                f"{entry.file}:{node.lineno}: class {name} has no name",
                f'write name = "{name.lower()}" in the class',
            )
    return LoadError(
        "no_strategy",
        f"no strategy in {entry.file}",
        "define a class with a name and a method build or build_agent",
    )


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
