"""What RFC-style strategies expect of the SDK, without leaving anything behind in it.

An RFC file imports `openhands.sdk.strategy` and registers its agents globally. The
module name resolves to ours while the SDK has none of that name; registrations are
taken out of the SDK's registry again and become the strategy's own sub-agents.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies import strategy as protocol
from openhands_strategies.strategy import Limits, SubAgent

if TYPE_CHECKING:
    from openhands.sdk.subagent.registry import AgentFactory

RFC_MODULE: Final = "openhands.sdk.strategy"


def provide_rfc_module() -> None:
    """Let `from openhands.sdk.strategy import Strategy` find our protocol.

    Does nothing when the SDK has such a module; strategies written against that one
    are recognised by their shape.
    """
    import openhands.sdk

    if RFC_MODULE not in sys.modules and importlib.util.find_spec(RFC_MODULE) is None:
        sys.modules[RFC_MODULE] = protocol
        openhands.sdk.__dict__.setdefault("strategy", protocol)


@contextmanager
def captured_registrations() -> Iterator[dict[str, AgentFactory]]:
    """Run a block with an empty agent registry and yield what it registers.

    The registry is restored afterwards, whatever happens. Other threads that register
    meanwhile wait. The yielded dictionary is filled when the block ends.
    """
    from openhands.sdk.subagent import registry

    captured: dict[str, AgentFactory] = {}
    with registry._registry_lock:
        before = dict(registry._agent_factories)
        registry._agent_factories.clear()
        try:
            yield captured
        finally:
            captured.update(registry._agent_factories)
            registry._agent_factories.clear()
            registry._agent_factories.update(before)


def as_subagents(captured: dict[str, AgentFactory]) -> dict[str, SubAgent]:
    """Turn captured registrations into sub-agents of the strategy that made them."""
    return {alias: _as_subagent(factory) for alias, factory in captured.items()}


def _as_subagent(factory: AgentFactory) -> SubAgent:
    definition: Any = factory.definition
    return SubAgent(
        description=definition.description or definition.name,
        agent=factory.factory_func,
        limits=Limits(
            iterations=definition.max_iteration_per_run,
            # 1.21 drops the field silently.
            budget=getattr(definition, "max_budget_per_run", None),
        ),
        hooks=definition.hooks,
    )
