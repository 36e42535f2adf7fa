"""The pytest plugin: run a strategy in a test, with real tools and without a key.

pytest loads `plugin` through the entry point. The names here are for annotations:

    def test_it(strategy_run: RunStrategy) -> None: ...

Importing this package imports neither the SDK nor anything that the fixtures need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openhands_strategies.pytest_plugin.result import StrategyRun
    from openhands_strategies.pytest_plugin.running import PlanStrategy, RunStrategy, StartModel
    from openhands_strategies.pytest_plugin.seen import Delegation, HookRun, Role, ToolCall
    from openhands_strategies.pytest_plugin.workspaces import MakeWorkspace

__all__ = [
    "Delegation",
    "HookRun",
    "MakeWorkspace",
    "PlanStrategy",
    "Role",
    "RunStrategy",
    "StartModel",
    "StrategyRun",
    "ToolCall",
]

_MODULES = {
    "MakeWorkspace": "workspaces",
    "PlanStrategy": "running",
    "RunStrategy": "running",
    "StartModel": "running",
    "StrategyRun": "result",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'seen')}"), name)
