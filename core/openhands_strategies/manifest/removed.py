"""Uses of what the SDK has removed: found in the source, so that one error can say more
than the `ImportError` at the import would.

`openhands.tools.delegate` exists on 1.21 and 1.58; `DelegateTool` in it on 1.21 only, and
`register_agent`, which the published RFC example imports from it, on neither.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from openhands_strategies.manifest.model import RemovedImport
from openhands_strategies.manifest.source import Scope
from openhands_strategies.manifest.syntax import never_runs

_MODULES: Final = frozenset({"openhands.tools.delegate", "openhands.tools.delegate.definition"})
_REPLACEMENTS: Final = {
    "DelegateTool": "TaskToolSet from openhands.tools.task",
    "register_agent": "register_agent from openhands.sdk",
}
_TOOL: Final = "DelegateTool"
_TOOL_REPLACEMENT: Final = "Tool(name=TaskToolSet.name) with TaskToolSet from openhands.tools.task"
_IMPORT_ERRORS: Final = frozenset(
    {"BaseException", "Exception", "ImportError", "ModuleNotFoundError"}
)


def removed_imports(scopes: Iterable[Scope]) -> tuple[RemovedImport, ...]:
    """Find them, one for each statement, in the order of files and lines.

    A file that imports one within `try … except ImportError` knows about it and is
    not reported.
    """
    found: list[RemovedImport] = []
    for scope in scopes:
        nodes = list(_running(scope.module))
        if any(_removed_names(scope, node) for node, guarded in nodes if guarded):
            continue
        in_file: dict[int, RemovedImport] = {}
        for node, _ in nodes:
            names = _removed_names(scope, node)
            line = getattr(node, "lineno", 1)
            if names:
                shown = " and ".join(names)
                instead = ", and ".join(_REPLACEMENTS[name.rpartition(".")[2]] for name in names)
                in_file.setdefault(line, RemovedImport(shown, instead, line, scope.file))
            elif _is_removed_tool(scope, node):
                use = RemovedImport(f'Tool(name="{_TOOL}")', _TOOL_REPLACEMENT, line, scope.file)
                in_file.setdefault(line, use)
        found.extend(in_file[line] for line in sorted(in_file))
    return tuple(found)


def _running(module: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """Nodes that may run, and whether an `except ImportError` stands around them."""
    todo: list[tuple[ast.AST, bool]] = [(module, False)]
    while todo:
        node, guarded = todo.pop()
        yield node, guarded
        if isinstance(node, ast.If) and never_runs(node.test):
            todo.extend((child, guarded) for child in node.orelse)
        elif isinstance(node, ast.Try) and any(map(_handles_import, node.handlers)):
            todo.extend((child, True) for child in node.body)
            todo.extend(
                (child, guarded) for child in [*node.handlers, *node.orelse, *node.finalbody]
            )
        else:
            todo.extend((child, guarded) for child in ast.iter_child_nodes(node))


def _handles_import(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(
        isinstance(node, ast.Name) and node.id in _IMPORT_ERRORS for node in ast.walk(handler.type)
    )


def _removed_names(scope: Scope, node: ast.AST) -> list[str]:
    """What a node uses: `from … import …`, or `module.name` after an import."""
    if isinstance(node, ast.ImportFrom) and not node.level and node.module in _MODULES:
        return [f"{node.module}.{one.name}" for one in node.names if one.name in _REPLACEMENTS]
    if isinstance(node, ast.Attribute) and node.attr in _REPLACEMENTS:
        dotted = scope.dotted(node)
        if dotted is not None and dotted.rpartition(".")[0] in _MODULES:
            return [dotted]
    return []


def _is_removed_tool(scope: Scope, node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    dotted = scope.dotted(node.func) or ""
    if not dotted.startswith("openhands.") or not dotted.endswith(".Tool"):
        return False
    given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "name")]
    return any(isinstance(one, ast.Constant) and one.value == _TOOL for one in given)
