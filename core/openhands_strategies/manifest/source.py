"""Python files of a tree as syntax: what each binds, and where a name leads."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.files import PYTHON_LIMIT, exists, inside, read_bytes
from openhands_strategies.manifest.syntax import Bound, bindings, class_values, parse

MAX_FILES: Final = 200
MAX_CLASSES: Final = 1_000
MAX_HOPS: Final = 10
_OWN_PACKAGE: Final = "openhands_strategy_"


@dataclass(frozen=True)
class Imported:
    """What an import statement binds: `module` or `module.name`, `level` dots before it."""

    module: str
    name: str | None
    level: int

    @property
    def dotted(self) -> str:
        """The absolute dotted name; starts with dots for a relative import."""
        parts = [part for part in (self.module, self.name) if part]
        return "." * self.level + ".".join(parts)


@dataclass(frozen=True)
class Scope:
    """One parsed file.

    Attributes:
        file: Path relative to the tree.
        module: Its syntax tree.
        imports: Bound name to import, also of imports inside functions.
        values: Names that the top level binds, to what they are bound to; None when
            that cannot be said (bound twice, by a loop, changed later).
        patched: `(class, attribute)` pairs that are assigned from outside the class.
        imported: Names that an import of the top level binds.
        every_import: All imports, also those that bind a name again.
    """

    file: str
    module: ast.Module
    imports: Mapping[str, Imported]
    values: Mapping[str, Bound | None]
    patched: frozenset[tuple[str, str]]
    imported: frozenset[str]
    every_import: tuple[Imported, ...]

    def dotted(self, node: ast.expr) -> str | None:
        """`openhands.sdk.Agent` for `s.Agent` after `import openhands.sdk as s`.

        None for anything that is not a name, or a name with dots, from an import.
        """
        tail: list[str] = []
        while isinstance(node, ast.Attribute) and len(tail) < MAX_HOPS:
            tail.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.imports:
            return None
        if self.values.get(node.id) is not None:
            return None
        return ".".join([self.imports[node.id].dotted, *reversed(tail)])


@dataclass(frozen=True)
class Definition:
    """Where a name led: a node and the file that it stands in."""

    scope: Scope
    node: Bound


@dataclass(frozen=True)
class Tree:
    """The Python files below one root, parsed when first asked for."""

    root: Path
    _parsed: dict[str, Scope] = field(default_factory=dict, repr=False)
    _class_values: dict[int, Mapping[str, ast.expr | None]] = field(
        default_factory=dict, repr=False
    )

    def scope(self, file: str) -> Scope:
        """Parse a file.

        Raises:
            LoadError: `syntax_error`, `file_encoding`, `too_many_files`, or a code of
                `read_bytes`.
        """
        if file not in self._parsed:
            if len(self._parsed) >= MAX_FILES:
                raise LoadError("too_many_files", f"{file}: more than {MAX_FILES} Python files")
            self._parsed[file] = _scope(
                file, parse(read_bytes(self.root, file, PYTHON_LIMIT), file)
            )
        return self._parsed[file]

    def class_values(self, node: ast.ClassDef) -> Mapping[str, ast.expr | None]:
        """`syntax.class_values` of a class of this tree, worked out once."""
        if id(node) not in self._class_values:
            self._class_values[id(node)] = class_values(node)
        return self._class_values[id(node)]

    def locate(self, scope: Scope, imported: Imported, *, submodule: bool = False) -> str | None:
        """The tree's file that an import reads, or None when it is none of the tree.

        Args:
            scope: The importing file.
            imported: The import.
            submodule: Look for `from .package import submodule` instead.
        """
        parts = imported.module.split(".") if imported.module else []
        if imported.level:
            folder = Path(scope.file).parent
            for _ in range(imported.level - 1):
                if folder == Path():
                    return None
                folder = folder.parent
        elif parts and (parts[0].startswith(_OWN_PACKAGE) or parts[0] == self.root.name):
            folder, parts = Path(), parts[1:]
        else:
            return None
        if submodule and imported.name:
            parts = [*parts, imported.name]
        base = folder.joinpath(*parts)
        choices = [(base / "__init__.py").as_posix()]
        if parts:
            choices.insert(0, base.with_name(base.name + ".py").as_posix())
        for file in choices:
            if exists(self.root, file) and inside(self.root, self.root / file):
                return file
        return None

    def find(self, scope: Scope, name: str) -> Definition | None:
        """Follow a top-level name to its definition, through imports within the tree."""
        for _ in range(MAX_HOPS):
            if name in scope.values:
                node = scope.values[name]
                return None if node is None else Definition(scope, node)
            imported = scope.imports.get(name)
            if imported is None:
                stars = [one for one in scope.every_import if one.name == "*"]
                starred = (self.locate(scope, star) for star in stars[:MAX_HOPS])
                file = next(
                    (one for one in starred if one and name in self.scope(one).values), None
                )
            else:
                file = self.locate(scope, imported) if imported.name else None
                name = imported.name or name
            if file is None or file == scope.file:
                return None
            scope = self.scope(file)
        return None

    def reachable(self, entry: str) -> list[Scope]:
        """The entry file and all of the tree that it imports, directly or not."""
        found: dict[str, Scope] = {}
        todo = [entry]
        while todo:
            file = todo.pop(0)
            if file in found:
                continue
            scope = found[file] = self.scope(file)
            for imported in scope.every_import:
                for submodule in (False, True):
                    next_file = self.locate(scope, imported, submodule=submodule)
                    if next_file is not None:
                        todo.append(next_file)
        return list(found.values())


def _scope(file: str, module: ast.Module) -> Scope:
    imports: dict[str, Imported] = {}
    every: list[Imported] = []
    classes = 0
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            classes += 1
            if classes > MAX_CLASSES:
                raise LoadError("file_too_large", f"{file} has more than {MAX_CLASSES} classes")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                every.append(Imported(alias.name, None, 0))
                bound = alias.asname or alias.name.partition(".")[0]
                imports.setdefault(bound, Imported(alias.name if alias.asname else bound, None, 0))
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                every.append(Imported(node.module or "", alias.name, node.level))
                if alias.name != "*":
                    imports.setdefault(alias.asname or alias.name, every[-1])
    values, patched, imported = bindings(module)
    once = tuple(dict.fromkeys(every))
    return Scope(file, module, imports, values, patched, imported, once)
