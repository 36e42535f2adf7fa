"""Classes as the source has them: bases, attributes, and whether they are strategies."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from openhands_strategies.manifest.literals import Computed, Reader
from openhands_strategies.manifest.sdk_names import FAMILY_OF
from openhands_strategies.manifest.source import MAX_HOPS, Scope, Tree

_MAX_BASES: Final = 20
_BUILDERS: Final = frozenset({"build", "build_agent"})
_PLAIN_BASES: Final = frozenset({"ABC", "Generic", "Protocol", "object", "Strategy"})
_OWN: Final = ("openhands_strategies", "openhands.sdk.strategy")


@dataclass(frozen=True)
class ClassSite:
    """A class statement, the file that it stands in, and what its body sets."""

    scope: Scope
    node: ast.ClassDef
    values: Mapping[str, ast.expr | None]


@dataclass(frozen=True)
class ClassInfo:
    """A class with what it inherits from classes of the same tree.

    Attributes:
        scope: File that defines it.
        node: The class statement.
        line: The class itself, then its bases that the tree defines.
        foreign: Dotted names of bases that the tree does not define; a base that is no
            name stands as "?".
    """

    scope: Scope
    node: ast.ClassDef
    line: tuple[ClassSite, ...]
    foreign: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.node.name

    def derives_from(self, name: str) -> bool:
        """Whether a base outside the tree has this last name."""
        return any(base.rpartition(".")[2] == name for base in self.foreign)

    @property
    def sdk_bases(self) -> tuple[str, ...]:
        """The SDK base classes it belongs to, sorted; see `FAMILY_OF`."""
        names = {
            FAMILY_OF[base.rpartition(".")[2]]
            for base in self.foreign
            if base.startswith("openhands.") and base.rpartition(".")[2] in FAMILY_OF
        }
        return tuple(sorted(names))

    @property
    def has_builder(self) -> bool:
        """Whether it or a base in the tree defines `build` or `build_agent`."""
        return any(_BUILDERS & one.values.keys() for one in self.line)

    @property
    def is_strategy(self) -> bool:
        """By shape: it can build, or derives from something called Strategy.

        A class of the SDK's (a tool, an agent) is none, whatever it defines.
        """
        if self.sdk_bases:
            return False
        return self.has_builder or self.derives_from("Strategy") or bool(self.strategy_packages)

    @property
    def strategy_packages(self) -> tuple[str, ...]:
        """Bases from a package that publishes strategies."""
        return tuple(base for base in self.foreign if base.startswith("openhands_strategy_"))

    @property
    def unknown(self) -> bool:
        """Whether a base is known neither from the tree nor as one without attributes."""
        return any(
            base.rpartition(".")[2] not in _PLAIN_BASES and not base.startswith(_OWN)
            for base in self.foreign
        )


def class_info(tree: Tree, scope: Scope, node: ast.ClassDef) -> ClassInfo:
    """Collect a class's bases, through imports within the tree."""
    line: list[ClassSite] = []
    foreign: list[str] = []
    seen: set[int] = set()
    todo = [_site(tree, scope, node)]
    while todo and len(line) < _MAX_BASES:
        site = todo.pop(0)
        if id(site.node) in seen:
            continue
        seen.add(id(site.node))
        line.append(site)
        if len(site.node.bases) > _MAX_BASES:
            foreign.append("?")
        for base in site.node.bases[:_MAX_BASES]:
            found, outside = _base(tree, site.scope, base)
            if found is None:
                foreign.append(outside)
                continue
            todo.append(found)
            if found.node.name == "Strategy":
                foreign.append("Strategy")
    return ClassInfo(scope, node, tuple(line), tuple(foreign))


def attribute(tree: Tree, info: ClassInfo, name: str) -> tuple[Reader, Scope, ast.expr] | None:
    """The expression of a class attribute, its own or inherited within the tree.

    Returns:
        A reader that sees the names of the class body, the file and the expression;
        None when the attribute is not set.

    Raises:
        Computed: It is set by other means than one plain assignment, or may come from
            a base outside the tree.
    """
    for site in info.line:
        if (site.node.name, name) in site.scope.patched:
            raise Computed
        if name in site.values:
            value = site.values[name]
            if value is None:
                raise Computed
            # `name = name` in a class body reads the module's name.
            local = {k: v for k, v in site.values.items() if v is not None and v is not value}
            return Reader(tree, local), site.scope, value
    if info.unknown:
        raise Computed
    return None


def _site(tree: Tree, scope: Scope, node: ast.ClassDef) -> ClassSite:
    return ClassSite(scope, node, tree.class_values(node))


def _base(tree: Tree, scope: Scope, base: ast.expr) -> tuple[ClassSite | None, str]:
    """A base class in the tree, or the dotted name of one outside."""
    for _ in range(MAX_HOPS):
        if isinstance(base, ast.Subscript):
            base = base.value
        found = tree.find(scope, base.id) if isinstance(base, ast.Name) else None
        if found is not None and isinstance(found.node, ast.ClassDef):
            return _site(tree, found.scope, found.node), ""
        if found is None or not isinstance(found.node, ast.expr):
            last = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "?")
            return None, scope.dotted(base) or str(last)
        scope, base = found.scope, found.node
    return None, "?"
