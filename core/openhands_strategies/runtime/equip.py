"""Give an agent the scoped task tool set in place of the SDK's stock one."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.compose.merge import concatenated
from openhands_strategies.errors import BuildError
from openhands_strategies.runtime.entries import (
    MAX_DEPTH,
    TASK_TOOL_SET,
    Entry,
    ModelChoice,
    Scope,
)
from openhands_strategies.strategy import AgentSpec, Blueprint, SubAgent

if TYPE_CHECKING:
    from openhands.sdk import Agent
    from openhands.sdk.hooks import HookConfig

STOCK_TASK_TOOLS: Final = frozenset({"task_tool_set", "task", "TaskToolSet", "TaskTool"})
_REMOVED_TOOLS: Final = frozenset({"DelegateTool", "delegate", "delegate_tool"})
# Tool name to the module that registers it, for tools named in declared data.
_STOCK_MODULES: Final = {
    "terminal": "terminal",
    "file_editor": "file_editor",
    "task_tracker": "task_tracker",
    "grep": "grep",
    "glob": "glob",
    "apply_patch": "apply_patch",
    "planning_file_editor": "planning_file_editor",
    "browser_tool_set": "browser_use",
}


def entries_of(
    subagents: Mapping[str, SubAgent], *, fleet_hooks: HookConfig | None, where: str, depth: int = 1
) -> dict[str, Entry]:
    """Write sub-agents down as JSON entries, nested ones included.

    Args:
        subagents: Alias to sub-agent.
        fleet_hooks: Hooks of the main agent; every sub-agent gets them first.
        where: Names the strategy, for messages.
        depth: Level of these aliases below the main agent.

    Raises:
        BuildError: `depth_limit`, `after_unknown`, `after_cycle`, `alias_invalid`,
            `tool_unknown`.
    """
    if subagents and depth > MAX_DEPTH:
        raise BuildError(
            "depth_limit",
            f"{where}: sub-agents are nested deeper than {MAX_DEPTH} levels",
            "flatten the composition",
        )
    _check_order(subagents, where)
    return {
        alias: _entry(alias, subagent, fleet_hooks, where, depth)
        for alias, subagent in subagents.items()
    }


def _entry(
    alias: str, subagent: SubAgent, fleet_hooks: HookConfig | None, where: str, depth: int
) -> Entry:
    if not alias or not alias.strip() or "\n" in alias:
        raise BuildError("alias_invalid", f"{where}: {alias!r} is no alias", "use a short name")
    hooks = concatenated([fleet_hooks, subagent.hooks])
    common: dict[str, Any] = {
        "description": subagent.description,
        "llm": ModelChoice(model=subagent.model, profile=subagent.profile),
        "iterations": subagent.limits.iterations,
        "budget": subagent.limits.budget,
        "steps": subagent.limits.steps,
        "after": tuple(subagent.after),
        "workspace": subagent.workspace,
        "escalation": subagent.escalation,
        "rounds": subagent.rounds,
        "stops": subagent.stops,
        "worktree": subagent.worktree,
        "check": subagent.check,
    }
    agent = subagent.agent
    if isinstance(agent, AgentSpec):
        tools: tuple[dict[str, Any], ...] = tuple(
            {"name": tool, "params": {}} if isinstance(tool, str) else dict(tool)
            for tool in agent.tools
        )
        require_tools([str(tool["name"]) for tool in tools], f"{where}: sub-agent {alias!r}")
        common |= {
            "kind": "declared",
            "tools": tools,
            "suffix": agent.suffix,
            "concurrency": agent.concurrency,
        }
    elif isinstance(agent, Blueprint):
        hooks = concatenated([hooks, agent.hooks])
        limits = subagent.limits.tightened(agent.limits)
        common |= {
            "kind": "code",
            "iterations": limits.iterations,
            "budget": limits.budget,
            "steps": limits.steps,
            "prompt": agent.prompt,
            "agents": entries_of(agent.subagents, fleet_hooks=hooks, where=where, depth=depth + 1),
        }
    else:
        common |= {"kind": "code", "same_scope": True}
    dumped = None if hooks is None else hooks.model_dump(mode="json", by_alias=True)
    return Entry(**common, hooks=dumped)


def _check_order(subagents: Mapping[str, SubAgent], where: str) -> None:
    """`after` names aliases beside it and makes no circle."""
    for alias, subagent in subagents.items():
        for earlier in subagent.after:
            if earlier not in subagents:
                raise BuildError(
                    "after_unknown",
                    f"{where}: {alias!r} comes after {earlier!r}, which does not exist",
                    f"aliases: {', '.join(subagents)}",
                )
    done: set[str] = set()
    while len(done) < len(subagents):
        ready = {a for a, s in subagents.items() if a not in done and set(s.after) <= done}
        if not ready:
            circle = ", ".join(sorted(set(subagents) - done))
            raise BuildError("after_cycle", f"{where}: {circle} wait for each other in a circle")
        done |= ready


def equip(agent: Agent, scope: Scope, where: str) -> Agent:
    """Return the agent with our task tool set, if its scope offers anybody.

    A stock task tool is taken out in any case: it would offer every agent that anyone
    in the process has registered.

    Raises:
        BuildError: `tool_removed` or `tool_unknown`.
    """
    from openhands.sdk import Tool

    for tool in agent.tools:
        if tool.name in _REMOVED_TOOLS and not _is_registered(tool.name):
            raise BuildError(
                "tool_removed",
                f"{where} uses the tool {tool.name!r}, which the SDK has removed",
                "use Tool(name=TaskToolSet.name) from openhands.tools.task",
            )
    kept = [tool for tool in agent.tools if tool.name not in (*STOCK_TASK_TOOLS, TASK_TOOL_SET)]
    require_tools([tool.name for tool in kept], where)
    if scope.agents and len(scope.path) < MAX_DEPTH:
        kept.append(Tool(name=TASK_TOOL_SET, params=scope.to_params()))
    return agent.model_copy(update={"tools": kept})


def has_task_tool(agent: Agent) -> bool:
    """Whether the agent asks for delegation by the SDK's own tool or by ours."""
    return any(tool.name in (*STOCK_TASK_TOOLS, TASK_TOOL_SET) for tool in agent.tools)


def require_tools(names: Iterable[str], where: str) -> None:
    """Import the stock modules that register these tools.

    Raises:
        BuildError: `tool_unknown` when nothing registers a name.
    """
    for name in names:
        if _is_registered(name):
            continue
        module = _STOCK_MODULES.get(name)
        if module is not None:
            importlib.import_module(f"openhands.tools.{module}")
        if not _is_registered(name):
            raise BuildError(
                "tool_unknown",
                f"{where} uses the tool {name!r}, which is not registered",
                "import the module that registers it in strategy.py",
            )


def _is_registered(name: str) -> bool:
    from openhands.sdk.tool.builtins import BUILT_IN_TOOL_CLASSES
    from openhands.sdk.tool.registry import list_registered_tools

    return name in list_registered_tools() or name in BUILT_IN_TOOL_CLASSES
