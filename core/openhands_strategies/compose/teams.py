"""A strategy that leads others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from openhands_strategies.blueprint import Blueprint, Limits, strictest
from openhands_strategies.compose.composition import (
    Composition,
    Piece,
    bringer,
    composition_name,
    confirmations,
    require,
    strategy_of,
    with_suffix,
)
from openhands_strategies.compose.conflict import merge_conflict
from openhands_strategies.compose.labels import free_label, given_label, label_of
from openhands_strategies.compose.texts import lead_text, member_text
from openhands_strategies.strategy import BuildContext, Strategy


class Team(Composition):
    """A strategy that may delegate to whole strategies; see `team`."""

    def build(self, context: BuildContext) -> Blueprint:
        """Return the lead's blueprint with the members as further sub-agents."""
        lead_label, *members = self.parts
        lead = context.part(lead_label)
        base = with_suffix(lead.blueprint, lead_text(members), self.name)
        subagents = dict(base.subagents)
        brought = list(base.brought)
        for label in members:
            member = context.part(label)
            if label in subagents:
                raise merge_conflict("subagent", label, lead_label, label)
            subagents[label] = self._worker(member, member_text(label))
            brought.append(bringer(member))
        blueprint = replace(base, subagents=subagents, brought=tuple(brought))
        return replace(
            blueprint,
            limits=base.limits.tightened(self.limits),
            confirmation=strictest(base.confirmation, *confirmations(subagents)),
        )


def team(
    lead: Piece,
    *,
    name: str = "team",
    description: str = "",
    limits: Limits | None = None,
    defaults: Mapping[str, Any] | None = None,
    **members: Piece,
) -> Strategy:
    """A strategy that leads, and may hand work to whole strategies.

    Args:
        lead: The strategy whose main agent leads.
        name: Kebab-case.
        description: One line; names lead and members by default.
        limits: Tighter bounds than the lead's own; `budget` and `steps` count for all.
        defaults: Parameters of lead and members, by `label.name`.
        members: Alias to strategy, reference or `part(…)`.

    Raises:
        BuildError: `parts_missing`, `parts_invalid`, `label_invalid` or `name_invalid`.
    """
    given = {given_label(alias): piece for alias, piece in members.items()}
    lead_label = free_label(label_of(strategy_of(lead)), given)
    require(given, 1, "a team has at least one member", "team('fusion', reviewer='…')")
    return Team(
        {lead_label: lead, **given},
        name=composition_name(name),
        description=description or f"{lead_label} leads {', '.join(given)}",
        limits=limits,
        defaults=defaults,
    )
