"""What a model would receive from an agent: system prompt and tools, nothing started.

Tools are made in an empty temporary directory whose path is then replaced by that of the
workspace. Some tools start a program when they are made: the terminal gets an executor
that does nothing, and a tool that is not known to be harmless is not made at all.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from openhands_strategies.compose.brought import servers_of, with_servers
from openhands_strategies.errors import BuildError, describe
from openhands_strategies.runtime.entries import TASK_TOOL_SET

if TYPE_CHECKING:
    from openhands.sdk import Agent, Tool
    from openhands.sdk.conversation.state import ConversationState
    from openhands.sdk.tool import ToolDefinition

_TERMINAL: Final = "terminal"
# Making these starts no program, opens no connection and writes nothing but, one of
# them, a file in the temporary directory.
_HARMLESS: Final = frozenset(
    {
        "apply_patch",
        "file_editor",
        "glob",
        "grep",
        "planning_file_editor",
        "task_tracker",
        TASK_TOOL_SET,
        _TERMINAL,
    }
)
ESTIMATE: Final = (
    "estimated with the tokenizer cl100k_base from texts and tool schemas; the model's own"
    " tokenizer may count a fifth more or less"
)
"""How tokens are counted; shown with every plan."""


@dataclass(frozen=True)
class ToolText:
    """A tool as a model is told of it.

    Attributes:
        name: What the model calls.
        made_by: Name in the agent's list of tools; empty for one of the SDK's own.
        description: None where telling would need starting it.
        parameters: JSON Schema of its arguments; None likewise.
    """

    name: str
    made_by: str = ""
    description: str | None = None
    parameters: Mapping[str, Any] | None = None

    def tokens(self) -> int | None:
        """Estimate for its schema; None where that is not known."""
        if self.description is None:
            return None
        schema = {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": self.parameters,
            },
        }
        return count_tokens(json.dumps(schema))


@dataclass(frozen=True)
class AgentText:
    """What one agent sends before any message.

    Attributes:
        system: The system prompt, static part and context.
        tools: Its tools, in order; those of MCP servers are known only when they run.
    """

    system: str
    tools: tuple[ToolText, ...]


def agent_text(agent: Agent, workspace: str, where: str) -> AgentText:
    """Return the system prompt and tools of an agent.

    Args:
        agent: As a conversation would get it.
        workspace: Path that the texts name as the working directory.
        where: Names the agent in messages.

    Raises:
        BuildError: `tool_failed`.
    """
    from openhands.sdk.conversation.state import ConversationState
    from openhands.sdk.workspace import LocalWorkspace

    bare = with_servers(agent, {}) if servers_of(agent) else agent
    # Resolved, as tools that resolve it themselves show it.
    with tempfile.TemporaryDirectory(prefix="ohs_plan_") as made:
        directory = str(Path(made).resolve())
        state = ConversationState.create(
            id=uuid4(), agent=bare, workspace=LocalWorkspace(working_dir=directory)
        )
        safe = [_inert(tool) for tool in bare.tools if _harmless(tool.name)]
        ready = bare.model_copy(update={"tools": safe})
        try:
            ready._initialize(state)
        except Exception as error:
            raise BuildError(
                "tool_failed",
                f"{where}: its tools cannot be made: {describe(error)}",
                "correct their parameters",
            ) from error
        try:
            texts = _texts(ready, state, bare)
        finally:
            for tool in ready.tools_map.values():
                if tool.executor is not None:
                    # One that was never used has nothing to lose.
                    with suppress(Exception):
                        tool.executor.close()
    return _with_path(texts, directory, workspace)


def _harmless(name: str) -> bool:
    from openhands.sdk.tool.builtins import BUILT_IN_TOOL_CLASSES

    return name in _HARMLESS or name in BUILT_IN_TOOL_CLASSES


def _inert(tool: Tool) -> Tool:
    if tool.name != _TERMINAL:
        return tool
    from openhands.sdk.tool import Tool, ToolExecutor

    class Inert(ToolExecutor[Any, Any]):
        """Stands for a terminal that is not started."""

        def __call__(self, action: Any, conversation: Any = None) -> Any:
            raise RuntimeError("a plan runs nothing")

    return Tool(name=tool.name, params={**tool.params, "executor": Inert()})


def _texts(ready: Agent, state: ConversationState, agent: Agent) -> AgentText:
    made_by = _makers(agent)
    tools = [_tool_text(tool, made_by.get(name, "")) for name, tool in ready.tools_map.items()]
    unmade = [ToolText(tool.name, tool.name) for tool in agent.tools if not _harmless(tool.name)]
    # The prompt speaks of some tools by their names in the agent's list.
    complete = ready.model_copy(update={"tools": agent.tools})
    parts = (complete.static_system_message, complete.get_dynamic_context(state))
    return AgentText("\n\n".join(part for part in parts if part), (*tools, *unmade))


def _makers(agent: Agent) -> dict[str, str]:
    """Name that a model sees to name in the agent's list."""
    names = {tool.name: tool.name for tool in agent.tools}
    return {**names, "task": TASK_TOOL_SET} if TASK_TOOL_SET in names else names


def _tool_text(tool: ToolDefinition[Any, Any], made_by: str) -> ToolText:
    # Agents of both SDKs always ask for the risk.
    schema = tool.to_openai_tool(add_security_risk_prediction=True)["function"]
    return ToolText(
        name=schema["name"],
        made_by=made_by,
        description=schema.get("description", ""),
        parameters=dict(schema.get("parameters", {})),
    )


def _with_path(text: AgentText, made: str, workspace: str) -> AgentText:
    return AgentText(
        text.system.replace(made, workspace),
        tuple(
            ToolText(
                one.name,
                one.made_by,
                None if one.description is None else one.description.replace(made, workspace),
                one.parameters,
            )
            for one in text.tools
        ),
    )


def count_tokens(text: str) -> int:
    """Estimate for a text; see `ESTIMATE`. Its tables come with litellm, so it is offline."""
    import litellm

    # This name selects cl100k_base; other names may load tables from the network.
    return int(litellm.token_counter(model="gpt-3.5-turbo", text=text))
