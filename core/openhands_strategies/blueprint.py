"""What a strategy returns: one conversation, its sub-agents, hooks and limits, as data.

Nothing here imports the SDK; its types are named for the type checker only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal

from openhands_strategies.errors import BuildError

if TYPE_CHECKING:
    from openhands.sdk import LLM, Agent
    from openhands.sdk.hooks import HookConfig

Confirmation = Literal["never", "risky", "always"]
_STRICTNESS: Final = (None, "never", "risky", "always")

ESCALATION: Final = "ESCALATE_TO_MAIN"
"""First word of a sub-agent's answer that hands the work back to its parent."""


def strictest(*confirmations: Confirmation | None) -> Confirmation | None:
    """The one that asks most; None where nobody says anything."""
    return max(confirmations, key=_STRICTNESS.index, default=None)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one conversation run; None means no bound.

    Attributes:
        iterations: Agent steps in one run. A resumed run starts a new count.
        budget: US dollars. For a main agent, the whole fleet's; for a sub-agent, what
            one run of a task may spend, its own sub-agents included. Checked after
            each model call, so a run may exceed it by its last call.
        steps: Model calls of the whole: its own and those of every agent below it.
        warn_at: Share of the budget, above 0 and up to 1, at which the user is warned;
            for a main agent only.
    """

    iterations: int | None = None
    budget: float | None = None
    steps: int | None = None
    warn_at: float | None = None

    def __post_init__(self) -> None:
        if self.iterations is not None and self.iterations < 1:
            raise BuildError("limits", f"iterations {self.iterations} is below 1")
        if self.steps is not None and self.steps < 1:
            raise BuildError("limits", f"steps {self.steps} is below 1")
        if self.warn_at is not None and not 0 < self.warn_at <= 1:
            raise BuildError("limits", f"warn_at {self.warn_at} is no share from 0 to 1")
        if self.budget is not None and not self.budget > 0:
            raise BuildError("limits", f"budget {self.budget} is not above 0 dollars")

    def tightened(self, other: Limits) -> Limits:
        """The lower value of each limit; None is no bound."""
        return Limits(**{field.name: self._lower(other, field.name) for field in fields(self)})

    def _lower(self, other: Limits, name: str) -> Any:
        given = [getattr(one, name) for one in (self, other) if getattr(one, name) is not None]
        return min(given, default=None)


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
        rounds: How often it may be asked in one conversation; None means no bound.
        stops: Whether a task of it that does not complete ends the whole delegation:
            no other task is accepted until the user says something new.
        worktree: Whether each task works in a git worktree of its own, so that attempts
            at the same thing do not meet; the parent chooses whose changes are applied.
        check: Shell command that judges a worktree when its task has ended; exit code 0
            is a pass.
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
    rounds: int | None = None
    stops: bool = False
    worktree: bool = False
    check: str | None = None

    def __post_init__(self) -> None:
        if self.model is not None and self.profile is not None:
            raise BuildError(
                "llm_choice",
                f"a sub-agent has both model {self.model!r} and profile {self.profile!r}",
                "give one of them",
            )
        if self.rounds is not None and self.rounds < 1:
            raise BuildError("limits", f"rounds {self.rounds} is below 1")


@dataclass(frozen=True)
class Brought:
    """Which part brought an item of a blueprint.

    Attributes:
        kind: `agent`, `tool`, `subagent`, `skill`, `hook`, `mcp`, `suffix`, `prompt` or `limit`.
        name: Of the item; for a hook `event: command`, as it runs; for a limit that a
            sub-agent is declared with `alias/name`.
        part: Labels from the whole down to the part, joined with `/`; empty for the
            composition that is being built.
        commit: Commit id of the part's code, for a git source.
    """

    kind: str
    name: str
    part: str
    commit: str | None = None


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
        workers: Aliases of the sub-agents that do the work in the main agent's place, as
            the phases of a pipeline do; what an overlay brings goes to them.
        brought: Which part brought what; filled in when parts are put together.
    """

    agent: Agent
    subagents: Mapping[str, SubAgent] = field(default_factory=dict)
    hooks: HookConfig | None = None
    prompt: str = "{task}"
    limits: Limits = field(default_factory=Limits)
    confirmation: Confirmation | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    workers: tuple[str, ...] = ()
    brought: tuple[Brought, ...] = ()

    def first_message(self, task: str) -> str:
        """The user's task in this blueprint's prompt."""
        return self.prompt.replace("{task}", task)
