"""The plan of a start: what it would use, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openhands_strategies.runtime.prepare import Prepared


def plan_document(prepared: Prepared, workspace: Path) -> dict[str, Any]:
    """The document of `ohs plan --json`.

    Raises:
        StrategyError: What building a sub-agent raises.
    """
    from openhands_strategies.runtime.plan import plan

    return plan(prepared, workspace=workspace)
