"""The methods of the protocol: there, and with arguments that they can be called with."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject

# How many arguments each is called with, beside self, and how that is written.
_CALLED: Final = {
    "__init__": (0, "def __init__(self)"),
    "setup": (0, "def setup(self)"),
    "build": (1, "def build(self, context)"),
    "build_agent": (2, "def build_agent(self, llm, params=None)"),
}


def problems(subject: Subject) -> Iterator[Problem]:
    info = subject.info
    if info is None:
        return
    if not info.has_builder and not info.unknown:
        yield make(
            "build_missing",
            f"class {info.name} has neither build nor build_agent",
            "write def build(self, context) and return a Blueprint",
            *subject.place,
        )
    seen: set[str] = set()
    for site in info.line:
        for node in site.node.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name not in _CALLED or node.name in seen:
                continue
            seen.add(node.name)
            yield from _method(node, site.scope.file)


def _method(node: ast.FunctionDef | ast.AsyncFunctionDef, file: str) -> Iterator[Problem]:
    count, written = _CALLED[node.name]
    if isinstance(node, ast.AsyncFunctionDef):
        yield make("method_async", f"{node.name} is a coroutine; it is called, never awaited",
                   f"write {written}", file, node.lineno)  # fmt: skip
        return
    decorators = {one.id for one in node.decorator_list if isinstance(one, ast.Name)}
    if decorators - {"override"} or len(node.decorator_list) > len(decorators):
        # A decorator may change the arguments; only the SDK-free ones are understood.
        if not decorators & {"staticmethod", "classmethod", "property"}:
            return
        yield make("method_signature", f"{node.name} must be an ordinary method",
                   f"write {written}", file, node.lineno)  # fmt: skip
        return
    arguments = node.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    needed = positional - len(arguments.defaults)
    needed_names = [one for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults,
                                                strict=True) if default is None]  # fmt: skip
    too_few = positional < count + 1 and arguments.vararg is None
    if too_few or needed > count + 1 or needed_names:
        yield make(
            "method_signature",
            f"{node.name} cannot be called with self and {count or 'no'}"
            f" {'argument' if count == 1 else 'arguments'}",
            f"write {written}",
            file,
            node.lineno,
        )
