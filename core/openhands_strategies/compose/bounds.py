"""The steps that an overlay allows, for every agent of a run."""

from __future__ import annotations

from dataclasses import replace

from openhands_strategies.blueprint import Blueprint, Brought, Limits, SubAgent


def bounded_below(blueprint: Blueprint, iterations: int | None, mark: Brought) -> Blueprint:
    """The blueprint whose sub-agents, nested ones too, take at most so many steps in a run.

    Args:
        blueprint: Its main agent is left as it is.
        iterations: Steps of one run; None is no bound.
        mark: Says who set the bound; its name is filled in for each sub-agent.
    """
    if iterations is None or not blueprint.subagents:
        return blueprint
    bound = Limits(iterations=iterations)
    subagents: dict[str, SubAgent] = {}
    marks: dict[str, Brought] = {}
    for alias, subagent in blueprint.subagents.items():
        own, agent, limits = subagent.limits, subagent.agent, subagent.limits
        if isinstance(agent, Blueprint):
            own = own.tightened(agent.limits)
            agent = bounded_below(agent, iterations, mark)
        if own.iterations is None or iterations < own.iterations:
            limits = limits.tightened(bound)
            name = f"{alias}/iterations"
            marks[name] = replace(mark, kind="limit", name=name)
        subagents[alias] = replace(subagent, agent=agent, limits=limits)
    kept = [one for one in blueprint.brought if one.kind != "limit" or one.name not in marks]
    return replace(blueprint, subagents=subagents, brought=(*kept, *marks.values()))
