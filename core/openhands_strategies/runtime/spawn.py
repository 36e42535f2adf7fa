"""Make a sub-agent: its LLM, its agent, its conversation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from openhands_strategies.compose.declared import declared_agent
from openhands_strategies.errors import BuildError, describe
from openhands_strategies.project.home import find_home
from openhands_strategies.runtime.building import build_blueprint
from openhands_strategies.runtime.entries import Entry, Scope
from openhands_strategies.runtime.equip import equip, has_task_tool, require_tools
from openhands_strategies.runtime.llms import for_subagent, load_profile, other_llm
from openhands_strategies.runtime.loader import load_again
from openhands_strategies.runtime.usage import Price
from openhands_strategies.strategy import AgentSpec, Blueprint, SubAgent

if TYPE_CHECKING:
    from openhands.sdk import LLM, Agent
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation
    from openhands.sdk.conversation.types import ConversationCallbackType


def prices_of(scope: Scope) -> dict[str, Price]:
    return {model: Price(*pair) for model, pair in scope.prices.items()}


def entry_llm(entry: Entry, parent: LLM, scope: Scope, usage_id: str) -> LLM:
    """The LLM of a sub-agent, with metrics of its own.

    Raises:
        UsageError: `profile_missing`.
    """
    if entry.llm.profile is not None:
        llm = load_profile(entry.llm.profile)
    elif entry.llm.model is not None and entry.llm.model != parent.model:
        llm = other_llm(parent, entry.llm.model, prices_of(scope))
    else:
        llm = parent
    return for_subagent(llm, usage_id)


def build_subagent(alias: str, scope: Scope, parent: Agent) -> Agent:
    """Return a new agent for one task of `alias`.

    Raises:
        StrategyError: `strategy_changed`, or what its own code raises.
    """
    entry = scope.agents[alias]
    where = f"sub-agent {'/'.join((*scope.path, alias))!r}"
    llm = entry_llm(entry, parent.llm, scope, alias)
    if entry.kind == "declared":
        agent = _declared(entry, llm, where)
    else:
        agent = _from_code(alias, entry, scope, llm, where)
    below = scope.below(alias)
    offered = (
        below if has_task_tool(agent) or entry.agents else below.model_copy(update={"agents": {}})
    )
    return _with_parents_mcp(parent, equip(agent, offered, where))


def _declared(entry: Entry, llm: LLM, where: str) -> Agent:
    require_tools([str(tool["name"]) for tool in entry.tools], where)
    condenser_llm = for_subagent(llm, "condenser")
    return declared_agent(
        entry.tools, entry.suffix, entry.concurrency, llm, condenser_llm=condenser_llm
    )


def _from_code(alias: str, entry: Entry, scope: Scope, llm: LLM, where: str) -> Agent:
    """Build the strategy again from the tree it started with and take this sub-agent."""
    if scope.strategy is None:
        raise BuildError(
            "strategy_source_unknown",
            f"{where} is built by Python code, but its strategy came from no file",
            "declare it with AgentSpec, or load the strategy from a file",
        )
    home = find_home()
    loaded = load_again(scope.strategy, home)
    blueprint = build_blueprint(loaded, llm, scope.params, home=home, prices=prices_of(scope))
    subagent = find_subagent(blueprint, (*scope.path, alias))
    made = subagent.agent
    if isinstance(made, AgentSpec):
        return _declared(entry, llm, where)
    if isinstance(made, Blueprint):
        named = entry.llm.model is not None or entry.llm.profile is not None
        return _own(made.agent, llm, inherit=named)
    try:
        agent = made(llm)
    except Exception as error:
        raise BuildError(
            "factory_failed", f"{where}: its factory raised {describe(error)}"
        ) from error
    return _own(agent, llm, inherit=False)


def find_subagent(blueprint: Blueprint, path: Sequence[str]) -> SubAgent:
    """Follow aliases from a blueprint down to a sub-agent.

    Raises:
        BuildError: `subagent_missing` when the strategy builds another set now.
    """
    table = blueprint.subagents
    for depth, alias in enumerate(path):
        if alias not in table:
            raise BuildError(
                "subagent_missing",
                f"the strategy no longer builds the sub-agent {'/'.join(path[: depth + 1])!r}",
                "start a new run",
            )
        subagent = table[alias]
        if isinstance(subagent.agent, Blueprint):
            table = subagent.agent.subagents
    return subagent


def _own(agent: Agent, llm: LLM, *, inherit: bool) -> Agent:
    """Give a built agent LLMs that count for this task only.

    Args:
        agent: What the strategy's code made.
        llm: The LLM that was meant for it.
        inherit: Whether `llm` replaces whatever the agent has.
    """
    own = llm if inherit or agent.llm is llm else for_subagent(agent.llm, llm.usage_id)
    update: dict[str, Any] = {"llm": own}
    condenser_llm = getattr(agent.condenser, "llm", None)
    if agent.condenser is not None and condenser_llm is not None:
        usage_id = condenser_llm.usage_id
        usage_id = "condenser" if usage_id == own.usage_id else usage_id
        fresh = for_subagent(condenser_llm, usage_id)
        update["condenser"] = agent.condenser.model_copy(update={"llm": fresh})
    return agent.model_copy(update=update)


def _with_parents_mcp(parent: Agent, agent: Agent) -> Agent:
    """On newer SDKs a sub-agent has exactly its parent's MCP servers."""
    try:
        from openhands.sdk.subagent.scope import inherit_mcp_config
    except ImportError:
        return agent
    return inherit_mcp_config(parent, agent)


def open_conversation(
    agent: Agent,
    parent: LocalConversation,
    *,
    entry: Entry,
    directory: Path,
    conversation_id: UUID,
    label: str,
    callback: ConversationCallbackType,
    base: Path | None = None,
) -> LocalConversation:
    """Open a new or an existing conversation of a sub-agent, with all its limits.

    The parent's visualizer, confirmation policy and security analyzer reach it, on a
    resumed task as on a new one. `base` stands for the parent's working directory where
    the task has a worktree.
    """
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation
    from openhands.sdk.hooks import HookConfig

    visualizer = parent._visualizer
    with _new_trace() as link:
        conversation = LocalConversation(
            agent=agent,
            workspace=workspace_of(entry, parent, base),
            visualizer=visualizer.create_sub_visualizer(label) if visualizer else None,
            persistence_dir=directory,
            conversation_id=conversation_id,
            max_iteration_per_run=entry.iterations or parent.max_iteration_per_run,
            hook_config=HookConfig.model_validate(entry.hooks) if entry.hooks else None,
            callbacks=[callback],
            delete_on_close=True,
            **_newer_arguments(parent, link),
        )
    conversation.set_confirmation_policy(parent.state.confirmation_policy)
    conversation.set_security_analyzer(parent.state.security_analyzer)
    return conversation


def workspace_of(entry: Entry, parent: LocalConversation, base: Path | None = None) -> Path:
    """A sub-agent's working directory; a relative one lies below the parent's.

    Args:
        entry: The sub-agent.
        parent: Who delegates.
        base: Its worktree, in place of the parent's directory.

    Raises:
        BuildError: `workspace_outside` for a relative path that leaves the parent's, or
            any that leaves a worktree.
    """
    own = base is not None
    base = (base or Path(parent.state.workspace.working_dir)).resolve()
    if entry.workspace is None:
        return base
    chosen = (base / entry.workspace).resolve()
    free = Path(entry.workspace).is_absolute() and not own
    if not free and not chosen.is_relative_to(base):
        raise BuildError(
            "workspace_outside",
            f"the workspace {entry.workspace!r} of a sub-agent leaves its parent's",
            "give a path below it, or an absolute one",
        )
    return chosen


def _newer_arguments(parent: LocalConversation, link: dict[str, Any]) -> dict[str, Any]:
    """What SDKs after 1.21 hand down to a sub-agent: traces, cache shard, MCP servers."""
    if not hasattr(parent, "get_llm_call_context"):
        return {}
    return {
        "_parent_llm_call_context": parent.get_llm_call_context(),
        "mcp_tool_provider": parent._mcp_tool_provider,
        "_mcp_config_from_parent": True,
        "prompt_cache_key": str(parent.state.id),
        "observability_metadata": {
            "is_delegate": True,
            "parent_session_id": str(parent.state.id),
            **link,
        },
        "observability_tags": ["delegate"],
    }


@contextmanager
def _new_trace() -> Iterator[dict[str, Any]]:
    """Start a trace of its own where the SDK traces at all."""
    try:
        from openhands.sdk.observability.laminar import detached_delegate_context
    except ImportError:
        yield {}
        return
    with detached_delegate_context() as link:
        yield dict(link)
