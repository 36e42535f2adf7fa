"""From a loaded strategy and values to a blueprint: the strategy's own code, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openhands_strategies.compose.brought import attributed
from openhands_strategies.errors import BuildError, StrategyError, describe
from openhands_strategies.runtime.equip import has_task_tool
from openhands_strategies.runtime.hoisting import hoisted, inherits_servers
from openhands_strategies.runtime.llms import Prices, load_profile, other_llm
from openhands_strategies.runtime.loaded import Loaded
from openhands_strategies.runtime.loader import load
from openhands_strategies.runtime.parts import locate_part
from openhands_strategies.runtime.plugin_directory.files import with_plugin_files
from openhands_strategies.runtime.rfc import as_subagents, captured_registrations
from openhands_strategies.runtime.values import (
    check_params,
    declared_params,
    own_values,
    values_for,
)
from openhands_strategies.strategy import Blueprint, BuildContext, Part, Strategy

__all__ = ["build_blueprint", "check_params", "declared_params"]

if TYPE_CHECKING:
    from openhands.sdk import LLM

    from openhands_strategies.project.home import Home


def build_blueprint(
    loaded: Loaded,
    llm: LLM,
    params: Mapping[str, Any],
    *,
    home: Home,
    prices: Prices | None = None,
) -> Blueprint:
    """Run the strategy's `build` (or `build_agent`) and check what it returns.

    Its plugin files are added, and every item is marked with the part that brought it.

    Args:
        loaded: The strategy.
        llm: The main model.
        params: Validated parameters, those of parts as `label.name`.
        home: Where trees of other strategies go.
        prices: Prices that the user gave, by model.

    Returns:
        The blueprint, with the sub-agents that the strategy registered by name.

    Raises:
        BuildError: `build_failed` or `build_result`.
        StrategyError: What the strategy's own use of this package raises.
    """
    built = _build(loaded, llm, params, home, prices)
    marked = attributed(built, loaded.name, loaded.origin.commit, inside=False)
    return hoisted(marked, loaded.name) if inherits_servers() else marked


def _build(
    loaded: Loaded, llm: LLM, params: Mapping[str, Any], home: Home, prices: Prices | None
) -> Blueprint:
    def llms(model: str | None, profile: str | None) -> LLM:
        if model is not None and profile is not None:
            raise BuildError("llm_choice", "llm_for takes a model or a profile, not both")
        if profile is not None:
            return load_profile(profile)
        return other_llm(llm, model, prices) if model is not None else llm

    def part(label: str) -> Part:
        found = loaded.parts.get(label)
        if found is None:
            raise BuildError(
                "part_unknown",
                f"{loaded.where} has no part {label!r}",
                f"parts: {', '.join(loaded.parts) or 'none'}",
            )
        built = _build(found, llm, values_for(label, params), home, prices)
        strategy = found.strategy
        return Part(
            label=label,
            name=found.name,
            description=str(getattr(strategy, "description", "") or ""),
            blueprint=attributed(built, label, found.origin.commit),
            replaces=tuple(getattr(strategy, "replaces", ()) or ()),
            overlay=bool(getattr(strategy, "overlay", False)),
        )

    context = BuildContext(
        llm=llm,
        params=own_values(loaded, params),
        llms=llms,
        strategies=_resolver(loaded, home),
        blueprints=part,
    )
    where = loaded.where
    with captured_registrations() as captured:
        try:
            result = _call(loaded.strategy, context)
        except StrategyError:
            raise
        except (Exception, SystemExit) as error:
            raise BuildError(
                "build_failed", f"{where}: build raised {describe(error)}", "see --debug"
            ) from error
    blueprint = with_plugin_files(_checked(result, where), loaded)
    if not has_task_tool(blueprint.agent) and not blueprint.subagents:
        return blueprint
    registered = {**loaded.registered, **as_subagents(captured)}
    return replace(blueprint, subagents={**registered, **blueprint.subagents})


def _call(strategy: Strategy, context: BuildContext) -> object:
    """`build` where there is one; an RFC strategy of another base has only `build_agent`."""
    if callable(getattr(strategy, "build", None)):
        return strategy.build(context)
    return strategy.build_agent(context.llm, dict(context.params))


def _checked(result: object, where: str) -> Blueprint:
    from openhands.sdk import Agent

    blueprint = Blueprint(agent=result) if isinstance(result, Agent) else result
    if not isinstance(blueprint, Blueprint) or not isinstance(blueprint.agent, Agent):
        got = f"the class {result.__name__}" if isinstance(result, type) else type(result).__name__
        if isinstance(blueprint, Blueprint):
            got = f"a Blueprint whose agent is {type(blueprint.agent).__name__}"
        raise BuildError(
            "build_result",
            f"{where}: build returned {got}",
            "return a Blueprint, or an Agent from build_agent",
        )
    return blueprint


def _resolver(loaded: Loaded, home: Home) -> Callable[[str], Strategy]:
    def resolve(reference: str) -> Strategy:
        return load(locate_part(reference, loaded), home).strategy

    return resolve
