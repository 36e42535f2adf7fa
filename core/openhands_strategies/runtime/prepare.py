"""From a loaded strategy, a model and parameters to everything a conversation needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openhands_strategies.errors import UsageError
from openhands_strategies.project.home import Home
from openhands_strategies.runtime.building import build_blueprint, check_params
from openhands_strategies.runtime.entries import Entry, Scope
from openhands_strategies.runtime.equip import entries_of, equip
from openhands_strategies.runtime.loaded import Loaded
from openhands_strategies.runtime.spawn import entry_llm
from openhands_strategies.runtime.task_tools import register_task_tools
from openhands_strategies.runtime.usage import Price, known_price
from openhands_strategies.strategy import Blueprint, Confirmation, Limits

if TYPE_CHECKING:
    from openhands.sdk import LLM, Agent
    from openhands.sdk.hooks import HookConfig

Adjust = Callable[[Blueprint, str, Mapping[str, Any]], Blueprint]


@dataclass(frozen=True)
class Settings:
    """What the user says beside the strategy's own parameters.

    Attributes:
        max_budget: Dollars of the whole fleet; the strategy's own bound stays if lower.
        prices: Model name to price, where the user knows better than the SDK.
        confirmation: Which actions are confirmed; None leaves it to the strategy.
        home: Where store and runs are.
        priced: Whether a budget needs the prices of all models; a plan does without.
    """

    home: Home
    max_budget: float | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)
    confirmation: Confirmation | None = None
    priced: bool = True


@dataclass(frozen=True)
class Model:
    """A model that a role of the fleet uses; `price` is None when nobody knows it."""

    role: str
    name: str
    price: Price | None


@dataclass(frozen=True)
class Prepared:
    """A strategy that is ready to start.

    Attributes:
        loaded: The strategy.
        params: Validated parameters.
        agent: The main agent, with skills and the task tool set.
        scope: What the task tool set offers.
        hooks: Hooks of the main agent.
        blueprint: What the strategy built, after adjustments.
        limits: Bounds of the run, the user's included.
        confirmation: Which actions are confirmed.
        models: Model of each role.
        prices: Prices that the user gave, by model.
    """

    loaded: Loaded
    params: dict[str, Any]
    agent: Agent
    scope: Scope
    hooks: HookConfig | None
    blueprint: Blueprint
    limits: Limits
    confirmation: Confirmation
    models: tuple[Model, ...]
    prices: Mapping[str, Price]


def prepare(
    loaded: Loaded,
    llm: LLM,
    params: Mapping[str, Any],
    settings: Settings,
    *,
    texts: bool = False,
    adjust: Adjust | None = None,
) -> Prepared:
    """Build a strategy and make its blueprint ready to start.

    Args:
        loaded: The strategy.
        llm: The main model.
        params: The user's values.
        settings: Budget, prices, confirmation.
        texts: Whether the values are texts of a command line.
        adjust: Changes the blueprint before it is made ready (hook plugins).

    Raises:
        ParameterError: A value that does not fit.
        BuildError: A blueprint that cannot be used.
        UsageError: `price_unknown` when a budget cannot be enforced.
    """
    values = check_params(loaded, params, texts=texts)
    refuse_overlay(loaded)
    blueprint = build_blueprint(loaded, llm, values, home=settings.home, prices=settings.prices)
    if adjust is not None:
        blueprint = adjust(blueprint, loaded.name, values)
    where = loaded.where
    hooks = blueprint.hooks
    limits = blueprint.limits.tightened(Limits(budget=settings.max_budget))
    confirmation = settings.confirmation or blueprint.confirmation or "never"
    scope = Scope(
        strategy=loaded.origin,
        params=values,
        prices={model: (price.input, price.output) for model, price in settings.prices.items()},
        agents=entries_of(blueprint.subagents, fleet_hooks=hooks, where=where),
        budget=limits.budget,
        steps=limits.steps,
        warn_at=limits.warn_at,
    )
    register_task_tools()
    agent = equip(blueprint.agent, scope, where)
    models = (
        Model("main", agent.llm.model, known_price(agent.llm)),
        *_models_below(blueprint, scope.agents, agent.llm, scope),
    )
    if limits.budget is not None and settings.priced:
        _require_prices(models)
    return Prepared(
        loaded=loaded,
        params=values,
        agent=agent,
        scope=scope,
        hooks=hooks,
        blueprint=blueprint,
        limits=limits,
        confirmation=confirmation,
        models=models,
        prices=settings.prices,
    )


def refuse_overlay(loaded: Loaded) -> None:
    """An overlay only adds to another strategy.

    Raises:
        UsageError: `overlay_alone`.
    """
    if getattr(loaded.strategy, "overlay", False):
        raise UsageError(
            "overlay_alone",
            f"{loaded.where} is an overlay: it adds to another strategy and does no work alone",
            f"ohs run single --with {loaded.origin.reference}",
        )


def _models_below(
    blueprint: Blueprint, entries: Mapping[str, Entry], parent: LLM, scope: Scope, above: str = ""
) -> Iterator[Model]:
    """The model of each sub-agent, nested ones included, as it will be when it starts.

    A factory that brings an LLM of its own is known only then; until then it counts as
    its parent's.
    """
    for alias, entry in entries.items():
        llm, role = entry_llm(entry, parent, scope, alias), f"{above}{alias}"
        inner = blueprint.subagents[alias].agent
        if isinstance(inner, Blueprint):
            if entry.llm.model is None and entry.llm.profile is None:
                llm = inner.agent.llm
            yield Model(role, llm.model, known_price(llm))
            yield from _models_below(inner, entry.agents, llm, scope, f"{role}/")
        else:
            yield Model(role, llm.model, known_price(llm))


def _require_prices(models: tuple[Model, ...]) -> None:
    unknown = sorted({model.name for model in models if model.price is None})
    if unknown:
        options = " ".join(f"--price {name}=IN,OUT" for name in unknown)
        raise UsageError(
            "price_unknown",
            f"a budget needs prices, and nobody knows that of {', '.join(unknown)}",
            f"give it in dollars for a million tokens: {options}",
        )
