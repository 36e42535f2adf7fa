"""Values and `StrategyParam` declarations that can be read from the source."""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping
from typing import Any, Final

from openhands_strategies.errors import LoadError, ParameterError
from openhands_strategies.manifest.source import Scope, Tree
from openhands_strategies.params import StrategyParam

_BUDGET: Final = 5_000
_MAX_DEPTH: Final = 30
_MAX_TEXT: Final = 20_000
_FIELDS: Final = tuple(StrategyParam.__dataclass_fields__)


class Computed(Exception):
    """The value exists only once the code runs."""


class Reader:
    """Evaluates literals of one tree; each reader may visit `_BUDGET` nodes.

    Args:
        tree: Where constants of other files are found.
        local: Names of the enclosing class body, which hide the module's.
    """

    def __init__(self, tree: Tree, local: Mapping[str, ast.expr] | None = None) -> None:
        self._tree = tree
        self._local = local or {}
        self._left = _BUDGET

    def value(self, scope: Scope, node: ast.expr, depth: int = 0) -> Any:
        """Return the value of a literal, following constants of the module.

        Lists and tuples become tuples.

        Raises:
            Computed: It is no literal, or too large a one.
        """
        self._spend(depth)
        match node:
            case ast.Constant(value=str() | int() | float() | bool() | None as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self.value(scope, operand, depth + 1)
                if isinstance(number, int | float) and not isinstance(number, bool):
                    return -number
            case ast.JoinedStr(values=parts) if all(isinstance(p, ast.Constant) for p in parts):
                return "".join(str(self.value(scope, part, depth + 1)) for part in parts)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                one = self.value(scope, left, depth + 1)
                two = self.value(scope, right, depth + 1)
                return _joined(one, two)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return tuple(self._elements(scope, elements, depth))
            case ast.Name(id=name):
                found_scope, found = self.follow(scope, name)
                return self.value(found_scope, found, depth + 1)
            case _:
                pass
        raise Computed

    def params(self, scope: Scope, node: ast.expr, depth: int = 0) -> tuple[StrategyParam, ...]:
        """Read a list or tuple of `StrategyParam(…)`.

        Raises:
            Computed: Something in it is no literal.
            LoadError: `param_declaration`, naming file and line.
        """
        self._spend(depth)
        match node:
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                found: list[StrategyParam] = []
                for element in elements:
                    if isinstance(element, ast.Starred):
                        found.extend(self.params(scope, element.value, depth + 1))
                    else:
                        found.append(self._param(scope, element, depth + 1))
                return tuple(found)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self.params(scope, left, depth + 1) + self.params(scope, right, depth + 1)
            case ast.Name(id=name):
                found_scope, value = self.follow(scope, name)
                return self.params(found_scope, value, depth + 1)
            case _:
                raise Computed

    def follow(self, scope: Scope, name: str) -> tuple[Scope, ast.expr]:
        """The expression that a name of the class body or module is bound to.

        Raises:
            Computed: It is bound to something else, more than once, or elsewhere.
        """
        if name in self._local:
            return scope, self._local[name]
        found = self._tree.find(scope, name)
        if found is None or not isinstance(found.node, ast.expr):
            raise Computed
        return found.scope, found.node

    def _elements(self, scope: Scope, elements: list[ast.expr], depth: int) -> list[Any]:
        values: list[Any] = []
        for element in elements:
            if isinstance(element, ast.Starred):
                starred = self.value(scope, element.value, depth + 1)
                if not isinstance(starred, tuple):
                    raise Computed
                values.extend(starred)
            else:
                values.append(self.value(scope, element, depth + 1))
            if len(values) > _MAX_TEXT:
                raise Computed
        return values

    def _param(self, scope: Scope, node: ast.expr, depth: int) -> StrategyParam:
        self._spend(depth)
        if isinstance(node, ast.Name):
            found_scope, value = self.follow(scope, node.id)
            return self._param(found_scope, value, depth + 1)
        if not isinstance(node, ast.Call) or not _is_strategy_param(scope, node.func):
            raise Computed
        where = f"{scope.file}:{node.lineno}"
        given: dict[str, Any] = {}
        if len(node.args) > len(_FIELDS):
            raise _wrong(where, f"StrategyParam takes at most {len(_FIELDS)} arguments")
        for field, argument in zip(_FIELDS, node.args, strict=False):
            given[field] = self.value(scope, argument, depth + 1)
        for keyword in node.keywords:
            if keyword.arg is None:
                raise Computed
            if keyword.arg not in _FIELDS:
                raise _wrong(where, f"StrategyParam takes no {keyword.arg!r}")
            if keyword.arg in given:
                raise _wrong(where, f"StrategyParam is given {keyword.arg!r} twice")
            given[keyword.arg] = self.value(scope, keyword.value, depth + 1)
        if "name" not in given:
            raise _wrong(where, "StrategyParam needs a name")
        try:
            return StrategyParam(**given)
        except ParameterError as error:
            raise LoadError("param_declaration", f"{where}: {error.message}", error.hint) from error
        except (TypeError, ValueError) as error:
            raise _wrong(where, "StrategyParam has an argument of a wrong type") from error

    def _spend(self, depth: int) -> None:
        self._left -= 1
        if self._left < 0 or depth > _MAX_DEPTH:
            raise Computed


def check_unique(params: tuple[StrategyParam, ...], where: str) -> None:
    """Refuse two parameters of one name.

    Raises:
        LoadError: `param_declaration`.
    """
    seen: set[str] = set()
    for param in params:
        if param.name in seen:
            raise _wrong(where, f"parameter {param.name!r} is declared twice")
        seen.add(param.name)


def _joined(one: Any, two: Any) -> Any:
    if not isinstance(one, str | tuple) or type(one) is not type(two):
        raise Computed
    if len(one) + len(two) > _MAX_TEXT:
        raise Computed
    return operator.add(one, two)


def _is_strategy_param(scope: Scope, func: ast.expr) -> bool:
    dotted = scope.dotted(func)
    return dotted is not None and dotted.rpartition(".")[2] == "StrategyParam"


def _wrong(where: str, what: str) -> LoadError:
    return LoadError("param_declaration", f"{where}: {what}", "correct the StrategyParam")
