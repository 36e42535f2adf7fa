"""Package ecosystem for multi-agent strategies on the OpenHands SDK.

What a strategy's author needs is imported at once; what finds and runs strategies from code
only when it is asked for, as the SDK may come with it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

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

if TYPE_CHECKING:
    from openhands_strategies.project.home import find_home
    from openhands_strategies.project.trust_facts import NotTrusted, TrustFacts
    from openhands_strategies.registry.catalog import resolve
    from openhands_strategies.runtime.loader import load
    from openhands_strategies.runtime.prepare import Settings, prepare
    from openhands_strategies.runtime.run import execute, new_run_file, open_run

__all__ = [
    "ESCALATION",
    "AgentSpec",
    "Blueprint",
    "BuildContext",
    "BuildError",
    "Limits",
    "LoadError",
    "NotTrusted",
    "ParameterError",
    "ResolveError",
    "RunError",
    "Settings",
    "Strategy",
    "StrategyError",
    "StrategyParam",
    "SubAgent",
    "TrustError",
    "TrustFacts",
    "UsageError",
    "execute",
    "find_home",
    "load",
    "new_run_file",
    "open_run",
    "prepare",
    "resolve",
]

_FROM_CODE: Final = {
    "NotTrusted": "project.trust_facts",
    "Settings": "runtime.prepare",
    "TrustFacts": "project.trust_facts",
    "execute": "runtime.run",
    "find_home": "project.home",
    "load": "runtime.loader",
    "new_run_file": "runtime.run",
    "open_run": "runtime.run",
    "prepare": "runtime.prepare",
    "resolve": "registry.catalog",
}


def __getattr__(name: str) -> Any:
    if name not in _FROM_CODE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FROM_CODE[name]}"), name)
