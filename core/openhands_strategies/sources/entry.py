"""What makes a directory a strategy, or an overlay."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from openhands_strategies.sources.source import GitSource, Source

ENTRY: Final = "strategy.py"
"""The file that makes a directory a strategy."""

# One of these makes a directory without that file an overlay.
_PLUGIN_FILES: Final = (
    "plugin.json",
    ".plugin/plugin.json",
    ".claude-plugin/plugin.json",
    ".mcp.json",
    "mcp.json",
    "SKILL.md",
    "skill.md",
    "skills/*.md",
    "skills/*/SKILL.md",
    "skills/*/skill.md",
    "agents/*.md",
    "commands/*.md",
    "hooks/hooks.json",
    "dev.openhands/agents/*.md",
    "dev.openhands/commands/*.md",
    "dev.openhands/hooks/hooks.json",
)
_PLUGIN_FILE: Final = re.compile(
    "|".join(re.escape(one).replace(r"\*", "[^/]+") for one in _PLUGIN_FILES)
)

WHAT_IT_HOLDS: Final = f"a strategy directory holds {ENTRY}; an overlay holds agents/, skills/, …"
"""For hints."""


def entry_of(root: Path) -> str | None:
    """The entry module of a directory: `strategy.py`, or "" for a plugin directory.

    Returns:
        None when it is neither.

    Raises:
        OSError: It cannot be listed.
    """
    if (root / ENTRY).is_file():
        return ENTRY
    found = any(next(root.glob(pattern), None) is not None for pattern in _PLUGIN_FILES)
    return "" if found else None


def entry_among(files: Iterable[str]) -> str | None:
    """As `entry_of`, from the paths of a tree's files."""
    paths = set(files)
    if ENTRY in paths:
        return ENTRY
    return "" if any(_PLUGIN_FILE.fullmatch(path) for path in paths) else None


def attribute_of(entry: str, source: Source) -> str | None:
    """What `Located.attribute` is for a directory: its own name where it has no module.

    In the store its directory is named otherwise, and a plugin directory may say nowhere
    else what it is called.
    """
    if entry:
        return None
    if isinstance(source, GitSource):
        path = source.subdirectory or source.url.removesuffix("/").removesuffix(".git")
        return path.rpartition("/")[2]
    return Path(str(getattr(source, "path", ""))).name
