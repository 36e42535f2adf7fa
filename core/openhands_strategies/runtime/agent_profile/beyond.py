"""What a blueprint holds beside its main agent: no agent profile has a place for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import Final

from openhands_strategies.compose.brought import PROMPT
from openhands_strategies.runtime.entries import Entry
from openhands_strategies.runtime.plan.document import roots_of
from openhands_strategies.runtime.plan.items import hooks
from openhands_strategies.runtime.plan.roles import roles_of
from openhands_strategies.runtime.prepare import Prepared


@dataclass(frozen=True)
class Item:
    """One thing of an agent.

    Attributes:
        kind: `tool`, `prompt`, `skill`, `subagent`, `hook`, `mcp`, `limit`, …
        name: Of the thing.
        why: Why the profile has it not, or has it though the strategy has not.
    """

    kind: str
    name: str
    why: str = ""

    def to_json(self) -> dict[str, str]:
        return {key: value for key, value in asdict(self).items() if value}


def _subagents(prepared: Prepared) -> Iterator[Item]:
    context = prepared.agent.agent_context
    told = (context.system_message_suffix if context else None) or ""

    def below(entries: Mapping[str, Entry], above: str) -> Iterator[Item]:
        for alias, entry in entries.items():
            why = "a profile is one agent"
            if not above and alias in told:
                why += "; the system prompt still speaks of it"
            yield Item("subagent", f"{above}{alias}", why)
            yield from below(entry.agents, f"{above}{alias}/")

    return below(prepared.scope.agents, "")


def _hooks(prepared: Prepared) -> Iterator[Item]:
    for hook in hooks(next(roles_of(prepared)), roots_of(prepared.loaded)):
        name = f"{hook['event']} {hook['matcher']}: {hook['written']}"
        yield Item("hook", name, "a profile has no hooks")


def _prompt(prepared: Prepared) -> Iterator[Item]:
    if prepared.blueprint.prompt != "{task}":
        yield Item(*PROMPT, "a profile does not say how a task is put")


def _limits(prepared: Prepared) -> Iterator[Item]:
    for field in fields(prepared.limits):
        value = getattr(prepared.limits, field.name)
        if value is not None:
            yield Item("limit", field.name, f"{value} here; a profile sets no limits")


def _confirmation(prepared: Prepared) -> Iterator[Item]:
    if prepared.confirmation != "never":
        why = "what asks for a yes is the server's own setting"
        yield Item("confirmation", prepared.confirmation, why)


def _tags(prepared: Prepared) -> Iterator[Item]:
    for name in prepared.blueprint.tags:
        yield Item("tag", name, "a profile sets no tags")


BEYOND: Final[Mapping[str, Callable[[Prepared], Iterator[Item]]]] = MappingProxyType(
    {
        "subagents": _subagents,
        "hooks": _hooks,
        "prompt": _prompt,
        "limits": _limits,
        "confirmation": _confirmation,
        "tags": _tags,
    }
)
"""By field of a blueprint: what it holds that no profile can hold."""
