"""`apply_task`: takes over what one task did in its worktree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from openhands.sdk import Action, Observation
from openhands.sdk.tool import ToolAnnotations, ToolDefinition, ToolExecutor
from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openhands.sdk.conversation.impl.local_conversation import LocalConversation

    from openhands_strategies.runtime.delegation import Delegation

_DESCRIPTION: Final = """\
Apply the changes of one completed task to your workspace.

Each task of {aliases} works in a git worktree of its own and leaves your workspace alone.
Its answer shows what it changed, where the patch is, and how the check went. Choose one
task and apply it: all of its changes, or nothing if they do not fit. Only one task can be
applied. Nothing is committed.
"""


class ApplyTaskAction(Action):
    """Which task's changes to take over."""

    task_id: str = Field(description="Id of a completed task, for example task_00000002.")


class ApplyTaskObservation(Observation):
    """What was applied, or why nothing was."""


class ApplyTaskExecutor(ToolExecutor[ApplyTaskAction, ApplyTaskObservation]):
    """Applies through the conversation's delegation, which the `task` tool closes."""

    def __init__(self, delegation: Delegation) -> None:
        self._delegation = delegation

    def __call__(
        self, action: ApplyTaskAction, conversation: LocalConversation | None = None
    ) -> ApplyTaskObservation:
        if conversation is None:
            raise RuntimeError("apply_task needs the conversation that calls it")
        went_well, text = self._delegation.apply(conversation, action.task_id)
        return ApplyTaskObservation.from_text(text=text, is_error=not went_well)


class ApplyTaskTool(ToolDefinition[ApplyTaskAction, ApplyTaskObservation]):
    """The `apply_task` tool."""

    name: ClassVar[str] = "apply_task"
    user_selectable: ClassVar[bool] = False

    @classmethod
    def create(  # type: ignore[override]
        cls, executor: ApplyTaskExecutor, aliases: Sequence[str]
    ) -> Sequence[ToolDefinition[Any, Any]]:
        """Return the tool.

        Args:
            executor: What runs it.
            aliases: Sub-agents that work in worktrees.
        """
        return [
            cls(
                action_type=ApplyTaskAction,
                observation_type=ApplyTaskObservation,
                description=_DESCRIPTION.format(aliases=", ".join(aliases)),
                annotations=ToolAnnotations(
                    title="apply_task",
                    readOnlyHint=False,
                    destructiveHint=True,
                    idempotentHint=True,
                    openWorldHint=False,
                ),
                executor=executor,
            )
        ]
