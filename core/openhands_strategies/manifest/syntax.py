"""Python source as a syntax tree: bounded, without running or warning, and what its top
level binds."""

from __future__ import annotations

import ast
import threading
import tokenize
import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.files import printable

type Bound = ast.expr | ast.ClassDef | ast.FunctionDef

# `warnings.catch_warnings` replaces a list of the whole process.
_WARNINGS: Final = threading.Lock()


def parse(content: bytes, file: str) -> ast.Module:
    """Parse Python source as an import would, from bytes.

    Raises:
        LoadError: `file_encoding` or `syntax_error`, with file and line.
    """
    decode(content, file)
    try:
        # A stranger's invalid escape sequence is no warning of ours.
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content, filename=file)
    except SyntaxError as error:
        line = f":{error.lineno}" if error.lineno else ""
        raise LoadError(
            "syntax_error",
            f"{file}{line}: {printable(error.msg or 'invalid syntax')}",
            "correct the file",
        ) from error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise LoadError(
            "syntax_error", f"{file} cannot be parsed: it is nested too deeply", "simplify the file"
        ) from error


def decode(content: bytes, file: str) -> str:
    """Decode Python source by its byte order mark or coding cookie.

    Raises:
        LoadError: `file_encoding` when the bytes are not in that encoding, or hold NUL.
    """
    if b"\0" in content:
        raise LoadError("file_encoding", f"{file} holds NUL bytes", "it is no Python source")
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
        return content.decode(encoding)
    except (SyntaxError, LookupError, ValueError) as error:
        raise LoadError(
            "file_encoding",
            f"{file} is not in the encoding that it declares (UTF-8 if none)",
            "save it as UTF-8",
        ) from error


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module does, also those in `if`, `try` and `with`."""
    todo = list(reversed(body))
    while todo:
        statement = todo.pop()
        yield statement
        inner: list[ast.stmt] = []
        if isinstance(statement, ast.If):
            skipped = never_runs(statement.test)
            inner = [*([] if skipped else statement.body), *statement.orelse]
        elif isinstance(statement, ast.Try | ast.TryStar):
            handled = [one for handler in statement.handlers for one in handler.body]
            inner = [*statement.body, *handled, *statement.orelse, *statement.finalbody]
        elif isinstance(statement, ast.With):
            inner = statement.body
        todo.extend(reversed(inner))


def never_runs(test: ast.expr) -> bool:
    """`if TYPE_CHECKING:` and `if __name__ == "__main__":`."""
    if isinstance(test, ast.Compare):
        test = test.left
        return isinstance(test, ast.Name) and test.id == "__name__"
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


def bindings(
    module: ast.Module,
) -> tuple[dict[str, Bound | None], frozenset[tuple[str, str]], frozenset[str]]:
    """What the top level of a module binds.

    Returns:
        Names to what they are bound to, or None where that cannot be said (bound twice,
        by a loop, changed later); `(class, attribute)` pairs that are assigned from
        outside the class; names that imports bind.
    """
    values: dict[str, Bound | None] = {}
    patched: set[tuple[str, str]] = set()
    imported: set[str] = set()

    def bind(target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            values[target.id] = None if target.id in values else value
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            patched.add((target.value.id, target.attr))
        else:
            for node in ast.walk(target):
                if isinstance(node, ast.Name):
                    values[node.id] = None

    for statement in top_level(module.body):
        match statement:
            case ast.ClassDef() | ast.FunctionDef():
                values[statement.name] = statement
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    bind(target, value)
            case ast.AnnAssign(value=ast.expr() as value):
                bind(statement.target, value)
            case ast.AugAssign() | ast.For():
                bind(statement.target, None)
            case ast.Delete(targets=targets):
                for target in targets:
                    bind(target, None)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                imported.update(one.asname or one.name.partition(".")[0] for one in names)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
                # `PARAMS.append(…)` changes what was assigned.
                if isinstance(values.get(name), ast.List | ast.Dict | ast.Set):
                    values[name] = None
            case _:
                pass
    return values, frozenset(patched), frozenset(imported)


def class_values(node: ast.ClassDef) -> dict[str, ast.expr | None]:
    """Names that a class body sets; None for what is no plain assignment."""
    values: dict[str, ast.expr | None] = {}
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values[name] = value
            case ast.AnnAssign():
                pass
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                values[statement.name] = None
            case _:
                values.update(dict.fromkeys(_stored(statement)))
    return values


def _stored(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
