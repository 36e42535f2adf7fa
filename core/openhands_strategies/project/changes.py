"""What a strategy can do, in lines, and what differs between two states of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from openhands_strategies.manifest.files import DATA_LIMIT, printable
from openhands_strategies.manifest.model import Capabilities
from openhands_strategies.project.toml_text import portable
from openhands_strategies.sources.tree import hash_tree, tree_files

KINDS: Final = ("hooks", "mcp", "tools", "skills", "agents", "dependencies")
"""Kinds of capabilities, in the order in which they are shown."""

CapabilityLines = Mapping[str, Sequence[str]]
"""Kind to lines, each of which tells all of one capability; kinds without any are left out."""

_NONE: Final[CapabilityLines] = MappingProxyType({})


@dataclass(frozen=True)
class Difference:
    """What came and what went.

    Attributes:
        added: Lines by kind.
        removed: Lines by kind.
    """

    added: CapabilityLines = field(default_factory=lambda: _NONE)
    removed: CapabilityLines = field(default_factory=lambda: _NONE)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def to_json(self) -> dict[str, Any]:
        """`{added: {kind: [line…]}, removed: …}`."""
        return {"added": _plain(self.added), "removed": _plain(self.removed)}


@dataclass(frozen=True)
class FileChanges:
    """Files of a tree that differ from another state of it, each list sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, list[str]]:
        """`{added, removed, changed}`, paths relative to the tree."""
        return {
            "added": list(self.added),
            "removed": list(self.removed),
            "changed": list(self.changed),
        }


def capability_lines(can: Capabilities) -> dict[str, tuple[str, ...]]:
    """Every capability in full on one line, safe to show on a terminal."""
    tell: dict[str, Callable[[Capabilities], Iterator[str]]] = {
        "hooks": _hooks,
        "mcp": lambda can: (f"{one.name}: {one.command or one.url or ''} ({one.file})"
                            for one in can.mcp),
        "tools": lambda can: iter(can.tools),
        "skills": _skills,
        "agents": lambda can: iter(can.agents),
        "dependencies": lambda can: iter(can.dependencies),
    }  # fmt: skip
    # Never cut at a length that a reader overlooks: what is not shown is not agreed to.
    lines = {kind: [printable(portable(one), DATA_LIMIT) for one in tell[kind](can)]
             for kind in KINDS}  # fmt: skip
    return {kind: tuple(dict.fromkeys(found)) for kind, found in lines.items() if found}


def capability_difference(old: CapabilityLines, new: CapabilityLines) -> Difference:
    """What `new` can do that `old` cannot, and the other way round."""
    return Difference(_without(new, old), _without(old, new))


def file_changes(old: Path, new: Path, only: Sequence[str] | None = None) -> FileChanges:
    """Compare the files of two trees; `only` restricts the new one, as in `tree_files`.

    Raises:
        LoadError: A tree cannot be read.
    """
    before, after = _hashes(old, None), _hashes(new, only)
    both = before.keys() & after.keys()
    return FileChanges(
        tuple(sorted(after.keys() - both)),
        tuple(sorted(before.keys() - both)),
        tuple(sorted(path for path in both if before[path] != after[path])),
    )


def _hooks(can: Capabilities) -> Iterator[str]:
    for one in can.hooks:
        kind = "" if one.type == "command" else f" [{one.type}]"
        yield f"{one.event} {one.matcher}{kind}: {one.command} ({one.file})"


def _skills(can: Capabilities) -> Iterator[str]:
    for one in can.skills:
        yield f"{one.name} ({one.file})"
        yield from (f"{one.name} runs: {command} ({one.file})" for command in one.commands)


def _without(lines: CapabilityLines, others: CapabilityLines) -> dict[str, tuple[str, ...]]:
    found = {
        kind: tuple(one for one in lines[kind] if one not in set(others.get(kind, ())))
        for kind in KINDS
        if kind in lines
    }
    return {kind: rest for kind, rest in found.items() if rest}


def _hashes(root: Path, only: Sequence[str] | None) -> dict[str, str]:
    return {file.path: hash_tree(root, [file]) for file in tree_files(root, only)}


def _plain(lines: CapabilityLines) -> dict[str, list[str]]:
    return {kind: list(found) for kind, found in lines.items()}
