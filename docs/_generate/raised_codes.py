"""Every code that the package can raise or report, read from its source without running it.

A code is the first argument of an error class of the package or of a `Finding`. Where it is a
parameter of the function around it, the calls of that function are read as well; where it is
looked up in a table, every entry of the table counts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CORE = Path(__file__).parents[2] / "core" / "openhands_strategies"
_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_HOLE = "\0"
_PASSED_ON = {"code"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Sink:
    """A function or class that makes an error of one of its arguments.

    Attributes:
        position: Of the argument; -1 where it can be given by keyword only.
        keyword: Its name.
        template: The code, with NUL where the argument stands.
    """

    position: int
    keyword: str
    template: str = _HOLE


@dataclass
class Codes:
    """What was found.

    Attributes:
        places: Code to the places in the source that use it.
        unread: Places whose code could not be told; a new way to name a code.
    """

    places: dict[str, set[str]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)


class _Module:
    def __init__(self, path: Path, root: Path) -> None:
        self.name = path.relative_to(root).as_posix()
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.around: dict[ast.AST, ast.AST] = {}
        self.functions: set[str] = set()
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                self.around[child] = node
            if isinstance(node, Function):
                self.functions.add(node.name)

    def enclosing(self, node: ast.AST) -> Iterator[Function]:
        while (above := self.around.get(node)) is not None:
            if isinstance(above, Function):
                yield above
            node = above


def raised_codes(root: Path = CORE) -> Codes:
    """Codes of all modules below `root`, the templates of `ohs new` aside."""
    paths = [path for path in sorted(root.rglob("*.py")) if "template" not in path.parts]
    modules = [_Module(path, root) for path in paths if "sample" not in path.parts]
    sinks: dict[tuple[str, str], Sink] = {
        ("", name): Sink(0, "code") for name in (*_error_classes(modules), "Finding")
    }
    while True:
        found, before = Codes(), len(sinks)
        for module in modules:
            _read(module, modules, sinks, found)
        if len(sinks) == before:
            return found


def _error_classes(modules: list[_Module]) -> set[str]:
    known = {"StrategyError"}
    while True:
        more = {
            node.name
            for module in modules
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef) and {_last(base) for base in node.bases} & known
        }
        # These two are made of another error, or of facts; their bases are given a code.
        if more | {"StrategyError"} <= known:
            return known - {"EntryError", "NotTrusted"}
        known |= more


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _read(
    module: _Module, modules: list[_Module], sinks: dict[tuple[str, str], Sink], found: Codes
) -> None:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or _foreign(node.func):
            continue
        name = _last(node.func)
        sink = sinks.get((module.name, name))
        if sink is None and name not in module.functions:
            sink = sinks.get(("", name))
        if sink is None and ast.unparse(node.func) == "super().__init__":
            sink = _of_base(node, module, sinks)
        if sink is None:
            continue
        argument = _argument(node, sink)
        if argument is None:
            continue
        place = f"{module.name}:{node.lineno}"
        for text in _texts(argument, node, module, modules):
            code = text if isinstance(text, str) else None
            if isinstance(text, Sink):
                _add_sink(text, sink, argument, module, node, sinks, found, place)
            elif code is None:
                found.unread.add(f"{place} {ast.unparse(argument)}")
            else:
                full = sink.template.replace(_HOLE, code)
                if _CODE.fullmatch(full):
                    found.places.setdefault(full, set()).add(place)
                else:
                    found.unread.add(f"{place} {full}")


def _of_base(call: ast.Call, module: _Module, sinks: dict[tuple[str, str], Sink]) -> Sink | None:
    """What the initialiser of a class of errors hands on to the one that it is made from."""
    above: ast.AST | None = call
    while above is not None and not isinstance(above, ast.ClassDef):
        above = module.around.get(above)
    if above is None:
        return None
    return next((sinks[key] for base in above.bases if (key := ("", _last(base))) in sinks), None)


def _foreign(function: ast.expr) -> bool:
    """Whether it is click's or pytest's own `UsageError`, which has no code."""
    return isinstance(function, ast.Attribute) and _last(function.value) in ("click", "pytest")


def _argument(call: ast.Call, sink: Sink) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == sink.keyword:
            return keyword.value
    if 0 <= sink.position < len(call.args):
        return call.args[sink.position]
    return None


def _texts(
    node: ast.expr, call: ast.Call, module: _Module, modules: list[_Module]
) -> Iterator[str | Sink | None]:
    """Codes that an expression can be, a sink where it is a parameter, None where unknown."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, call, module, modules)
        yield from _texts(node.orelse, call, module, modules)
    elif isinstance(node, ast.Attribute) and node.attr in _PASSED_ON:
        return  # another error's code
    elif isinstance(node, ast.Subscript) and ast.unparse(node.slice) == "'code'":
        return  # the code of an error that was written down
    elif isinstance(node, ast.JoinedStr):
        yield from _template(node, call, module)
    elif isinstance(node, ast.Name):
        yield from _named(node.id, call, module, modules)
    else:
        yield None


def _template(node: ast.JoinedStr, call: ast.Call, module: _Module) -> Iterator[Sink | None]:
    names = [_last(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
    text = "".join(
        str(part.value) if isinstance(part, ast.Constant) else _HOLE for part in node.values
    )
    sink = _parameter(names[0], call, module) if len(names) == 1 else None
    yield Sink(sink.position, sink.keyword, text) if sink else None


def _named(
    name: str, call: ast.Call, module: _Module, modules: list[_Module]
) -> Iterator[str | Sink | None]:
    sink = _parameter(name, call, module)
    if sink is not None:
        yield sink
        return
    values = [*_assigned(name, call, module, modules)]
    texts: list[str | Sink | None] = [
        one.value
        for value in values
        for one in ast.walk(value)
        if isinstance(one, ast.Constant)
        and isinstance(one.value, str)
        and _CODE.fullmatch(one.value)
    ]
    yield from texts or [None]


def _parameter(name: str, call: ast.Call, module: _Module) -> Sink | None:
    for function in module.enclosing(call):
        given = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        if name in given:
            skip = 1 if given[0] in ("self", "cls") else 0
            return Sink(given.index(name) - skip, name)
        if name in [one.arg for one in function.args.kwonlyargs]:
            return Sink(-1, name)
    return None


def _assigned(
    name: str, call: ast.Call, module: _Module, modules: list[_Module]
) -> Iterator[ast.expr]:
    """What a local name, a constant or a loop's variable was given."""
    inside = next(iter(module.enclosing(call)), None)
    scopes: list[ast.AST] = [module.tree] if inside is None else [inside, module.tree]
    for scope in scopes:
        found = [*_values(name, scope)]
        if found:
            for value in found:
                tables = [one.id for one in ast.walk(value) if isinstance(one, ast.Name)]
                yield value
                for table in tables:
                    if table.isupper():
                        yield from _values(table, module.tree)
            return
    if name.isupper():
        for other in modules:
            yield from _values(name, other.tree)


def _values(name: str, scope: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(scope):
        value: ast.expr | None = None
        if (
            isinstance(node, ast.Assign) and any(_binds(target, name) for target in node.targets)
        ) or (isinstance(node, ast.AnnAssign) and _binds(node.target, name)):
            value = node.value
        elif isinstance(node, ast.For) and _binds(node.target, name):
            value = node.iter
        if value is not None:
            yield value


def _binds(target: ast.expr, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(target))


def _add_sink(
    parameter: Sink,
    sink: Sink,
    argument: ast.expr,
    module: _Module,
    call: ast.Call,
    sinks: dict[tuple[str, str], Sink],
    found: Codes,
    place: str,
) -> None:
    """The function around a call makes errors of its own parameter."""
    for function in module.enclosing(call):
        names = [one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)]
        if parameter.keyword not in names:
            continue
        if function.name == "__init__":
            return  # the class is a sink already
        template = sink.template.replace(_HOLE, parameter.template)
        new = Sink(parameter.position, parameter.keyword, template)
        sinks.setdefault((module.name, function.name), new)
        nested = any(isinstance(one, Function) for one in module.enclosing(function))
        if not function.name.startswith("_") and not nested:
            sinks.setdefault(("", function.name), new)
        for default, name in _defaults(function):
            if name == parameter.keyword and isinstance(default, ast.Constant):
                code = template.replace(_HOLE, str(default.value))
                found.places.setdefault(code, set()).add(place)
        return


def _defaults(function: Function) -> Iterator[tuple[ast.expr, str]]:
    plain = [*function.args.posonlyargs, *function.args.args]
    for default, one in zip(reversed(function.args.defaults), reversed(plain), strict=False):
        yield default, one.arg
    for keyword_default, one in zip(
        function.args.kw_defaults, function.args.kwonlyargs, strict=True
    ):
        if keyword_default is not None:
            yield keyword_default, one.arg
