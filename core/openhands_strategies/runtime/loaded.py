"""A strategy that is ready to build, with the parts that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from openhands_strategies.manifest.model import Manifest
from openhands_strategies.runtime.entries import Origin
from openhands_strategies.strategy import Strategy, SubAgent


@dataclass(frozen=True)
class Loaded:
    """A strategy that is ready to build.

    Attributes:
        strategy: The instance; `setup()` has run.
        origin: Where its code is, and that of its parts.
        root: Directory of the tree that was loaded; plugin files are beside the module.
        manifest: What was read from the files.
        registered: Sub-agents that `setup()` or the module registered by name.
        parts: Label to part, in the strategy's own order.
        own_files: Whether the plugin files in `root` are this strategy's; those beside a
            composition's module are not those of an instance that it has for a part.
    """

    strategy: Strategy
    origin: Origin
    root: Path
    manifest: Manifest
    registered: Mapping[str, SubAgent] = field(default_factory=dict)
    parts: Mapping[str, Loaded] = field(default_factory=dict)
    own_files: bool = True

    @property
    def name(self) -> str:
        return self.origin.name

    @property
    def plugin_root(self) -> Path | None:
        """The directory of its plugin files; None for a strategy in a file of its own."""
        directory = self.origin.module in ("", "strategy.py")
        return self.root if directory and self.own_files else None

    @property
    def where(self) -> str:
        """Names it in messages."""
        return f"strategy {self.name!r} ({self.origin.reference})"
