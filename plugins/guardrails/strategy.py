"""Guardrails: an overlay of hooks that stop slips before they happen.

Its hooks reach the main agent and every sub-agent of the strategy that it is laid over.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, ClassVar, Final

from openhands_strategies import (
    Blueprint,
    BuildContext,
    ParameterError,
    Strategy,
    StrategyParam,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openhands.sdk.hooks import HookConfig

RULES: Final = (
    "delete-tree",
    "outside-write",
    "leave-workspace",
    "git-discard",
    "force-push",
    "permissions",
    "disk",
    "remote-code",
    "sudo",
    "power",
    "fork-bomb",
)
# As it runs with default parameters; others change its options. -B: it writes nothing into
# the tree. A guard that cannot run counts as a refusal, not as a yes.
GUARD = "python3 -B ${PLUGIN_ROOT}/hooks/guard.py --writable /tmp || exit 2"
REPORT = "python3 ${PLUGIN_ROOT}/hooks/report_secrets.py"
WRITING_TOOLS = "terminal|file_editor|planning_file_editor|apply_patch|edit|write_file"


class Guardrails(Strategy):
    """Hooks and nothing else."""

    name = "guardrails"
    description = "Blocks destructive commands and writes outside the workspace, reports secrets"
    overlay = True
    params: ClassVar[Sequence[StrategyParam]] = [
        StrategyParam(
            name="allow",
            description="Rules that are off, with commas between: sudo,force-push",
        ),
        StrategyParam(
            name="writable",
            default="/tmp",  # noqa: S108  what agents use it for is theirs to keep apart
            description="Directories beside the workspace that may be written, with : between",
        ),
        StrategyParam(
            name="secrets",
            type="boolean",
            default=True,
            description="Whether secrets in the output of tools are reported",
        ),
    ]

    def build(self, context: BuildContext) -> Blueprint:
        """Return the hooks, on an agent that brings nothing.

        Raises:
            ParameterError: `param_choice` when `allow` names a rule that does not exist.
        """
        from openhands.sdk import Agent

        return Blueprint(agent=Agent(llm=context.llm), hooks=_hooks(context.params))


def _hooks(params: Mapping[str, Any]) -> HookConfig:
    from openhands.sdk.hooks import HookConfig
    from openhands.sdk.hooks.config import HookDefinition, HookMatcher

    command = guard_command(params["allow"] or "", params["writable"] or "")
    guard = HookDefinition(command=GUARD, timeout=30).model_copy(update={"command": command})
    report = HookDefinition(command=REPORT, timeout=30)
    hooks = HookConfig(
        pre_tool_use=[HookMatcher(matcher=WRITING_TOOLS, hooks=[guard])],
        post_tool_use=[HookMatcher(matcher="*", hooks=[report])],
        stop=[HookMatcher(matcher="*", hooks=[report])],
    )
    if params["secrets"]:
        return hooks
    return hooks.model_copy(update={"post_tool_use": [], "stop": []})


def guard_command(allow: str, writable: str) -> str:
    """The command of the guard with its options.

    Raises:
        ParameterError: `param_choice` for a rule that does not exist.
    """
    rules = [rule.strip() for rule in allow.split(",") if rule.strip()]
    for rule in rules:
        if rule not in RULES:
            raise ParameterError(
                "param_choice",
                f"guardrails: allow names {rule!r}, which is no rule",
                f"rules: {', '.join(RULES)}",
                field="allow",
            )
    options = [f"--allow {shlex.quote(','.join(rules))}"] if rules else []
    options += [f"--writable {shlex.quote(writable)}"] if writable else []
    return " ".join(["python3 -B ${PLUGIN_ROOT}/hooks/guard.py", *options, "|| exit 2"])
