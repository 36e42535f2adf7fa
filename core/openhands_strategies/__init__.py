"""Package ecosystem for multi-agent strategies on the OpenHands SDK."""

from __future__ import annotations

from openhands_strategies.errors import (
    BuildError,
    LoadError,
    ParameterError,
    ResolveError,
    RunError,
    StrategyError,
    TrustError,
    UsageError,
)
from openhands_strategies.params import StrategyParam
from openhands_strategies.strategy import (
    ESCALATION,
    AgentSpec,
    Blueprint,
    BuildContext,
    Limits,
    Strategy,
    SubAgent,
)

__all__ = [
    "ESCALATION",
    "AgentSpec",
    "Blueprint",
    "BuildContext",
    "BuildError",
    "Limits",
    "LoadError",
    "ParameterError",
    "ResolveError",
    "RunError",
    "Strategy",
    "StrategyError",
    "StrategyParam",
    "SubAgent",
    "TrustError",
    "UsageError",
]
