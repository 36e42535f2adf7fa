"""Parameters of a strategy and of its parts: one schema, and whose value is whose.

A part's parameter is offered as `label.name`. The bare name is short for every part that
has it, as long as they agree on its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from openhands_strategies.errors import BuildError, ParameterError, describe
from openhands_strategies.params import StrategyParam, validate
from openhands_strategies.runtime.loaded import Loaded


def declared_params(loaded: Loaded) -> list[StrategyParam]:
    """The live strategy's parameters, then those of its parts as `label.name`.

    Raises:
        BuildError: `params_invalid` when `params` is no list of parameters,
            `default_unknown` when a composition gives a default to none.
    """
    params = getattr(loaded.strategy, "params", None) or []
    try:
        found = [_as_param(param) for param in params]
    except (TypeError, AttributeError) as error:
        raise BuildError(
            "params_invalid",
            f"strategy {loaded.name!r}: params is no list of StrategyParam ({describe(error)})",
            "write params = [StrategyParam(name=…, description=…)]",
        ) from error
    for label, part in loaded.parts.items():
        found += [replace(p, name=f"{label}.{p.name}") for p in declared_params(part)]
    return _with_defaults(found, loaded)


def _as_param(param: Any) -> StrategyParam:
    if isinstance(param, StrategyParam):
        return param
    return StrategyParam(
        name=param.name, description=param.description, type=param.type, default=param.default
    )


def _with_defaults(params: list[StrategyParam], loaded: Loaded) -> list[StrategyParam]:
    """What a composition sets in its parts, in place of their own defaults."""
    given: Mapping[str, Any] = getattr(loaded.strategy, "defaults", None) or {}
    unknown = sorted(set(given) - {param.name for param in params})
    if unknown:
        raise BuildError(
            "default_unknown",
            f"{loaded.where} gives a default to {unknown[0]!r}, which none of its parts has",
            f"parameters: {', '.join(p.name for p in params if '.' in p.name) or 'none'}",
        )
    return [replace(p, default=given[p.name]) if p.name in given else p for p in params]


def check_params(
    loaded: Loaded, values: Mapping[str, Any], *, texts: bool = False
) -> dict[str, Any]:
    """Validate values against the strategy's parameters; defaults are filled in.

    Returns:
        A value for each own parameter and for each part's, as `label.name`.

    Raises:
        ParameterError: An unknown, missing or unfit value; `parameter_conflict` for a bare
            name that parts have with different types.
    """
    params = declared_params(loaded)
    spread = _spread(params, values, loaded, _settled(loaded))
    return validate(params, spread, owner=loaded.name, texts=texts)


def _settled(loaded: Loaded) -> set[str]:
    """Parameters that a composition, outer or inner, has set itself."""
    found = set(getattr(loaded.strategy, "defaults", None) or {})
    for label, part in loaded.parts.items():
        found |= {f"{label}.{name}" for name in _settled(part)}
    return found


def _spread(
    params: list[StrategyParam], values: Mapping[str, Any], loaded: Loaded, settled: set[str]
) -> dict[str, Any]:
    """Give the value of a bare name to every part that has it."""
    known = {param.name for param in params}
    for name in dict.fromkeys(param.name.rpartition(".")[2] for param in params):
        if name not in known:
            _refuse_conflict(name, _meant(name, params), settled | (known & set(values)), loaded)
    found: dict[str, Any] = {}
    for name, value in values.items():
        meant = [] if name in known else _meant(name, params)
        # An unknown name stays, and is refused by the check of all values.
        found |= dict.fromkeys((param.name for param in meant), value) if meant else {name: value}
    return {**found, **{name: value for name, value in values.items() if name in known}}


def _meant(name: str, params: Iterable[StrategyParam]) -> list[StrategyParam]:
    return [param for param in params if param.name.endswith(f".{name}")]


def _refuse_conflict(
    name: str, params: list[StrategyParam], settled: set[str], loaded: Loaded
) -> None:
    """Parts that share a parameter with different types: each must be named in full."""
    open_ones = [param for param in params if param.name not in settled]
    if len({param.type for param in params}) < 2 or not open_ones:
        return
    one = params[0]
    other = next(param for param in params if param.type != one.type)
    raise ParameterError(
        "parameter_conflict",
        f"{loaded.where}: {one.name!r} and {other.name!r} share the parameter {name!r}, but one"
        f" is of type {one.type} and the other {other.type}",
        f"give each its own value: {' '.join(f'--param {p.name}=…' for p in open_ones)}",
        field=name,
    )


def values_for(label: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the part `label`, under the part's own names."""
    prefix = f"{label}."
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


def own_values(loaded: Loaded, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the strategy's own parameters."""
    prefixes = tuple(f"{label}." for label in loaded.parts)
    return {name: value for name, value in values.items() if not name.startswith(prefixes)}
