"""The roles of a prepared strategy, each built as a run would build it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.blueprint import Blueprint, Brought, SubAgent
from openhands_strategies.compose.brought import bringers
from openhands_strategies.runtime.entries import Entry, Scope
from openhands_strategies.runtime.prepare import Prepared
from openhands_strategies.runtime.roles import MAIN
from openhands_strategies.runtime.spawn import build_subagent

if TYPE_CHECKING:
    from openhands.sdk import Agent
    from openhands.sdk.hooks import HookConfig

# What an agent has from the agents above it.
_INHERITED: Final = frozenset({"hook", "mcp"})
_OF_SUBAGENTS: Final = frozenset({"task", "apply_task"})
_OF_SKILLS: Final = "invoke_skill"


@dataclass(frozen=True)
class Role:
    """One agent of the graph.

    Attributes:
        path: `main`, or aliases from below the main agent: `design/sidekick`.
        agent: As it would be when its conversation starts.
        scope: What its task tool offers; nothing where it has none.
        hooks: Its hooks, those of the agents above it first.
        mark: Which part brought it.
        blueprint: What it was built from; None for declared data and factories.
        above: Blueprints of the agents above it, the nearest first.
        entry: What its parent's task tool says of it; None for the main agent.
        subagent: The same, as the strategy built it.
        parent: Path of the agent that may ask it; empty for the main agent.
        places: Working directories from the whole's down to its own, each relative to the
            one before.
    """

    path: str
    agent: Agent
    scope: Scope
    hooks: HookConfig | None
    mark: Brought
    blueprint: Blueprint | None
    above: tuple[Blueprint, ...] = ()
    entry: Entry | None = None
    subagent: SubAgent | None = None
    parent: str = ""
    places: tuple[str, ...] = ()

    def made_from(self, tool: str) -> dict[str, Any] | None:
        """Who brought what a tool of the whole is made from, as `{part, commit}`.

        Args:
            tool: As a model calls it: `task` is there because of sub-agents, `invoke_skill`
                because of skills.

        Returns:
            The first bringer; None for every other tool.
        """
        context = self.agent.agent_context
        if tool in _OF_SUBAGENTS:
            return next((self.brought("subagent", alias) for alias in self.scope.agents), None)
        if tool == _OF_SKILLS and context is not None:
            asked = [one for one in context.skills if one.is_agentskills_format]
            return next((self.brought("skill", one.name) for one in asked), None)
        return None

    @property
    def alias(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def declared(self) -> dict[str, Any]:
        """Which part made this agent a sub-agent of its parent."""
        return origin(self.mark)

    def brought(self, kind: str, name: str, number: int = 0) -> dict[str, Any]:
        """Which part brought an item, as `{part, commit}`; the role's own by default.

        Args:
            kind: As in `Brought`.
            name: Of the item; of what was put together from several, the first one counts.
            number: Which of several with this name, from 0.
        """
        own = (self.blueprint,) if self.blueprint is not None else ()
        for blueprint in (*own, *(self.above if kind in _INHERITED else ())):
            found = bringers(blueprint, kind, name)
            if found:
                return origin(found[min(number, len(found) - 1)])
        return origin(self.mark)


def origin(mark: Brought) -> dict[str, Any]:
    """`{part, commit}` of a mark."""
    return {"part": mark.part, "commit": mark.commit}


def roles_of(prepared: Prepared) -> Iterator[Role]:
    """Every agent that a run may have, from the main agent down; nothing is started.

    Raises:
        StrategyError: What building a sub-agent raises.
    """
    own = prepared.loaded.origin
    whole = Brought("agent", MAIN, prepared.loaded.name, own.commit)
    found = bringers(prepared.blueprint, "agent", MAIN)
    main = Role(
        path=MAIN,
        agent=prepared.agent,
        scope=prepared.scope,
        hooks=prepared.hooks,
        mark=found[0] if found else whole,
        blueprint=prepared.blueprint,
    )
    yield main
    yield from _below(main, prepared.blueprint.subagents)


def _below(role: Role, table: Mapping[str, SubAgent]) -> Iterator[Role]:
    above = (*((role.blueprint,) if role.blueprint else ()), *role.above)
    for alias, entry in role.scope.agents.items():
        subagent = table[alias]
        blueprint = subagent.agent if isinstance(subagent.agent, Blueprint) else None
        found = bringers(role.blueprint, "subagent", alias) if role.blueprint else []
        below = Role(
            path="/".join((*role.scope.path, alias)),
            agent=build_subagent(alias, role.scope, role.agent),
            scope=role.scope.below(alias),
            hooks=_hooks(entry),
            mark=found[0] if found else role.mark,
            blueprint=blueprint,
            above=above,
            entry=entry,
            subagent=subagent,
            parent=role.path,
            places=(*role.places, *((entry.workspace,) if entry.workspace else ())),
        )
        yield below
        # A factory's agent may be offered the aliases beside it, itself among them.
        if blueprint is not None:
            yield from _below(below, blueprint.subagents)


def _hooks(entry: Entry) -> HookConfig | None:
    from openhands.sdk.hooks import HookConfig

    return HookConfig.model_validate(entry.hooks) if entry.hooks else None
