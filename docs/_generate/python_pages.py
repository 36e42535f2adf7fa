"""Reference of the Python modules that others import, from their docstrings and signatures."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from docstrings import Docstring, parse, remarks, table

# Constants and type aliases have no docstring at run time; one that has none in its source
# either is explained here.
EXPLAINED = {
    "Confirmation": "Which actions need a yes.",
    "DEMO_LATENCY": "Seconds that the demo's model takes for an answer.",
    "DEMO_PRICES": "Prices of the demo's models.",
    "DEMO_TASK": "The task of the demo.",
    "MAIN_MODEL": "Name of the demo's main model.",
    "SIDEKICK_MODEL": "Name of the demo's other model.",
    "Script": "What answers requests: a function from a `Turn` to a `Reply`.",
    "Step": "One answer of a script, or a script that decides.",
    "Fault": "What can go wrong with an answer on purpose.",
}


def page(*modules: str) -> str:
    """Every name in `__all__` of the modules, each once: what one uses, errors, constants."""
    known = sorted(names(modules), key=lambda one: _rank(getattr(one[1], one[0])))
    pieces = (text for name, owner in known for text in _entry(name, owner))
    return "\n\n".join(piece for piece in pieces if piece)


def _rank(found: Any) -> int:
    if inspect.isclass(found):
        return 1 if issubclass(found, Exception) else 0
    return 0 if inspect.isfunction(found) else 2


def names(modules: Iterable[str]) -> Iterator[tuple[str, ModuleType]]:
    """The public names, with the first module that has each."""
    seen: set[str] = set()
    for path in modules:
        module = importlib.import_module(path)
        for name in module.__all__:
            if name not in seen:
                seen.add(name)
                yield name, module


def hooks(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The functions of a module that are hook specifications."""
    for name, found in vars(module).items():
        if inspect.isfunction(found) and hasattr(found, f"{module.PROJECT}_spec"):
            yield name, found


def hooks_page(path: str) -> str:
    """Every hook specification."""
    module = importlib.import_module(path)
    parts = []
    for name, found in hooks(module):
        first = getattr(found, f"{module.PROJECT}_spec")["firstresult"]
        kind = "The first answer that is not None counts." if first else "All plugins are asked."
        parts += [f"## {name}", _code(name, found), kind, *_of_function(found)]
    return "\n\n".join(part for part in parts if part)


def _entry(name: str, module: ModuleType) -> Iterator[str]:
    found = getattr(module, name)
    yield f"## {name}"
    if inspect.isclass(found):
        yield from _of_class(name, found)
    elif inspect.isfunction(found):
        yield _code(name, found)
        yield from _of_function(found)
    else:
        source, text = _assignment(name, module)
        yield f"```python\n{source}\n```"
        yield text or EXPLAINED[name]


def _of_class(name: str, found: type) -> Iterator[str]:
    if issubclass(found, Exception):
        bases = ", ".join(f"`{base.__name__}`" for base in found.__bases__)
        yield f"An exception; derives from {bases}."
    docstring = parse(found.__doc__)
    if is_dataclass(found) or "__init__" in vars(found):
        yield _code(name, found)
    yield docstring.text
    described = docstring.entries("Attributes") | docstring.entries("Args")
    rows = [(f"`{one}`", described.pop(one, "")) for one in _ordered(found, described)]
    yield table(("attribute", "meaning"), [row for row in rows if row[1]])
    yield from remarks(docstring)
    for method, function in vars(found).items():
        plain = function.fget if isinstance(function, property) else function
        plain = getattr(plain, "func", plain)  # a cached property
        hidden = method.startswith("_") and method != "__call__"
        if hidden or not inspect.isfunction(plain):
            continue
        called = f"{name}.{method}"
        yield f"### {called}"
        if plain is function:
            yield _code(called, function)
        yield from _of_function(plain)


def _ordered(found: type, described: dict[str, str]) -> list[str]:
    own = [one.name for one in fields(found)] if is_dataclass(found) else []
    return [one for one in own if one in described] + [one for one in described if one not in own]


def _of_function(found: Any) -> Iterator[str]:
    docstring: Docstring = parse(found.__doc__)
    yield docstring.text
    rows = [(f"`{one}`", text) for one, text in docstring.entries("Args").items()]
    yield table(("argument", "meaning"), rows)
    yield from remarks(docstring)


def _code(name: str, found: Any) -> str:
    """The signature, one parameter a line where it is long."""
    signature = inspect.signature(found)
    pieces = list(_parameters(signature))
    returned = "" if inspect.isclass(found) else _annotation(signature.return_annotation, " -> ")
    text = f"{name}({', '.join(pieces)}){returned}"
    if len(text) > 88:
        text = f"{name}(\n" + "".join(f"    {piece},\n" for piece in pieces) + f"){returned}"
    return f"```python\n{text}\n```"


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    star = False
    for one in signature.parameters.values():
        if one.name == "self":
            continue
        if one.kind is one.KEYWORD_ONLY and not star:
            yield "*"
        star = star or one.kind in (one.KEYWORD_ONLY, one.VAR_POSITIONAL)
        mark = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(one.kind.name, "")
        text = f"{mark}{one.name}{_annotation(one.annotation, ': ')}"
        yield text if one.default is one.empty else f"{text} = {_default(one.default)}"


def _annotation(annotation: Any, before: str) -> str:
    if annotation is inspect.Signature.empty:
        return ""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return before + (text or str(annotation))


def _default(value: Any) -> str:
    """What stands for a default; one that is made anew each time has no text of its own."""
    text = repr(value)
    return "..." if text.startswith("<") else text


def _assignment(name: str, module: ModuleType) -> tuple[str, str]:
    """Source and docstring of a constant or a type alias, wherever it was made."""
    for place in _places(name, module):
        body = ast.parse(place.read_text(encoding="utf-8")).body
        for number, node in enumerate(body):
            if not isinstance(node, ast.Assign | ast.AnnAssign | ast.TypeAlias):
                continue
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            target = target or getattr(node, "target", None) or getattr(node, "name", None)
            if not isinstance(target, ast.Name) or target.id != name:
                continue
            after = body[number + 1] if number + 1 < len(body) else None
            text = ""
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                text = inspect.cleandoc(str(after.value.value))
            source = ast.unparse(node)
            return source if len(source) <= 88 else f"{name} = ...", text
    raise LookupError(name)


def _places(name: str, module: ModuleType) -> Iterator[Path]:
    place = Path(str(module.__file__))
    yield place
    for node in ast.parse(place.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and any(one.name == name for one in node.names):
            yield from _places(name, importlib.import_module(str(node.module)))
