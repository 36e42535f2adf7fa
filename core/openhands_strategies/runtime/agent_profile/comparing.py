"""What a profile holds of a strategy and what it leaves out, found by comparing the two.

The agent that upstream launches from the profile is laid beside the agent that `ohs run`
starts, field by field, so a field that a later SDK adds is named too. Whatever else a
blueprint holds has no place in a profile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.compose.brought import servers_of
from openhands_strategies.runtime.agent_profile.beyond import BEYOND, Item
from openhands_strategies.runtime.agent_profile.making import launched
from openhands_strategies.runtime.agent_profile.tools import (
    is_foreign,
    served_tools,
    specs,
    usual_tools,
)
from openhands_strategies.runtime.entries import TASK_TOOL_SET
from openhands_strategies.runtime.prepare import Prepared

if TYPE_CHECKING:
    from openhands.sdk import LLM, Agent, Tool
    from openhands.sdk.profiles import OpenHandsAgentProfile

# Compared piece by piece, or not the profile's to say: the time is that of the launch.
_APART: Final = frozenset({"llm", "tools", "include_default_tools", "agent_context", "mcp_config"})
_CONTEXT_APART: Final = frozenset({"skills", "secrets", "current_datetime", "memory_context"})
# A copy for another purpose differs in these.
_LLM_APART: Final = {"usage_id", "stream"}
_KINDS: Final = MappingProxyType(
    {
        "condenser": "condenser",
        "critic": "critic",
        "tool_concurrency_limit": "limit",
        "filter_tools_regex": "tool",
        "class": "agent",
    }
)


@dataclass(frozen=True)
class Comparison:
    """What a profile and a strategy have in common, and what only one of them has.

    Attributes:
        carries: In the profile as in the strategy, beyond what every agent has.
        leaves_out: In the strategy only.
        adds: In the profile only.
    """

    carries: tuple[Item, ...]
    leaves_out: tuple[Item, ...]
    adds: tuple[Item, ...]


def compare(prepared: Prepared, profile: OpenHandsAgentProfile, llm: LLM) -> Comparison:
    """Lay a profile beside the strategy that it was made from.

    Args:
        prepared: The strategy, built with `llm`.
        profile: Made by `agent_profile`.
        llm: What the strategy was built with.
    """
    mine, theirs = prepared.agent, launched(profile, llm)
    found = _Found([], [], [])
    _tools(found, mine, theirs)
    _fields(found, mine, theirs, llm)
    _context(found, mine, theirs)
    found.lacks.extend(_model(mine, llm))
    found.lacks.extend(
        Item("mcp", name, "a profile only names servers of the server's own settings")
        for name in servers_of(mine)
        if name not in servers_of(theirs)
    )
    for beyond in BEYOND.values():
        found.lacks.extend(beyond(prepared))
    found.lacks.extend(
        Item("parameter", name, "it has its value of this export; a profile asks for none")
        for name in prepared.params
    )
    return Comparison(tuple(found.both), tuple(found.lacks), tuple(found.adds))


@dataclass(frozen=True)
class _Found:
    both: list[Item]
    lacks: list[Item]
    adds: list[Item]


def _tools(found: _Found, mine: Agent, theirs: Agent) -> None:
    here, there = specs(mine), specs(theirs)
    usual = usual_tools()
    for name, tool in here.items():
        if name not in there:
            found.lacks.append(Item("tool", name, _why_no_tool(name, tool.name)))
        elif _params(there[name]) != _params(tool):
            found.lacks.append(Item("tool", f"{name}: parameters", "a profile holds others"))
        elif name not in usual:
            found.both.append(Item("tool", name))
    for name in there:
        if name not in here:
            found.adds.append(Item("tool", name, "every agent of a profile has it"))


def _why_no_tool(name: str, registered: str) -> str:
    if name == TASK_TOOL_SET:
        return "only a server with our extension can load it"
    if is_foreign(registered) or name not in served_tools():
        return "a server cannot load it without the code that brings it"
    return "a profile cannot hold its parameters"


def _params(tool: Tool) -> Any:
    """Parameters as JSON, where they can be."""
    try:
        return tool.model_dump(mode="json")["params"]
    except ValueError:
        return _plain(tool.params)


def _fields(found: _Found, mine: Agent, theirs: Agent, llm: LLM) -> None:
    usual = type(theirs)(llm=llm)
    names = {**type(mine).model_fields, **type(theirs).model_fields}
    for name in names:
        if name not in _APART:
            _one(found, _KINDS.get(name, "prompt"), name, mine, theirs, usual)
    if type(mine) is not type(theirs):
        why = "a profile launches the SDK's own class of agent"
        found.lacks.append(Item(_KINDS["class"], type(mine).__name__, why))


def _context(found: _Found, mine: Agent, theirs: Agent) -> None:
    from openhands.sdk import AgentContext

    usual = AgentContext(current_datetime=None)
    here, there = mine.agent_context or usual, theirs.agent_context or usual
    for name in AgentContext.model_fields:
        if name not in _CONTEXT_APART:
            _one(found, "skill" if "skill" in name else "prompt", name, here, there, usual)
    own, held = ([skill.name for skill in one.skills] for one in (here, there))
    found.lacks.extend(
        Item("skill", name, "a profile holds no skills, only which to leave out")
        for name in own
        if name not in held
    )
    found.adds.extend(
        Item("skill", name, "every agent of a profile has them") for name in held if name not in own
    )
    found.lacks.extend(
        Item("secret", name, "a profile holds no secrets; save it on the server")
        for name in here.secrets or ()
    )


def _one(found: _Found, kind: str, name: str, mine: Any, theirs: Any, usual: Any) -> None:
    here, there, normal = (_plain(getattr(one, name, None)) for one in (mine, theirs, usual))
    if here == there:
        if here != normal:
            found.both.append(Item(kind, name))
    elif here == normal:
        found.adds.append(Item(kind, name, "every agent of a profile has it so"))
    elif there == normal:
        found.lacks.append(Item(kind, name, "a profile has no place for it"))
    else:
        found.lacks.append(Item(kind, name, "a profile cannot hold it as it is"))


def _model(mine: Agent, llm: LLM) -> Iterator[Item]:
    """What the strategy itself set about its main model."""
    set_here, given = (_without(one, _LLM_APART) for one in (mine.llm, llm))
    for name, value in set_here.items():
        if value != given.get(name):
            yield Item("model", name, "the model and its settings are those of the LLM profile")


def _plain(value: Any) -> Any:
    """A value as JSON, to be compared; the class of an object counts, its LLM's copy not."""
    from pydantic import BaseModel
    from pydantic_core import to_jsonable_python

    if not isinstance(value, BaseModel):
        return to_jsonable_python(value, fallback=repr)
    own = {name: getattr(value, name) for name in type(value).model_fields}
    llm = own.pop("llm", None)
    rest = {name: to_jsonable_python(one, fallback=repr) for name, one in own.items()}
    return {
        "class": type(value).__qualname__,
        **rest,
        **({} if llm is None else {"llm": _without(llm, _LLM_APART)}),
    }


def _without(llm: LLM, names: set[str]) -> dict[str, Any]:
    dumped: dict[str, Any] = llm.model_dump(
        mode="json", exclude=names, context={"expose_secrets": True}
    )
    return dumped
