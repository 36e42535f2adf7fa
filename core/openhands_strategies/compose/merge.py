"""Lay an overlay over a blueprint.

Tools, skills, sub-agents and MCP servers go by name: equal ones merge, different ones are
a conflict unless the overlay says that it replaces. Suffixes and hooks are concatenated in
order, limits are the tighter ones (steps for each agent, the others for the whole),
confirmation is the stricter one, and what only one part can decide (model, condenser,
critic, concurrency) comes from the outermost part that does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from openhands_strategies.blueprint import (
    AgentSpec,
    Blueprint,
    Brought,
    Limits,
    SubAgent,
    strictest,
)
from openhands_strategies.compose.agents import merged_agent
from openhands_strategies.compose.bounds import bounded_below
from openhands_strategies.compose.brought import attributed, bringers, items_of
from openhands_strategies.compose.conflict import MergeConflict, merge_conflict
from openhands_strategies.compose.declared import as_blueprint
from openhands_strategies.errors import BuildError
from openhands_strategies.strategy import Part

if TYPE_CHECKING:
    from openhands.sdk import LLM
    from openhands.sdk.hooks import HookConfig

# What an overlay changes of the whole, whoever does the work.
_OF_THE_WHOLE: Final = frozenset({"hook", "limit", "confirmation", "prompt", "tag"})


@dataclass(frozen=True)
class _Overlay:
    """An overlay and what it may take the place of, as `kind:name`."""

    part: Part
    replaces: frozenset[str]
    llm: LLM

    @property
    def blueprint(self) -> Blueprint:
        return self.part.blueprint

    @property
    def label(self) -> str:
        return self.part.label


def lay_over(base: Blueprint, base_label: str, overlay: Part, llm: LLM) -> Blueprint:
    """Return `base` with everything that `overlay` brings.

    Args:
        base: What is there, overlays before this one included.
        base_label: Names it in messages where an item's own part is not known.
        overlay: The part that is laid over it.
        llm: What the overlay was given; another one in its agent is its own choice.

    Raises:
        MergeConflict: `merge_conflict`, which names both parts and the item.
        BuildError: `overlay_misplaced` when it fits some phases and not others,
            `replaces_nothing`, or `overlay_field`.
    """
    over = _Overlay(overlay, frozenset(overlay.replaces), llm)
    workers = base.workers
    if workers:
        worked = _over_workers(base, over)
        replaced = over.replaces
    else:
        worked, replaced = _over_agent(base, base_label, over)
    _check_replaced(over, replaced, base_label)
    whole = _over_whole(worked, base_label, over)
    marked = {(one.kind, one.name) for one in whole.brought}
    brought = [
        one
        for one in over.blueprint.brought
        if (one.kind in _OF_THE_WHOLE or not workers)
        and one.kind != "agent"
        and (one.kind in ("suffix", "prompt", "hook") or (one.kind, one.name) not in marked)
    ]
    present = set(items_of(whole))
    return replace(
        whole,
        brought=tuple(one for one in (*whole.brought, *brought) if (one.kind, one.name) in present),
    )


def _check_replaced(over: _Overlay, replaced: Collection[str], base_label: str) -> None:
    nothing = sorted(over.replaces - set(replaced))
    if nothing:
        raise BuildError(
            "replaces_nothing",
            f"{over.label!r} replaces {nothing[0]!r}, which {base_label!r} does not have",
            "ohs plan shows what it has",
        )


def _over_workers(base: Blueprint, over: _Overlay) -> Blueprint:
    """An agent that only leads others is not the one that an overlay is for."""
    done: dict[str, SubAgent] = {}
    refused: dict[str, BuildError] = {}
    for alias in base.workers:
        worker = base.subagents[alias]
        part = replace(
            over.part,
            blueprint=replace(
                over.blueprint,
                hooks=None,
                prompt="{task}",
                limits=Limits(),
                confirmation=None,
                tags={},
                brought=tuple(b for b in over.blueprint.brought if b.kind not in _OF_THE_WHOLE),
            ),
        )
        try:
            whole = _whole(base, alias, over)
            done[alias] = replace(worker, agent=lay_over(whole, alias, part, over.llm))
        except BuildError as error:
            refused[alias] = error
    if refused and done:
        alias, first = next(iter(refused.items()))
        raise BuildError(
            "overlay_misplaced",
            f"the overlay {over.label!r} fits {_listed(done)} but not {alias!r}: {first.message}",
            f"lay it over that phase alone: layer({next(iter(done))!r}, {over.label!r})",
        ) from first
    if refused:
        raise next(iter(refused.values()))
    return replace(base, subagents={**base.subagents, **done})


def _whole(base: Blueprint, alias: str, over: _Overlay) -> Blueprint:
    """A worker as a blueprint; one that is declared as data becomes one."""
    agent = base.subagents[alias].agent
    if isinstance(agent, Blueprint):
        return agent
    if isinstance(agent, AgentSpec):
        mark = next(iter(bringers(base, "subagent", alias)), Brought("subagent", alias, alias))
        return attributed(as_blueprint(agent, over.llm), mark.part, mark.commit)
    raise BuildError(
        "overlay_misplaced",
        f"{over.label!r} cannot be laid over {alias!r}, which a function makes",
        "its strategy must give it as an AgentSpec or a Blueprint",
    )


def _listed(names: Mapping[str, object]) -> str:
    return " and ".join(repr(name) for name in names)


def _over_agent(
    base: Blueprint, base_label: str, over: _Overlay
) -> tuple[Blueprint, frozenset[str]]:
    """The agent and its sub-agents; also what of `replaces` found something."""
    replaced = {
        f"{kind}:{name}" for kind, name in items_of(base) if f"{kind}:{name}" in over.replaces
    }

    def conflict(kind: str, name: str, why: str = "") -> MergeConflict:
        found = bringers(base, kind, name)
        one = found[0].part if found else base_label
        return merge_conflict(kind, name, one, over.label, why=why)

    agent = merged_agent(
        base.agent, over.blueprint.agent, over.label, over.replaces, conflict=conflict
    )
    if over.blueprint.agent.llm is not over.llm:
        agent = agent.model_copy(update={"llm": over.blueprint.agent.llm})
    subagents = dict(base.subagents)
    for alias, brought in over.blueprint.subagents.items():
        same, new = subagents.get(alias), brought
        if same is not None and f"subagent:{alias}" not in over.replaces:
            # Other limits are no difference: the tighter ones count.
            new = replace(brought, limits=brought.limits.tightened(same.limits))
            if replace(same, limits=new.limits) != new:
                raise conflict("subagent", alias)
        subagents[alias] = new
    kept = tuple(one for one in base.brought if not _is_of(one, replaced))
    return replace(base, agent=agent, subagents=subagents, brought=kept), frozenset(replaced)


def _is_of(one: Brought, replaced: Collection[str]) -> bool:
    """Whether it marks one of these items, or a limit that a sub-agent of these had."""
    alias = one.name.rpartition("/")[0] if one.kind == "limit" else ""
    return f"{one.kind}:{one.name}" in replaced or f"subagent:{alias}" in replaced


def _over_whole(base: Blueprint, base_label: str, over: _Overlay) -> Blueprint:
    other = over.blueprint
    limits = base.limits.tightened(other.limits)
    confirmation = strictest(base.confirmation, other.confirmation)
    # Where the overlay's value counts now, its mark takes the place of the base's.
    lost = {
        ("limit", field.name)
        for field in fields(Limits)
        if getattr(limits, field.name) != getattr(base.limits, field.name)
    }
    if confirmation != base.confirmation:
        lost.add(("confirmation", str(base.confirmation)))
    tags = dict(base.tags)
    for key, value in other.tags.items():
        if tags.get(key, value) != value:
            raise merge_conflict("tag", key, base_label, over.label)
        tags[key] = value
    mark = next(
        iter(bringers(other, "limit", "iterations")), Brought("limit", "iterations", over.label)
    )
    base = bounded_below(base, other.limits.iterations, mark)
    return replace(
        base,
        hooks=concatenated([base.hooks, other.hooks]),
        prompt=other.prompt.replace("{task}", base.prompt),
        limits=limits,
        confirmation=confirmation,
        tags=tags,
        brought=tuple(one for one in base.brought if (one.kind, one.name) not in lost),
    )


def concatenated(configs: Sequence[HookConfig | None]) -> HookConfig | None:
    """Hooks in order; None when there are none."""
    from openhands.sdk.hooks import HookConfig

    present = [config for config in configs if config is not None and not config.is_empty()]
    return HookConfig.merge(present) if present else None
