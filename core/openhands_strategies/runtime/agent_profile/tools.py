"""Tools of an agent, and which of them every agent-server knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openhands.sdk import Agent, Tool


def specs(agent: Agent) -> dict[str, Tool]:
    """All tools of an agent by the name a model knows, the SDK's own ones among them."""
    from openhands.sdk import Tool
    from openhands.sdk.tool.defaults import canonical_tool_name

    given = [*agent.tools, *(Tool(name=name) for name in agent.include_default_tools)]
    found: dict[str, Tool] = {}
    for tool in given:
        found.setdefault(canonical_tool_name(tool.name), tool)
    return found


def served_tools() -> set[str]:
    """Names of the tools that every agent-server knows without anybody's extension."""
    import openhands.tools as package
    from openhands.sdk.tool import ToolDefinition
    from openhands.sdk.tool.builtins import BUILT_IN_TOOL_CLASSES
    from openhands.sdk.tool.defaults import BROWSER_TOOL_NAME
    from openhands.tools.preset.default import get_default_tools
    from openhands.tools.preset.gemini import get_gemini_tools
    from openhands.tools.preset.planning import get_planning_tools

    presets = [
        *get_default_tools(enable_browser=False),
        *get_gemini_tools(enable_browser=False),
        *get_planning_tools(),
    ]
    offered = (getattr(package, name) for name in package.__all__)
    classes: list[Any] = [
        *(one for one in offered if isinstance(one, type) and issubclass(one, ToolDefinition)),
        *BUILT_IN_TOOL_CLASSES.values(),
    ]
    return {BROWSER_TOOL_NAME, *(one.name for one in presets), *(one.name for one in classes)}


def usual_tools() -> set[str]:
    """Names of the tools that the SDK gives every agent."""
    from openhands.sdk.tool.builtins import BUILT_IN_TOOLS

    classes: list[Any] = list(BUILT_IN_TOOLS)
    return {one.name for one in classes}


def is_foreign(name: str) -> bool:
    """Whether a tool's code is not the SDK's own, whatever the tool is called."""
    from openhands.sdk.tool.registry import registered_tool_class

    known = registered_tool_class(name)
    return known is not None and not known.__module__.startswith("openhands.")
