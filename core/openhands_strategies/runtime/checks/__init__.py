"""What is wrong with a strategy once its code runs: built, compared, written as JSON."""

from __future__ import annotations

from openhands_strategies.runtime.checks.agreement import capability_problems, identity_problems
from openhands_strategies.runtime.checks.building import generated_problems, same_problems
from openhands_strategies.runtime.checks.json_form import json_problems
from openhands_strategies.runtime.checks.values import Example, default_values, examples

__all__ = [
    "Example",
    "capability_problems",
    "default_values",
    "examples",
    "generated_problems",
    "identity_problems",
    "json_problems",
    "same_problems",
]
