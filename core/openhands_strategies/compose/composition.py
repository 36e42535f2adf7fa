"""What pipelines, teams and layers have in common: labelled parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from openhands_strategies.blueprint import Blueprint, Brought, Confirmation, Limits, SubAgent
from openhands_strategies.compose.agents import joined
from openhands_strategies.compose.brought import SUFFIX, bringers
from openhands_strategies.compose.labels import free_label, given_label, label_of
from openhands_strategies.errors import BuildError
from openhands_strategies.labels import kebab
from openhands_strategies.strategy import Part, Strategy


@dataclass(frozen=True, kw_only=True)
class PartChoice:
    """A strategy and how it works as a part; made by `part`."""

    strategy: Strategy | str
    description: str | None = None
    model: str | None = None
    profile: str | None = None
    limits: Limits | None = None
    workspace: str | None = None
    rounds: int | None = None


Piece = Strategy | str | PartChoice


def part(
    strategy: Strategy | str,
    *,
    description: str | None = None,
    model: str | None = None,
    profile: str | None = None,
    limits: Limits | None = None,
    workspace: str | None = None,
    rounds: int | None = None,
) -> PartChoice:
    """Say more about a phase of a pipeline or a member of a team.

    Args:
        strategy: An instance or a reference.
        description: For the agent that leads; the strategy's own by default.
        model: Its main model, at the main model's provider.
        profile: Saved LLM profile for it, instead of `model`.
        limits: Bounds of one run of it and everything below it.
        workspace: Its working directory, below the whole's.
        rounds: How often it may be asked.
    """
    return PartChoice(
        strategy=strategy,
        description=description,
        model=model,
        profile=profile,
        limits=limits,
        workspace=workspace,
        rounds=rounds,
    )


class Composition(Strategy):
    """What the three forms have in common: labelled parts."""

    # Instances of compositions differ in what classes of strategies differ in.
    name: str  # type: ignore[misc]
    description: str  # type: ignore[misc]
    parts: Mapping[str, Strategy | str]  # type: ignore[misc]
    defaults: Mapping[str, Any]  # type: ignore[misc]

    def __init__(
        self,
        pieces: Mapping[str, Piece],
        *,
        name: str,
        description: str,
        limits: Limits | None,
        defaults: Mapping[str, Any] | None,
    ) -> None:
        self.name = name
        self.description = description
        self.choices = {
            label: piece if isinstance(piece, PartChoice) else part(piece)
            for label, piece in pieces.items()
        }
        self.parts = {label: strategy_of(choice) for label, choice in self.choices.items()}
        self.limits = limits or Limits()
        self.defaults = dict(defaults or {})

    def _worker(self, part: Part, told: str, **changes: Any) -> SubAgent:
        """A part as a sub-agent, told about its place."""
        if part.overlay:
            raise BuildError(
                "overlay_alone",
                f"{part.label!r} is an overlay, no strategy that works on its own",
                f"lay it over one: layer(…, {part.label!r})",
            )
        choice = self.choices[part.label]
        return SubAgent(
            description=choice.description or part.description or part.name,
            agent=with_suffix(part.blueprint, told, self.name),
            model=choice.model,
            profile=choice.profile,
            limits=choice.limits or Limits(),
            workspace=choice.workspace,
            rounds=choice.rounds,
            **changes,
        )


def with_suffix(blueprint: Blueprint, text: str, label: str) -> Blueprint:
    """The blueprint with `text` at the end of its main agent's system prompt."""
    from openhands.sdk import AgentContext

    context = blueprint.agent.agent_context or AgentContext()
    suffix = joined(context.system_message_suffix, text, label)
    agent = blueprint.agent.model_copy(
        update={"agent_context": context.model_copy(update={"system_message_suffix": suffix})}
    )
    return replace(blueprint, agent=agent, brought=(*blueprint.brought, Brought(*SUFFIX, part="")))


def labelled_pieces(pieces: Sequence[Piece], named: Mapping[str, Piece]) -> dict[str, Piece]:
    labels = {given_label(keyword): piece for keyword, piece in named.items()}
    found: dict[str, Piece] = {}
    for piece in pieces:
        found[free_label(label_of(strategy_of(piece)), {*found, *labels})] = piece
    return {**found, **labels}


def strategy_of(piece: Piece) -> Strategy | str:
    """The strategy of a piece.

    Raises:
        BuildError: `parts_invalid` for what is none.
    """
    found: object = piece.strategy if isinstance(piece, PartChoice) else piece
    if isinstance(found, str) or (not isinstance(found, type) and _builds(found)):
        return cast("Strategy | str", found)
    if isinstance(found, type):
        what = f"the class {found.__name__} is given as a part"
        raise BuildError("parts_invalid", what, f"write {found.__name__}()")
    raise BuildError(
        "parts_invalid",
        f"{found!r} is given as a part",
        "a part is a reference, an instance of a strategy, or part(…) with one of them",
    )


def _builds(value: object) -> bool:
    """By shape: a strategy of another base has `build_agent` only."""
    return callable(getattr(value, "build", None) or getattr(value, "build_agent", None))


def composition_name(name: str) -> str:
    """The name, when it is one.

    Raises:
        BuildError: `name_invalid`.
    """
    if not isinstance(name, str) or kebab(name) != name:
        raise BuildError(
            "name_invalid",
            f"{name!r} is no name for a composition",
            "names are kebab-case: lower-case letters, digits and single hyphens",
        )
    return name


def require(pieces: Mapping[str, Piece], count: int, what: str, example: str) -> None:
    if len(pieces) < count:
        raise BuildError("parts_missing", what, f"for example {example}")


def bringer(part: Part) -> Brought:
    """Who brought a part as a sub-agent: the part itself."""
    own = bringers(part.blueprint, "agent", "main")
    return Brought("subagent", part.label, part.label, own[0].commit if own else None)


def confirmations(subagents: Mapping[str, SubAgent]) -> list[Confirmation | None]:
    """What whole strategies among the sub-agents ask to have confirmed."""
    return [
        one.agent.confirmation for one in subagents.values() if isinstance(one.agent, Blueprint)
    ]
