"""From a loaded strategy and values to a blueprint: the strategy's own code, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openhands_strategies.errors import BuildError, StrategyError, describe
from openhands_strategies.params import StrategyParam, validate
from openhands_strategies.runtime.equip import has_task_tool
from openhands_strategies.runtime.llms import Prices, load_profile, other_llm
from openhands_strategies.runtime.loader import Loaded, load
from openhands_strategies.runtime.rfc import as_subagents, captured_registrations
from openhands_strategies.strategy import Blueprint, BuildContext, Strategy

if TYPE_CHECKING:
    from openhands.sdk import LLM

    from openhands_strategies.project.home import Home


def declared_params(loaded: Loaded) -> list[StrategyParam]:
    """The live strategy's parameters, those of another `StrategyParam` class included.

    Raises:
        BuildError: `params_invalid` when `params` is no list of parameters.
    """
    params = getattr(loaded.strategy, "params", None) or []
    try:
        return [_as_param(param) for param in params]
    except (TypeError, AttributeError) as error:
        raise BuildError(
            "params_invalid",
            f"strategy {loaded.name!r}: params is no list of StrategyParam ({describe(error)})",
            "write params = [StrategyParam(name=…, description=…)]",
        ) from error


def _as_param(param: Any) -> StrategyParam:
    if isinstance(param, StrategyParam):
        return param
    return StrategyParam(
        name=param.name, description=param.description, type=param.type, default=param.default
    )


def check_params(
    loaded: Loaded, values: Mapping[str, Any], *, texts: bool = False
) -> dict[str, Any]:
    """Validate values against the strategy's parameters; defaults are filled in.

    Raises:
        ParameterError: An unknown, missing or unfit value.
    """
    return validate(declared_params(loaded), values, owner=loaded.name, texts=texts)


def build_blueprint(
    loaded: Loaded,
    llm: LLM,
    params: Mapping[str, Any],
    *,
    home: Home,
    prices: Prices | None = None,
    base: Path | None = None,
) -> Blueprint:
    """Run the strategy's `build` (or `build_agent`) and check what it returns.

    Args:
        loaded: The strategy.
        llm: The main model.
        params: Validated parameters.
        home: Where trees of other strategies go.
        prices: Prices that the user gave, by model.
        base: Directory that relative references of the strategy start from.

    Returns:
        The blueprint, with the sub-agents that the strategy registered by name.

    Raises:
        BuildError: `build_failed` or `build_result`.
        StrategyError: What the strategy's own use of this package raises.
    """

    def llms(model: str | None, profile: str | None) -> LLM:
        if model is not None and profile is not None:
            raise BuildError("llm_choice", "llm_for takes a model or a profile, not both")
        if profile is not None:
            return load_profile(profile)
        return other_llm(llm, model, prices) if model is not None else llm

    context = BuildContext(
        llm=llm, params=dict(params), llms=llms, strategies=_resolver(home, base or Path.cwd())
    )
    where = f"strategy {loaded.name!r} ({loaded.origin.reference})"
    with captured_registrations() as captured:
        try:
            result = _call(loaded.strategy, context)
        except StrategyError:
            raise
        except (Exception, SystemExit) as error:
            raise BuildError(
                "build_failed", f"{where}: build raised {describe(error)}", "see --debug"
            ) from error
    blueprint = _checked(result, where)
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


def _resolver(home: Home, base: Path) -> Callable[[str], Strategy]:
    def resolve(reference: str) -> Strategy:
        from openhands_strategies.registry.catalog import resolve as find

        return load(find(reference, base=base), home).strategy

    return resolve
