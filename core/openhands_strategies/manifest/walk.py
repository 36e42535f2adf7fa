"""What a list or dictionary in code holds, as far as it can be read: names of tools and
of sub-agents.

Unlike `literals`, this looks into functions and follows local names by every assignment
to them. What it cannot follow becomes "computed", so nothing is claimed to be complete
that is not.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from openhands_strategies.manifest.model import COMPUTED
from openhands_strategies.manifest.source import Scope, Tree

_BUDGET: Final = 5_000
_MAX_DEPTH: Final = 30

type Way = Literal["value", "item", "each", "unknown"]
"""How a name is bound: to a collection or element, by an item added to it, by a loop."""

type Leaf = Callable[[Scope, ast.expr], list[str] | None]
"""Names that an expression stands for by itself; None when it is nothing special."""


@dataclass
class Walker:
    """Reads collections of one tree.

    Args:
        tree: The tree.
        leaf: Knows the expressions that mean a name, such as `TerminalTool.name`.
    """

    tree: Tree
    leaf: Leaf
    _left: int = _BUDGET
    _bindings: dict[str, _Bindings] = field(default_factory=dict)

    def collection(self, scope: Scope, node: ast.expr, depth: int = 0) -> Iterator[str]:
        """Names of the elements of a list, or of the keys of a dictionary."""
        if self._spent(depth):
            yield COMPUTED
            return
        deeper = depth + 1
        known = self.leaf(scope, node)
        match node:
            case _ if known is not None:
                yield from known
            case ast.Constant(value=None):
                return
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                for element in elements:
                    if isinstance(element, ast.Starred):
                        yield from self.collection(scope, element.value, deeper)
                    else:
                        yield from self.element(scope, element, deeper)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if key is None:
                        yield from self.collection(scope, value, deeper)
                    else:
                        yield from self.element(scope, key, deeper)
            case ast.BinOp(op=ast.Add() | ast.BitOr(), left=left, right=right):
                yield from self.collection(scope, left, deeper)
                yield from self.collection(scope, right, deeper)
            case ast.IfExp(body=body, orelse=orelse):
                yield from self.collection(scope, body, deeper)
                yield from self.collection(scope, orelse, deeper)
            case ast.BoolOp(values=values):
                for value in values:
                    yield from self.collection(scope, value, deeper)
            case ast.ListComp(elt=element) | ast.SetComp(elt=element):
                yield from self.element(scope, element, deeper)
            case ast.GeneratorExp(elt=element) | ast.DictComp(key=element):
                yield from self.element(scope, element, deeper)
            case ast.Call(func=ast.Name(id="list" | "tuple" | "dict" | "set"), args=[argument]):
                yield from self.collection(scope, argument, deeper)
            case ast.Call(func=ast.Name(id="list" | "dict"), args=[], keywords=[]):
                return
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name)
            ):
                yield from self._returned(scope, name, deeper, self.collection)
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                yield from self._named(scope, name, deeper, self.collection)
            case _:
                yield COMPUTED

    def element(self, scope: Scope, node: ast.expr, depth: int = 0) -> Iterator[str]:
        """The names that one element or key may be."""
        if self._spent(depth):
            yield COMPUTED
            return
        deeper = depth + 1
        known = self.leaf(scope, node)
        match node:
            case _ if known is not None:
                yield from known
            case ast.Constant(value=str() as text):
                yield text
            case ast.IfExp(body=body, orelse=orelse):
                yield from self.element(scope, body, deeper)
                yield from self.element(scope, orelse, deeper)
            case ast.Dict(keys=keys, values=values):
                names = [
                    value
                    for key, value in zip(keys, values, strict=True)
                    if isinstance(key, ast.Constant) and key.value == "name"
                ]
                if names:
                    yield from self.element(scope, names[0], deeper)
                else:
                    yield COMPUTED
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name)
            ):
                yield from self._returned(scope, name, deeper, self.element)
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                yield from self._named(scope, name, deeper, self.element)
            case _:
                yield COMPUTED

    def _spent(self, depth: int) -> bool:
        self._left -= 1
        return self._left < 0 or depth > _MAX_DEPTH

    def _named(
        self, scope: Scope, name: str, depth: int, read: Callable[..., Iterator[str]]
    ) -> Iterator[str]:
        bound = self._bound(scope).ways.get(name)
        if bound is None:
            found = self.tree.find(scope, name)
            if found is None or not isinstance(found.node, ast.expr) or found.scope is scope:
                yield COMPUTED
            else:
                yield from read(found.scope, found.node, depth)
            return
        as_collection = read == self.collection
        for way, node in bound:
            if node is None or way == "unknown":
                yield COMPUTED
            elif way == "value":
                yield from read(scope, node, depth)
            elif way == "item" and as_collection:
                yield from self.element(scope, node, depth)
            elif way == "each" and not as_collection:
                yield from self.collection(scope, node, depth)
            else:
                yield COMPUTED

    def _returned(
        self, scope: Scope, name: str, depth: int, read: Callable[..., Iterator[str]]
    ) -> Iterator[str]:
        returned = self._bound(scope).returned.get(name)
        if returned is None:
            found = self.tree.find(scope, name)
            if found is not None and found.scope is not scope:
                scope = found.scope
                returned = self._bound(scope).returned.get(name)
        if not returned:
            yield COMPUTED
            return
        for value in returned:
            yield from read(scope, value, depth)

    def _bound(self, scope: Scope) -> _Bindings:
        if scope.file not in self._bindings:
            self._bindings[scope.file] = _all_bindings(scope.module)
        return self._bindings[scope.file]


@dataclass
class _Bindings:
    """How one file binds names, in functions and classes too, and what functions return."""

    ways: dict[str, list[tuple[Way, ast.expr | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    returned: dict[str, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))


def _all_bindings(module: ast.Module) -> _Bindings:
    bindings = _Bindings()
    found = bindings.ways

    def bind(target: ast.expr, way: Way, value: ast.expr | None) -> None:
        match target:
            case ast.Name(id=name):
                found[name].append((way, value))
            case ast.Subscript(value=ast.Name(id=name), slice=key) if way == "value":
                found[name].append(("item", key))
            case ast.Attribute() | ast.Subscript():
                pass
            case _:
                for node in ast.walk(target):
                    if isinstance(node, ast.Name):
                        found[node.id].append(("unknown", None))

    for node in ast.walk(module):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    bind(target, "value", value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                bind(target, "value", value)
            case (
                ast.AugAssign(target=target, value=value)
                | ast.NamedExpr(target=target, value=value)
            ):
                bind(target, "value", value)
            case ast.For(target=target, iter=each) | ast.comprehension(target=target, iter=each):
                bind(target, "each", each)
            case ast.FunctionDef(name=name):
                bindings.returned[name].extend(
                    one.value
                    for one in ast.walk(node)
                    if isinstance(one, ast.Return) and one.value is not None
                )
            case ast.arg(arg=name):
                found[name].append(("unknown", None))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[*args]):
                if method in ("append", "add", "insert") and args:
                    found[name].append(("item", args[-1]))
                elif method in ("extend", "update") and args:
                    found[name].append(("value", args[0]))
            case _:
                pass
    for ways in found.values():
        ways.sort(key=lambda way: (way[1].lineno, way[1].col_offset) if way[1] else (0, 0))
    # A name that is only appended to is bound elsewhere, for example by an import.
    for name in [name for name, ways in found.items() if all(way == "item" for way, _ in ways)]:
        del found[name]
    return bindings
