"""A strategy that brings nothing: what an overlay is laid over to be checked."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from openhands_strategies.sources.source import Located, PathSource

_SOURCE: Final = '''"""One agent that brings nothing of its own."""

from __future__ import annotations

from openhands_strategies import Blueprint, Strategy


class Bare(Strategy):
    name = "bare"
    description = "One agent that brings nothing of its own"

    def build(self, context):
        from openhands.sdk import Agent

        return Blueprint(agent=Agent(llm=context.llm, tools=[]))
'''


def bare_strategy(directory: Path) -> Located:
    """Write it into a directory and return where it is."""
    file = directory / "bare.py"
    file.write_text(_SOURCE, encoding="utf-8")
    root = directory.resolve()
    return Located(
        reference=str(file),
        source=PathSource(root / file.name),
        root=root,
        module=file.name,
        only=(file.name,),
    )
