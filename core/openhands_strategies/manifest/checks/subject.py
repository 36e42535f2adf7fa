"""What the checks look at: one strategy's files, parsed once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from openhands_strategies.manifest.classes import ClassInfo
from openhands_strategies.manifest.model import Manifest
from openhands_strategies.manifest.recognise import Candidate
from openhands_strategies.manifest.source import Scope, Tree


@dataclass(frozen=True)
class Subject:
    """One strategy.

    Attributes:
        root: Its directory.
        module: Entry file; empty for a plugin directory without one.
        directory: Whether plugin files and pyproject.toml in `root` are its own.
        tree: Its Python files.
        candidate: The class or instance; None when none was found.
        manifest: None when something keeps it from being read.
        name: The strategy's name, as far as it is known.
    """

    root: Path
    module: str
    directory: bool
    tree: Tree
    candidate: Candidate | None = None
    manifest: Manifest | None = None
    name: str | None = None
    _none: tuple[Scope, ...] = field(default=(), repr=False)

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """The entry file and all that it imports of the tree; empty without one.

        Raises:
            LoadError: A file that cannot be parsed.
        """
        return tuple(self.tree.reachable(self.module)) if self.module else self._none

    @property
    def info(self) -> ClassInfo | None:
        """The class, where the strategy is one and the tree defines it."""
        found = self.candidate
        return None if found is None or found.instance is not None else found.info

    @property
    def place(self) -> tuple[str, int]:
        """File and line of the definition."""
        found = self.candidate
        if found is None:
            return self.module, 0
        return found.file or self.module, found.line
