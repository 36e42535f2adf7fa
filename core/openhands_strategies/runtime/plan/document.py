"""The plan: everything that a strategy would use, before anything runs.

No model is called, no program or server is started, and no workspace is touched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from openhands_strategies.compose.brought import SUFFIX
from openhands_strategies.params import json_schema
from openhands_strategies.runtime.entries import TASK_TOOL_SET
from openhands_strategies.runtime.llms import PLACEHOLDER
from openhands_strategies.runtime.loaded import Loaded
from openhands_strategies.runtime.plan.items import (
    Told,
    first_message,
    hooks,
    limits,
    servers,
    skills,
    subagent,
    token_row,
    tools,
)
from openhands_strategies.runtime.plan.prompts import ESTIMATE, agent_text
from openhands_strategies.runtime.plan.roles import Role, roles_of
from openhands_strategies.runtime.prepare import Prepared
from openhands_strategies.runtime.values import declared_params
from openhands_strategies.strategy import AgentSpec, Blueprint

_ANY_WORKSPACE: Final = "WORKSPACE"


def plan(
    prepared: Prepared, *, prompts: bool = False, workspace: Path | None = None
) -> dict[str, Any]:
    """Return the plan as JSON: `strategy`, and lists of items that name their `role`.

    Args:
        prepared: A strategy that is ready to start.
        prompts: Whether system prompts, tool descriptions and tool schemas are in it.
        workspace: What prompts name as the working directory; nothing in it is read.

    Returns:
        `{strategy, roles, tools, subagents, skills, hooks, mcp, limits, prompt_tokens,
        estimate}`; every item has `from: {part, commit}`.

    Raises:
        StrategyError: What building a sub-agent raises.
    """
    directory = _ANY_WORKSPACE if workspace is None else str(workspace)
    told = [
        Told(
            role,
            agent_text(role.agent, str(Path(directory, *role.places)), f"role {role.path!r}"),
        )
        for role in roles_of(prepared)
    ]
    roles = [one.role for one in told]
    roots = roots_of(prepared.loaded)
    return {
        "strategy": _strategy(prepared),
        "roles": [_role(one, prepared, prompts=prompts) for one in told],
        "tools": [item for one in told for item in tools(one, prompts=prompts)],
        "subagents": [subagent(role) for role in roles if role.entry is not None],
        "skills": [item for role in roles for item in skills(role)],
        "hooks": [item for role in roles for item in hooks(role, roots)],
        "mcp": [item for role in roles for item in servers(role, roots)],
        "limits": [item for role in roles for item in limits(role, prepared)],
        "prompt_tokens": [token_row(one, prepared) for one in told],
        "estimate": ESTIMATE,
    }


def _strategy(prepared: Prepared) -> dict[str, Any]:
    origin = prepared.loaded.origin
    return {
        **_part("", prepared.loaded),
        "params": dict(prepared.params),
        # Those of parts too: known only now that their code is loaded.
        "params_schema": json_schema(declared_params(prepared.loaded)),
        "overlays": [
            {"name": one.name, "reference": one.reference, "commit": one.commit, "tree": one.tree}
            for one in origin.overlays
        ],
    }


def _part(label: str, loaded: Loaded) -> dict[str, Any]:
    origin = loaded.origin
    return {
        **({"label": label} if label else {}),
        "name": origin.name,
        "reference": origin.reference,
        "source": origin.source,
        "commit": origin.commit,
        "tree": origin.tree,
        "parts": [_part(one, part) for one, part in loaded.parts.items()],
    }


def roots_of(loaded: Loaded) -> list[str]:
    """Directories of a strategy's tree and of its parts', the longest first."""
    found = {str(loaded.root)}
    for part in loaded.parts.values():
        found |= set(roots_of(part))
    return sorted(found, key=len, reverse=True)


def _role(one: Told, prepared: Prepared, *, prompts: bool) -> dict[str, Any]:
    role, entry = one.role, one.role.entry
    llm = role.agent.llm
    item: dict[str, Any] = {
        "role": role.path,
        "kind": _kind(role),
        "model": llm.model,
        "placeholder": llm.model == PLACEHOLDER,
        "profile": entry.llm.profile if entry else None,
        "tools": [tool.name for tool in one.text.tools],
        "subagents": list(role.scope.agents) if _delegates(role) else [],
        "concurrency": role.agent.tool_concurrency_limit,
        "workspace": entry.workspace if entry else None,
        "after": list(entry.after) if entry else [],
        "rounds": entry.rounds if entry else None,
        "stops": entry.stops if entry else False,
        "worktree": entry.worktree if entry else False,
        "check": entry.check if entry else None,
        "escalation": entry.escalation if entry else None,
        "limits": {item["name"]: item["value"] for item in limits(role, prepared)},
        "confirmation": prepared.confirmation,
        "condenser": type(role.agent.condenser).__name__ if role.agent.condenser else None,
        "critic": type(role.agent.critic).__name__ if role.agent.critic else None,
        "first_message": first_message(role, prepared),
        "suffix": _suffix(role),
    }
    if prompts:
        item["system_prompt"] = one.text.system
    return {**item, "from": role.brought("agent", "main")}


def _kind(role: Role) -> str:
    if role.subagent is None:
        return "main"
    made = role.subagent.agent
    if isinstance(made, AgentSpec):
        return "declared"
    return "blueprint" if isinstance(made, Blueprint) else "factory"


def _delegates(role: Role) -> bool:
    return any(tool.name == TASK_TOOL_SET for tool in role.agent.tools)


def _suffix(role: Role) -> list[dict[str, Any]]:
    """Who wrote something into the system prompt."""
    context = role.agent.agent_context
    if context is None or not context.system_message_suffix:
        return []
    marks = role.blueprint.brought if role.blueprint is not None else ()
    found = [one for one in marks if (one.kind, one.name) == SUFFIX]
    if not found:
        return [role.brought(*SUFFIX)]
    return [{"part": one.part, "commit": one.commit} for one in found]
