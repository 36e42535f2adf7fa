"""The protocol: what a strategy is, what it is given, and what it returns.

A simple strategy writes `build_agent`, as the RFC has it. One that needs sub-agents,
hooks, limits or a prompt template writes `build` and returns a `Blueprint`. Nothing
here imports the SDK; its types are named for the type checker only.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from openhands_strategies.errors import BuildError
from openhands_strategies.params import StrategyParam

if TYPE_CHECKING:
    from openhands.sdk import LLM, Agent
    from openhands.sdk.hooks import HookConfig

Confirmation = Literal["never", "risky", "always"]

ESCALATION: Final = "ESCALATE_TO_MAIN"
"""First word of a sub-agent's answer that hands the work back to its parent."""


class Strategy(ABC):
    """Turns an LLM and parameters into a configured agent.

    Attributes:
        name: kebab-case; the name that users type.
        description: One line for people.
        params: Declared parameters. Name, description and params are literals, so
            that they can be read without running the file.
    """

    name: ClassVar[str] = ""
    description: ClassVar[str] = ""
    params: ClassVar[Sequence[StrategyParam]] = ()

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
        params: Validated parameters, one entry for each declared one.
        llms: Makes another LLM; use `llm_for`.
        strategies: Finds another strategy; use `resolve`.
    """

    llm: LLM
    params: Mapping[str, Any]
    llms: Callable[[str | None, str | None], LLM] = field(repr=False)
    strategies: Callable[[str], Strategy] = field(repr=False)

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


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one conversation run; None means no bound.

    Attributes:
        iterations: Agent steps in one run. A resumed run starts a new count.
        budget: US dollars. For a main agent, the whole fleet's; for a sub-agent, what
            one run of a task may spend. Checked after each model call, so a run may
            exceed it by its last call.
    """

    iterations: int | None = None
    budget: float | None = None

    def __post_init__(self) -> None:
        if self.iterations is not None and self.iterations < 1:
            raise BuildError("limits", f"iterations {self.iterations} is below 1")
        if self.budget is not None and not self.budget > 0:
            raise BuildError("limits", f"budget {self.budget} is not above 0 dollars")


@dataclass(frozen=True, kw_only=True)
class AgentSpec:
    """A sub-agent as declared data: survives a restart without its strategy's code.

    Attributes:
        tools: Tool names as the SDK registers them, or `{"name": …, "params": {…}}`.
        suffix: Appended to the system prompt; the trusted place for a role's protocol.
        concurrency: How many tool calls of one answer may run at the same time.
    """

    tools: Sequence[str | Mapping[str, Any]] = ()
    suffix: str = ""
    concurrency: int = 1


@dataclass(frozen=True, kw_only=True)
class SubAgent:
    """One alias that an agent may delegate to.

    Attributes:
        description: Shown to the delegating model.
        agent: Declared data, a whole blueprint, or a factory that takes an LLM.
        model: Model name; None means the parent's model.
        profile: LLM profile; excludes `model`.
        limits: Bounds of one run of a task.
        hooks: Hooks of this sub-agent, after those of the main agent.
        after: Aliases that must have completed a task before.
        workspace: Working directory, relative to the parent's; None means the parent's.
        escalation: First word of an answer that hands the work back.
    """

    description: str
    agent: AgentSpec | Blueprint | Callable[[LLM], Agent]
    model: str | None = None
    profile: str | None = None
    limits: Limits = field(default_factory=Limits)
    hooks: HookConfig | None = None
    after: Sequence[str] = ()
    workspace: str | None = None
    escalation: str = ESCALATION

    def __post_init__(self) -> None:
        if self.model is not None and self.profile is not None:
            raise BuildError(
                "llm_choice",
                f"a sub-agent has both model {self.model!r} and profile {self.profile!r}",
                "give one of them",
            )


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """Everything one conversation needs.

    Attributes:
        agent: The main agent. Its `tool_concurrency_limit` bounds parallel delegation.
        subagents: Alias to sub-agent; offered to the main agent and to nobody else.
        hooks: Hooks of the main agent and of every sub-agent.
        prompt: First message; `{task}` stands for the user's task.
        limits: Iterations of the main agent, dollars of the whole fleet.
        confirmation: Which actions need a yes; None leaves it to the user.
        tags: Conversation tags: keys `[a-z0-9]+`, values up to 256 characters.
    """

    agent: Agent
    subagents: Mapping[str, SubAgent] = field(default_factory=dict)
    hooks: HookConfig | None = None
    prompt: str = "{task}"
    limits: Limits = field(default_factory=Limits)
    confirmation: Confirmation | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def first_message(self, task: str) -> str:
        """The user's task in this blueprint's prompt."""
        return self.prompt.replace("{task}", task)
