"""The items of a plan, role by role: tools, skills, hooks, MCP servers, limits, tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from openhands_strategies.compose.brought import bringers, hooks_in, servers_of
from openhands_strategies.runtime.entries import TASK_TOOL_SET
from openhands_strategies.runtime.plan.prompts import AgentText, count_tokens
from openhands_strategies.runtime.plan.roles import Role, origin
from openhands_strategies.runtime.prepare import Prepared
from openhands_strategies.runtime.run_file import plain_url

_LIMITS: Final = ("iterations", "budget", "steps", "warn_at")


@dataclass(frozen=True)
class Told:
    """A role and what its model would be told."""

    role: Role
    text: AgentText


def first_message(role: Role, prepared: Prepared) -> str:
    return role.entry.prompt if role.entry is not None else prepared.blueprint.prompt


def tools(one: Told, *, prompts: bool) -> Iterator[dict[str, Any]]:
    role = one.role
    params = {tool.name: tool.params for tool in role.agent.tools if tool.name != TASK_TOOL_SET}
    for tool in one.text.tools:
        item: dict[str, Any] = {
            "role": role.path,
            "name": tool.name,
            "params": dict(params.get(tool.made_by, {})),
            "tokens": tool.tokens(),
        }
        if prompts:
            item |= {"description": tool.description, "parameters": tool.parameters}
        made_from = role.made_from(tool.name)
        yield {**item, "from": made_from or role.brought("tool", tool.made_by)}


def subagent(role: Role) -> dict[str, Any]:
    return {
        "role": role.parent,
        "alias": role.alias,
        "path": role.path,
        "description": role.entry.description if role.entry else "",
        "from": {"part": role.mark.part, "commit": role.mark.commit},
    }


def skills(role: Role) -> Iterator[dict[str, Any]]:
    context = role.agent.agent_context
    for skill in context.skills if context is not None else ():
        trigger = skill.trigger.model_dump(mode="json") if skill.trigger is not None else {}
        words: list[str] = next((value for key, value in trigger.items() if key != "type"), [])
        # One without a trigger stands in the system prompt, whole or as a line.
        when = trigger.get("type") or ("asked" if skill.is_agentskills_format else "always")
        yield {
            "role": role.path,
            "name": skill.name,
            "description": skill.description,
            "when": when,
            "triggers": list(words),
            "digest": sha256(skill.content.encode()).hexdigest()[:12],
            "from": role.brought("skill", skill.name),
        }


def hooks(role: Role, roots: Sequence[str]) -> Iterator[dict[str, Any]]:
    seen: Counter[str] = Counter()
    for event, matcher, hook in hooks_in(role.hooks):
        name = f"{event}: {hook['command']}"
        yield {
            "role": role.path,
            "event": event,
            "matcher": matcher,
            "type": hook.get("type", "command"),
            "command": hook["command"],
            "written": _written(str(hook["command"]), roots),
            "timeout": hook.get("timeout"),
            "from": role.brought("hook", name, seen[name]),
        }
        seen[name] += 1


def servers(role: Role, roots: Sequence[str]) -> Iterator[dict[str, Any]]:
    for name, server in servers_of(role.agent).items():
        fields = server if isinstance(server, dict) else server.model_dump(mode="json")
        line = [str(fields.get("command") or ""), *map(str, fields.get("args") or ())]
        url = fields.get("url")
        yield {
            "role": role.path,
            "name": name,
            "command": line if line[0] else None,
            "written": [_written(word, roots) for word in line] if line[0] else None,
            "url": (plain_url(url) or "(hidden: it holds credentials)") if url else None,
            # Names only: the values are secrets as often as not.
            "env": sorted(fields.get("env") or {}),
            "headers": sorted(fields.get("headers") or {}),
            "from": role.brought("mcp", name),
        }


def limits(role: Role, prepared: Prepared) -> Iterator[dict[str, Any]]:
    if role.entry is None:
        given = {name: getattr(prepared.limits, name) for name in _LIMITS}
    else:
        entry = role.entry
        given = {
            "iterations": entry.iterations,
            "budget": entry.budget,
            "steps": entry.steps,
            "rounds": entry.rounds,
        }
    for name, value in given.items():
        if value is not None:
            yield {"role": role.path, "name": name, "value": value, "from": _limited(role, name)}


def _limited(role: Role, name: str) -> dict[str, Any]:
    """Who set a limit that counts: for a sub-agent the one that declared it goes first."""
    if role.subagent is None:
        return role.brought("limit", name)
    if name == "rounds":
        return role.declared
    if getattr(role.subagent.limits, name) != getattr(role.entry, name):
        return role.brought("limit", name)
    found = bringers(role.above[0], "limit", f"{role.alias}/{name}")
    return origin(found[0]) if found else role.declared


def token_row(one: Told, prepared: Prepared) -> dict[str, Any]:
    tools = [tool.tokens() for tool in one.text.tools]
    system = count_tokens(one.text.system)
    message = count_tokens(first_message(one.role, prepared).replace("{task}", ""))
    unknown = [tool.name for tool in one.text.tools if tool.description is None]
    unknown += [f"MCP {name}" for name in servers_of(one.role.agent)]
    known = sum(count for count in tools if count is not None)
    return {
        "role": one.role.path,
        "system_prompt": system,
        "tools": known,
        "first_message": message,
        "total": system + known + message,
        "not_counted": unknown,
        "from": one.role.brought("agent", "main"),
    }


def _written(text: str, roots: Sequence[str]) -> str:
    """A command as its author wrote it: the same wherever the tree lies."""
    for root in roots:
        text = text.replace(root, "${PLUGIN_ROOT}")
    return text
