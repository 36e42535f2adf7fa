"""From what a test names to a located strategy: a reference, a path, a class, an instance."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from openhands_strategies.errors import ResolveError, UsageError
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.sources.distribution import installed
from openhands_strategies.sources.entry import ENTRY
from openhands_strategies.sources.reference import NameReference, parse_reference
from openhands_strategies.sources.source import Located, PathSource


def locate(strategy: object, root: Path) -> Located:
    """Find a strategy.

    Args:
        strategy: A reference, a path, or a strategy's class or instance. A class or an
            instance must have a name in its module: sub-agents load it again by that name.
        root: Absolute directory that relative paths start from.

    Raises:
        UsageError: `strategy_unnamed` for a class or an instance without such a name.
        StrategyError: What finding a reference raises.
    """
    if isinstance(strategy, Path):
        return resolve(str(root / strategy), base=root)
    if isinstance(strategy, str):
        return _by_reference(strategy, root)
    return _of_code(strategy)


def _by_reference(text: str, root: Path) -> Located:
    try:
        return resolve(text, base=root)
    except ResolveError as error:
        if isinstance(parse_reference(text), NameReference):
            error.add_note(
                "in tests installed strategies have no names: give a path, or choose some with"
                " strategies_installed in pytest's configuration"
            )
        raise


def _of_code(strategy: object) -> Located:
    module, name = _named(strategy)
    for one in installed()[0]:
        offered = sys.modules.get(one.import_name or "")
        if one.attribute and getattr(offered, one.attribute, None) is strategy:
            return one
    file = Path(str(module.__file__)).resolve()
    directory = file.parent
    if file.name == ENTRY or (directory / "__init__.py").is_file():
        # Its tree is the directory: plugin files count, and `from .x import y` works.
        place = directory if file.name == ENTRY else file
        return Located(f"{place}:{name}", PathSource(directory), directory, file.name, name)
    return resolve(f"{file}:{name}")


def _named(strategy: object) -> tuple[ModuleType, str]:
    """The module with a file that has the strategy at its top level, and its name there."""
    if isinstance(strategy, type):
        found = _names_in(strategy, [sys.modules.get(strategy.__module__)])
    else:
        found = _names_in(strategy, list(sys.modules.values()))
    for module, name in found:
        if _is_made_in(module, name):
            return module, name
    what = strategy.__qualname__ if isinstance(strategy, type) else repr(strategy)
    raise UsageError(
        "strategy_unnamed",
        f"{what} has no name at the top level of a module",
        "define it there, or give the path of its file: sub-agents load it again by its name",
    )


def _names_in(
    strategy: object, modules: Iterable[ModuleType | None]
) -> Iterator[tuple[ModuleType, str]]:
    for module in modules:
        # Some modules are objects of another kind, or make their attributes when asked.
        known = vars(module) if isinstance(module, ModuleType) else {}
        if module is not None and known.get("__file__"):
            yield from ((module, name) for name, value in list(known.items()) if value is strategy)


def _is_made_in(module: ModuleType, name: str) -> bool:
    """Whether the name is defined in the module's file, not imported there."""
    try:
        tree = ast.parse(Path(str(module.__file__)).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False
    for statement in tree.body:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            return True
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        if any(isinstance(one, ast.Name) and one.id == name for one in targets):
            return True
    return False
