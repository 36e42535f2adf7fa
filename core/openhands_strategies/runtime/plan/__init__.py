"""The plan: everything that a run would start with, as one document."""

from __future__ import annotations

from openhands_strategies.runtime.plan.document import plan

__all__ = ["plan"]
