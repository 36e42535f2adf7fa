"""The protocol: what a strategy is, what it is given, and what it returns.

A simple strategy writes `build_agent`, as the RFC has it. One that needs sub-agents,
hooks, limits or a prompt template writes `build` and returns a `Blueprint`. Nothing
here imports the SDK; its types are named for the type checker only.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from openhands_strategies.blueprint import (
    ESCALATION,
    AgentSpec,
    Blueprint,
    Brought,
    Confirmation,
    Limits,
    SubAgent,
)
from openhands_strategies.errors import BuildError
from openhands_strategies.params import StrategyParam

if TYPE_CHECKING:
    from openhands.sdk import LLM, Agent

__all__ = [
    "ESCALATION",
    "AgentSpec",
    "Blueprint",
    "Brought",
    "BuildContext",
    "Confirmation",
    "Limits",
    "Strategy",
    "StrategyParam",
    "SubAgent",
]


class Strategy(ABC):
    """Turns an LLM and parameters into a configured agent.

    Attributes:
        name: kebab-case; the name that users type.
        description: One line for people.
        params: Declared parameters. Name, description and params are literals, so
            that they can be read without running the file.
        parts: Other strategies that this one is made of, by label: references or
            instances. Their parameters are offered as `label.name`.
        defaults: Values for parameters of parts, by `label.name`; the user's win.
        overlay: Whether it only adds to another strategy and cannot work alone.
        replaces: What it may take the place of in the strategy that it is laid over:
            `skill:NAME`, `tool:NAME`, `subagent:ALIAS` or `mcp:NAME`.
    """

    name: ClassVar[str] = ""
    description: ClassVar[str] = ""
    params: ClassVar[Sequence[StrategyParam]] = ()
    parts: ClassVar[Mapping[str, Strategy | str]] = MappingProxyType({})
    defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    overlay: ClassVar[bool] = False
    replaces: ClassVar[Sequence[str]] = ()

    def setup(self) -> None:
        """Called once after loading. What it registers globally is captured."""

    def build_agent(self, llm: LLM, params: dict[str, Any] | None = None) -> Agent:
        """Return the main agent; enough for a strategy without sub-agents."""
        raise BuildError(
            "not_implemented",
            f"strategy {self.name or type(self).__name__!r} has neither build nor build_agent",
            "write build(self, context) or build_agent(self, llm, params)",
        )

    def build(self, context: BuildContext) -> Blueprint:
        """Return everything one conversation needs; wraps `build_agent` by default."""
        return Blueprint(agent=self.build_agent(context.llm, dict(context.params)))


@dataclass(frozen=True)
class BuildContext:
    """What `Strategy.build` is given.

    Attributes:
        llm: The main model, ready to use.
        params: Validated parameters, one entry for each declared one; those of parts
            are not among them.
        llms: Makes another LLM; use `llm_for`.
        strategies: Finds another strategy; use `resolve`.
        blueprints: Builds a part; use `part`.
    """

    llm: LLM
    params: Mapping[str, Any]
    llms: Callable[[str | None, str | None], LLM] = field(repr=False)
    strategies: Callable[[str], Strategy] = field(repr=False)
    blueprints: Callable[[str], Part] = field(repr=False)

    def llm_for(self, model: str | None = None, *, profile: str | None = None) -> LLM:
        """Return a new LLM for another model at the same provider, or a saved profile.

        Args:
            model: Model name; key and base URL are those of the main model.
            profile: Name of an LLM profile; brings its own key and base URL.

        Raises:
            UsageError: `profile_missing`, or `llm_choice` when both are given.
        """
        return self.llms(model, profile)

    def resolve(self, reference: str) -> Strategy:
        """Return another strategy, loaded as `ohs run` would load it.

        Raises:
            StrategyError: Whatever resolving, trust or loading raises.
        """
        return self.strategies(reference)

    def part(self, label: str) -> Part:
        """Build one of `Strategy.parts`, with its parameters and plugin files.

        Raises:
            BuildError: `part_unknown`, or what building it raises.
        """
        return self.blueprints(label)


@dataclass(frozen=True)
class Part:
    """A part of a strategy, built.

    Attributes:
        label: Its label in `Strategy.parts`.
        name: The name that it has itself.
        description: What it says of itself.
        blueprint: What it built.
        replaces: What it says that it replaces.
        overlay: Whether it only adds to another strategy.
    """

    label: str
    name: str
    description: str
    blueprint: Blueprint
    replaces: tuple[str, ...] = ()
    overlay: bool = False
