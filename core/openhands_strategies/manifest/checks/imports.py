"""Imports: there, declared, and not removed from the SDK."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.files import exists
from openhands_strategies.manifest.removed import removed_imports
from openhands_strategies.manifest.source import Imported, Scope, Tree
from openhands_strategies.manifest.syntax import never_runs

_ALWAYS_THERE = frozenset({"openhands", "openhands_strategies", "__future__"})


def problems(subject: Subject) -> Iterator[Problem]:
    for gone in removed_imports(subject.scopes):
        yield make("import_removed", f"{gone.name} is used, which the SDK has removed",
                   f"use {gone.replacement}", gone.file, gone.line)  # fmt: skip
    for scope in subject.scopes:
        for node in _imports(scope.module):
            if isinstance(node, ast.ImportFrom) and node.level:
                yield from _relative(subject.tree, scope, node)
            else:
                yield from _absolute(subject, scope, node)


def _imports(module: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that run with the module or with a function, and that nothing catches."""
    todo: list[ast.AST] = [module]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.Try):
            todo.extend([*node.orelse, *node.finalbody])
        elif isinstance(node, ast.If) and never_runs(node.test):
            todo.extend(node.orelse)
        else:
            todo.extend(ast.iter_child_nodes(node))


def _relative(tree: Tree, scope: Scope, node: ast.ImportFrom) -> Iterator[Problem]:
    if not node.module:
        return
    wanted = Imported(node.module, None, node.level)
    folder = Path(scope.file).parent
    for _ in range(node.level - 1):
        folder = folder.parent
    base = folder.joinpath(*node.module.split("."))
    compiled = any(exists(tree.root, f"{base.as_posix()}{end}") for end in (".pyi", ".so"))
    is_folder = (tree.root / base).is_dir()
    if tree.locate(scope, wanted) is None and not is_folder and not compiled:
        yield make(
            "import_missing",
            f"{'.' * node.level}{node.module} is imported, and there is no {base.as_posix()}.py",
            "add the file, or correct the import",
            scope.file,
            node.lineno,
        )


def _absolute(
    subject: Subject, scope: Scope, node: ast.Import | ast.ImportFrom
) -> Iterator[Problem]:
    dotted = [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module]
    for name in dotted:
        top = (name or "").partition(".")[0]
        if (
            not top
            or top in sys.stdlib_module_names
            or top in _ALWAYS_THERE
            or top == subject.root.name
            or top.startswith("openhands_strategy_")
            or subject.tree.locate(scope, Imported(name or "", None, 0)) is not None
        ):
            continue
        if exists(subject.root, f"{top}.py") or exists(subject.root, top):
            yield make(
                "import_own",
                f"{top} lies beside the strategy, but is imported as if it were installed",
                f"write from .{top} import …: a directory loads as a package",
                scope.file,
                node.lineno,
            )
        elif not _declared(subject, top):
            yield make(
                "import_undeclared",
                f"{top} is imported, and no requirement brings it",
                "add its distribution to the dependencies in pyproject.toml, or to the script's"
                " metadata",
                scope.file,
                node.lineno,
            )


def _declared(subject: Subject, top: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    if subject.manifest is None:
        return True
    names = set()
    for text in subject.manifest.requirements:
        try:
            names.add(canonicalize_name(Requirement(text).name))
        except InvalidRequirement:
            continue  # a problem of its own
    if canonicalize_name(top) in names:
        return True
    from importlib.metadata import packages_distributions

    brought = packages_distributions().get(top, ())
    return any(canonicalize_name(one) in names for one in brought)
