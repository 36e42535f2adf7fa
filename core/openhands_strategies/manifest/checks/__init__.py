"""What is wrong with a strategy, as far as its files say; nothing of it is imported or run."""

from __future__ import annotations

from openhands_strategies.manifest.checks.problem import Problem, make, of_error
from openhands_strategies.manifest.checks.rules import RULES, Severity
from openhands_strategies.manifest.checks.static import static_problems

__all__ = ["RULES", "Problem", "Severity", "make", "of_error", "static_problems"]
