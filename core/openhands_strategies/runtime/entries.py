"""The JSON that the task tool set carries: which sub-agents it may start, and how.

It stands in the persisted agent, so a conversation can be resumed, or run on a server,
from it alone. It holds names, limits and texts, never a key.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from openhands_strategies.strategy import ESCALATION

TASK_TOOL_SET = "strategy_task_tool_set"
"""Name under which our tool set is registered with the SDK."""

MAX_DEPTH = 4
"""Levels of sub-agents below the main agent."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(_Frozen):
    """Where a strategy's code is, well enough to load the same code again.

    Attributes:
        name: The strategy's name.
        reference: What the user typed.
        source: `{type: path|distribution|…, …}` as in `list --json`.
        commit: Commit id for a git source.
        tree: Hash of the tree that was loaded.
        module: Entry file, relative to the tree; empty for a plugin directory without one.
        attribute: Class or instance in it.
        import_name: Dotted module of an installed distribution.
        parts: Label to origin, for a strategy that is made of others.
        overlays: What the user laid over it, innermost first.
    """

    name: str
    reference: str
    source: dict[str, Any]
    commit: str | None = None
    tree: str
    module: str
    attribute: str
    import_name: str | None = None
    parts: dict[str, Origin] = Field(default_factory=dict)
    overlays: tuple[Origin, ...] = ()


class ModelChoice(_Frozen):
    """Which LLM a sub-agent gets; neither model nor profile means its parent's."""

    model: str | None = None
    profile: str | None = None


class Entry(_Frozen):
    """One alias.

    Attributes:
        kind: `declared` needs nothing else; `code` is built from the strategy's tree.
        agents: Aliases below this one.
        same_scope: Whether the sub-agent, if it has a task tool, is offered what its
            parent is offered (strategies that register agents by name).
        prompt: First message; `{task}` stands for what the delegating agent asks.
        steps: Model calls of one run of it and everything below it.
        rounds, stops, worktree, check: As in `SubAgent`.
    """

    description: str
    kind: Literal["declared", "code"]
    llm: ModelChoice = ModelChoice()
    tools: tuple[dict[str, Any], ...] = ()
    suffix: str = ""
    concurrency: int = 1
    iterations: int | None = None
    budget: float | None = None
    hooks: dict[str, Any] | None = None
    after: tuple[str, ...] = ()
    workspace: str | None = None
    escalation: str = ESCALATION
    agents: dict[str, Entry] = Field(default_factory=dict)
    same_scope: bool = False
    prompt: str = "{task}"
    steps: int | None = None
    rounds: int | None = None
    stops: bool = False
    worktree: bool = False
    check: str | None = None


class Scope(_Frozen):
    """Parameters of one task tool set.

    Attributes:
        strategy: Where the code is; None when every entry is declared.
        params: The strategy's validated parameters.
        prices: Model to (input, output) dollars for a million tokens, as the user gave.
        agents: Alias to entry.
        path: Aliases from the main agent to the one that has this tool set.
        budget: Dollars of the whole fleet.
        steps: Model calls of the whole fleet.
        warn_at: Share of the budget at which the user and the main agent are told.
    """

    strategy: Origin | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    prices: dict[str, tuple[float, float]] = Field(default_factory=dict)
    agents: dict[str, Entry] = Field(default_factory=dict)
    path: tuple[str, ...] = ()
    budget: float | None = None
    steps: int | None = None
    warn_at: float | None = None

    def below(self, alias: str) -> Scope:
        """The scope of the sub-agent `alias`: its own aliases, one level down."""
        entry = self.agents[alias]
        agents = self.agents if entry.same_scope else entry.agents
        return self.model_copy(update={"agents": agents, "path": (*self.path, alias)})

    def to_params(self) -> dict[str, Any]:
        return self.model_dump(mode="json")
