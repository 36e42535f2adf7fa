"""What the server was started with, read from its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openhands_strategies.project.home import Home, find_home

EXTENSIONS: Final = "OHS_EXTENSIONS"
OVERLAYS: Final = "OHS_WITH"
STRICT: Final = "OHS_STRICT"
WORKSPACES: Final = "OHS_WORKSPACES"


@dataclass(frozen=True)
class Setup:
    """The operator's choices.

    Attributes:
        references: Strategies to serve; empty means all that have a name here.
        overlays: Layered on top of every strategy.
        strict: Whether a broken strategy keeps the server from starting.
        workspaces: Directories below which runs may work; empty means anywhere.
        base: Directory that relative references start from.
        home: Store, trust and runs.
    """

    references: tuple[str, ...]
    overlays: tuple[str, ...]
    strict: bool
    workspaces: tuple[Path, ...]
    base: Path
    home: Home


def read_setup(environ: Mapping[str, str] | None = None) -> Setup:
    """Read `OHS_EXTENSIONS`, `OHS_WITH` and `OHS_WORKSPACES` (one a line) and `OHS_STRICT`.

    Args:
        environ: `os.environ` by default.
    """
    given = os.environ if environ is None else environ
    return Setup(
        references=_lines(given.get(EXTENSIONS, "")),
        overlays=_lines(given.get(OVERLAYS, "")),
        strict=given.get(STRICT, "") not in ("", "0"),
        workspaces=tuple(
            Path(line).expanduser().resolve() for line in _lines(given.get(WORKSPACES, ""))
        ),
        base=Path.cwd(),
        home=find_home(given),
    )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
