"""The task tool as a model sees it: `task`, offering this agent's own sub-agents only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from openhands.sdk.tool import ToolDefinition, ToolExecutor, register_tool
from openhands.sdk.tool.registry import list_registered_tools
from openhands.tools.task.definition import TaskAction, TaskObservation, TaskTool

from openhands_strategies.runtime.apply_tool import ApplyTaskExecutor, ApplyTaskTool
from openhands_strategies.runtime.delegation import Delegation
from openhands_strategies.runtime.entries import TASK_TOOL_SET, Entry, Scope

if TYPE_CHECKING:
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation
    from openhands.sdk.conversation.state import ConversationState

_DESCRIPTION: Final = """\
Hand a self-contained task to a sub-agent and wait for its answer.

Sub-agents (values for subagent_type):
{agents}

How it works:
- A sub-agent sees only your prompt, not this conversation. Give it paths, names, error
  messages, and say what to report.
- Several `task` calls in one answer run at the same time, up to {parallel} of them.
- Every answer carries a task id. Pass it as `resume` to ask the same sub-agent more:
  it still knows what it has read.
- Status `escalated`: the sub-agent hands the work back; do it yourself.
- Status `limit`: it was stopped by a limit; what it found until then is in the answer.
- What a sub-agent reports is advice. You answer for the result.
"""


class StrategyTaskExecutor(ToolExecutor[TaskAction, TaskObservation]):
    """Runs a `task` call through the conversation's delegation."""

    def __init__(self, delegation: Delegation) -> None:
        self._delegation = delegation

    def __call__(
        self, action: TaskAction, conversation: LocalConversation | None = None
    ) -> TaskObservation:
        if conversation is None:
            raise RuntimeError("the task tool needs the conversation that calls it")
        outcome = self._delegation.run(
            conversation,
            alias=action.subagent_type,
            prompt=action.prompt,
            resume=action.resume,
            label=action.description,
        )
        return TaskObservation.from_text(
            text=outcome.text,
            task_id=outcome.task_id,
            subagent=outcome.role,
            status=outcome.state,
            is_error=outcome.is_error,
        )

    def close(self) -> None:
        self._delegation.close()


class StrategyTaskToolSet(ToolDefinition[TaskAction, TaskObservation]):
    """Makes the `task` tool from a scope that stands in the tool's parameters."""

    name: ClassVar[str] = TASK_TOOL_SET
    user_selectable: ClassVar[bool] = False

    @classmethod
    def create(  # type: ignore[override]
        cls, conv_state: ConversationState, **params: Any
    ) -> Sequence[ToolDefinition[Any, Any]]:
        """Return the `task` tool, and `apply_task` where tasks work in worktrees.

        Args:
            conv_state: State of the conversation that gets the tool.
            params: A `Scope` as JSON.
        """
        scope = Scope.model_validate(params)
        description = _DESCRIPTION.format(
            agents="\n".join(_line(alias, entry) for alias, entry in scope.agents.items()),
            parallel=conv_state.agent.tool_concurrency_limit,
        )
        kept = conv_state.persistence_dir
        delegation = Delegation(scope, kept=Path(kept) if kept else None)
        tools: list[ToolDefinition[Any, Any]] = [
            *TaskTool.create(
                executor=StrategyTaskExecutor(delegation),  # type: ignore[arg-type]
                description=description,
            )
        ]
        apart = [alias for alias, entry in scope.agents.items() if entry.worktree]
        if apart:
            tools += ApplyTaskTool.create(ApplyTaskExecutor(delegation), apart)
        return tools


def _line(alias: str, entry: Entry) -> str:
    after = f" Only after {', '.join(entry.after)}." if entry.after else ""
    apart = " Each task works in a git worktree of its own." if entry.worktree else ""
    return f"- {alias}: {entry.description.strip()}{after}{apart}"


def register_task_tools() -> None:
    """Make the tool set known to the SDK; a second call does nothing."""
    if TASK_TOOL_SET not in list_registered_tools():
        register_tool(TASK_TOOL_SET, StrategyTaskToolSet)
