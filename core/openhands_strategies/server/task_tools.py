"""The task tool set as the server has it: it also watches the main agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from openhands.sdk import LLM
from openhands.sdk.tool import ToolDefinition, register_tool
from openhands.sdk.tool.registry import list_registered_tools
from openhands.tools.task.definition import TaskAction, TaskObservation

from openhands_strategies.runtime.attachment import Attachment, attach
from openhands_strategies.runtime.entries import TASK_TOOL_SET, Scope
from openhands_strategies.runtime.profiles import profiles_from
from openhands_strategies.runtime.roles import MAIN
from openhands_strategies.runtime.task_tools import StrategyTaskExecutor, StrategyTaskToolSet
from openhands_strategies.server.models import profile_llm
from openhands_strategies.server.watching import Watch, watch

if TYPE_CHECKING:
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation
    from openhands.sdk.conversation.state import ConversationState


class ServerTaskExecutor(StrategyTaskExecutor):
    """Runs a `task` call with the server's profiles, in the fleet of the watched agent.

    Args:
        inner: The executor of the tool that a local run would have.
        watched: The main agent's watch; None for a sub-agent, which has its place already.
    """

    def __init__(self, inner: StrategyTaskExecutor, watched: Watch | None) -> None:
        super().__init__(inner._delegation)
        self._watched = watched

    def __call__(
        self, action: TaskAction, conversation: LocalConversation | None = None
    ) -> TaskObservation:
        if conversation is not None and self._watched is not None:
            attach(conversation, Attachment(fleet=self._watched.fleet, key=MAIN))
        with profiles_from(_profile):
            return super().__call__(action, conversation)


class ServerStrategyTaskToolSet(StrategyTaskToolSet):
    """The `task` tool of a strategy on the server; none where nobody can be asked."""

    @classmethod
    def create(  # type: ignore[override]
        cls, conv_state: ConversationState, **params: Any
    ) -> Sequence[ToolDefinition[Any, Any]]:
        scope = Scope.model_validate(params)
        watched = None if scope.path else watch(conv_state, scope)
        if not scope.agents:
            return []
        made = super().create(conv_state, **params)
        return [
            tool.set_executor(ServerTaskExecutor(tool.executor, watched))
            if isinstance(tool.executor, StrategyTaskExecutor)
            else tool
            for tool in made
        ]


def _profile(name: str) -> LLM:
    from openhands.agent_server.api import api

    return profile_llm(name, api.state.config)


def register_server_tools() -> None:
    """Make the server's tool set the one that conversations of strategies get."""
    if TASK_TOOL_SET not in list_registered_tools():
        register_tool(TASK_TOOL_SET, ServerStrategyTaskToolSet)
