"""Parameters: how they are declared, and whether the code reads what is declared."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.classes import attribute
from openhands_strategies.manifest.literals import Computed
from openhands_strategies.manifest.source import Scope
from openhands_strategies.params import StrategyParam

_SECRET: Final = re.compile(r"(^|_)(password|passwd|secret|token|api_key|apikey|credential)s?$")
_BUILDERS: Final = ("build", "build_agent")


def problems(subject: Subject) -> Iterator[Problem]:
    info = subject.info
    if info is None:
        return
    try:
        found = attribute(subject.tree, info, "params")
        if found is None:
            yield from _undeclared(subject, frozenset())
            return
        reader, scope, node = found
        params = reader.params(scope, node)
    except Computed:
        file, line = subject.place
        yield make(
            "params_computed",
            "the parameters exist only once the code runs",
            "write params = [StrategyParam(…), …] with plain values in the class",
            file,
            line,
        )
        return
    lines = _lines(node, len(params))
    used = _strings(subject)
    for number, param in enumerate(params):
        place = (scope.file, lines[number])
        yield from _declared(param, *place)
        if used.count(param.name) <= sum(param.name == other.name for other in params):
            yield make("param_unused", f"nothing reads the parameter {param.name!r}",
                       f'read context.params["{param.name}"], or take it out', *place)  # fmt: skip
    yield from _undeclared(subject, frozenset(param.name for param in params))


def _declared(param: StrategyParam, file: str, line: int) -> Iterator[Problem]:
    if not param.description.strip():
        yield make("param_description", f"parameter {param.name!r} has no description",
                   "say in a few words what it changes", file, line)  # fmt: skip
    elif "\n" in param.description.strip():
        yield make("param_description_lines",
                   f"the description of parameter {param.name!r} has more than one line",
                   "keep it to one line", file, line)  # fmt: skip
    if _SECRET.search(param.name) and param.type == "string" and not param.secret:
        yield make(
            "param_not_secret",
            f"parameter {param.name!r} looks like a secret, and its value would be kept in clear",
            "add secret=True: its value is then the name of an environment variable",
            file,
            line,
        )
    if param.required and param.default is not None:
        yield make("param_required_default",
                   f"parameter {param.name!r} is required and has a default as well",
                   "keep one of the two", file, line)  # fmt: skip
    if len(set(map(repr, param.choices))) < len(param.choices):
        yield make("param_choices", f"parameter {param.name!r} has one choice twice",
                   "take one of them out", file, line)  # fmt: skip
    if len(param.choices) == 1:
        yield make("param_choices", f"parameter {param.name!r} has one choice only",
                   "add others, or take the parameter out", file, line)  # fmt: skip


def _lines(node: ast.expr, count: int) -> list[int]:
    """The line of each declaration, or of the list where they do not stand in it."""
    elements = node.elts if isinstance(node, ast.List | ast.Tuple) else []
    if len(elements) == count and all(isinstance(one, ast.Call) for one in elements):
        return [one.lineno for one in elements]
    return [node.lineno] * count


def _strings(subject: Subject) -> list[str]:
    return [
        node.value
        for scope in subject.scopes
        for node in ast.walk(scope.module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _undeclared(subject: Subject, known: frozenset[str]) -> Iterator[Problem]:
    """`context.params["x"]` in the builders, for an x that no parameter is called."""
    info = subject.info
    for site in info.line if info is not None else ():
        for function in site.node.body:
            if isinstance(function, ast.FunctionDef) and function.name in _BUILDERS:
                yield from _reads(site.scope, function, known)


def _reads(scope: Scope, function: ast.FunctionDef, known: frozenset[str]) -> Iterator[Problem]:
    names = {"params"} if function.name == "build_agent" else set[str]()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _is_params(node.value, set()):
            names |= {one.id for one in node.targets if isinstance(one, ast.Name)}
    for node in ast.walk(function):
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str() as key)):
                pass
            case ast.Call(
                func=ast.Attribute(value=value, attr="get"),
                args=[ast.Constant(value=str() as key), *_],
            ):
                pass
            case _:
                continue
        if _is_params(value, names) and key not in known:
            yield make(
                "param_undeclared",
                f"{function.name} reads the parameter {key!r}, which is not declared",
                f"declare it in params; declared: {', '.join(sorted(known)) or 'none'}",
                scope.file,
                node.lineno,
            )


def _is_params(node: ast.expr, names: set[str]) -> bool:
    """`context.params`, or a name that was given it."""
    if isinstance(node, ast.Name):
        return node.id in names
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "params"
        and isinstance(node.value, ast.Name)
        and node.value.id == "context"
    )
