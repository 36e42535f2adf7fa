"""SDK subclasses that a tree defines: their names are global to the process."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.classes import class_info
from openhands_strategies.manifest.model import Finding, SdkClass
from openhands_strategies.manifest.source import Scope, Tree
from openhands_strategies.manifest.syntax import never_runs


def sdk_classes(tree: Tree, scopes: Iterable[Scope]) -> tuple[SdkClass, ...]:
    """Find all classes that derive from a class in `sdk_names.FAMILY_OF`.

    Raises:
        LoadError: `class_name_taken` when two files give one name to subclasses of one
            SDK class; loading both would break every agent of the process.
    """
    found: list[SdkClass] = []
    for scope in scopes:
        for node, nested in _class_statements(scope.module):
            bases = class_info(tree, scope, node).sdk_bases
            if bases:
                found.append(SdkClass(node.name, bases, node.lineno, scope.file, nested))
    first: dict[tuple[str, str], SdkClass] = {}
    for one in found:
        for base in one.bases:
            other = first.setdefault((base, one.name), one)
            # Twice in one file may be the two branches of an `if`.
            if other.file != one.file:
                raise LoadError(
                    "class_name_taken",
                    f"{one.file}:{one.line} and {other.file}:{other.line} both define a"
                    f" {base} called {one.name}",
                    "rename one of the classes",
                )
    return tuple(found)


def local_class_findings(classes: Iterable[SdkClass]) -> Iterator[Finding]:
    """A finding for each SDK subclass inside a function, which the SDK refuses."""
    for one in classes:
        if one.nested:
            yield Finding(
                "class_local",
                f"{one.name} derives from {one.bases[0]} inside a function;"
                " the SDK refuses such classes",
                "move the class to the top level of the file",
                one.file,
                one.line,
            )


def _class_statements(module: ast.Module) -> Iterator[tuple[ast.ClassDef, bool]]:
    """Every class statement that may run, and whether a function encloses it."""
    todo: list[tuple[ast.AST, bool]] = [(module, False)]
    while todo:
        node, local = todo.pop()
        if isinstance(node, ast.ClassDef):
            yield node, local
        inner = local or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        children: list[ast.AST] = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.If) and never_runs(node.test):
            children = list(node.orelse)
        todo.extend((child, inner) for child in reversed(children))
