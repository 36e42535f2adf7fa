"""Values that a strategy's parameters allow: at every bound, and drawn by hypothesis.

The bounds need no library and are the same on every machine. Hypothesis, where it is
installed, adds combinations; it is seeded by the parameters, so they are the same each time.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from openhands_strategies.params import StrategyParam

_LONG: Final = "long " * 400
_UNICODE: Final = "Größe 尺寸 \u202e✓ 'quoted' \"too\" ${HOME} {task}"
_MAX_CHOICES: Final = 8
_SET_EVERYWHERE: Final = "PATH"
# A text of which most values make no sense: it names something that has to be there.
_NAMING: Final = re.compile(
    r"(?i)(?:^|[^a-z])(?:models?|llms?|profiles?|paths?|files?|dir|director(?:y|ies)|folders?"
    r"|urls?|branch|ref|commits?|commands?|strateg(?:y|ies)|names?|ids?)(?:[^a-z]|$)"
)


@dataclass(frozen=True)
class Example:
    """Values to build with.

    Attributes:
        values: Parameter to value.
        about: What is special about them, in a few words.
        text: Whether a free text is, of which any may be given but not any makes sense.
    """

    values: Mapping[str, Any]
    about: str
    text: bool = False


def default_values(
    params: Sequence[StrategyParam], given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The given values, and made-up ones for what is required and has no default.

    Returns:
        The values, and the names of those that were made up.
    """
    values, made_up = dict(given), list[str]()
    for param in params:
        if param.required and param.default is None and param.name not in values:
            values[param.name] = _plausible(param)
            made_up.append(param.name)
    return values, made_up


def examples(
    params: Sequence[StrategyParam], base: Mapping[str, Any], *, drawn: int = 15
) -> Iterator[Example]:
    """Values one after the other: each parameter at its bounds, then combinations.

    Args:
        params: What the strategy declares.
        base: Values of the other parameters meanwhile.
        drawn: How many combinations hypothesis adds, where it is installed.
    """
    for param in params:
        for value in _bounds(param):
            about = f"{param.name}={_short(value)}"
            yield Example({**base, param.name: value}, about, _is_text(param))
    if importlib.util.find_spec("hypothesis") is not None:
        closed = [param for param in params if not param.secret and not _is_text(param)]
        for values in _drawn(closed, drawn) if closed else ():
            about = ", ".join(f"{name}={value!r}" for name, value in values.items())
            yield Example({**base, **values}, about)
        # One at a time: what comes of a text is judged otherwise than what comes of a number.
        for param in filter(_is_any_text, params):
            for values in _drawn([param], -(-drawn // 3)):
                about = f"{param.name}={_short(values[param.name])}"
                yield Example({**base, **values}, about, text=True)


def generator() -> str:
    """What `examples` uses, for the record."""
    found = importlib.util.find_spec("hypothesis") is not None
    return "bounds and hypothesis" if found else "bounds"


def _is_text(param: StrategyParam) -> bool:
    return param.type == "string" and not param.choices


def _is_any_text(param: StrategyParam) -> bool:
    """Whether it takes a text that, as far as its declaration says, names nothing."""
    if not _is_text(param) or param.secret:
        return False
    return not _NAMING.search(f"{param.name} {param.description}".replace("_", " "))


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) < 60 else f"{shown[:59]}…"


def _plausible(param: StrategyParam) -> Any:
    if param.secret:
        return _SET_EVERYWHERE
    if param.choices:
        return param.choices[0]
    if param.type == "boolean":
        return True
    if param.type == "string":
        return "text"
    low, high = _range(param)
    number = min(max(1, low), high)
    return int(number) if param.type == "integer" else float(number)


def _bounds(param: StrategyParam) -> list[Any]:
    if param.secret:
        return []
    if param.choices:
        return list(param.choices[:_MAX_CHOICES])
    if param.type == "boolean":
        return [True, False]
    if param.type == "string":
        return ["", _LONG, _UNICODE]
    low, high = _range(param)
    kind = int if param.type == "integer" else float
    return list(dict.fromkeys(kind(number) for number in (low, high)))


def _range(param: StrategyParam) -> tuple[float, float]:
    """The bounds of a number; where there is none, far out but not absurd."""
    low = param.minimum if param.minimum is not None else -1000
    high = param.maximum if param.maximum is not None else max(1000, low)
    if param.minimum is None and low > high:
        low = high
    if param.type == "integer":
        # 0.5 allows 1, and 2.5 allows 2.
        low, high = -(-low // 1), high // 1
    return low, high


def _drawn(params: Sequence[StrategyParam], count: int) -> list[dict[str, Any]]:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    found: list[dict[str, Any]] = []
    one_each = {param.name: _strategy(st, param) for param in params}

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.fixed_dictionaries(one_each))
    def collect(values: dict[str, Any]) -> None:
        found.append(values)

    collect()
    return found


def _strategy(st: Any, param: StrategyParam) -> Any:
    if param.choices:
        return st.sampled_from(list(param.choices))
    if param.type == "boolean":
        return st.booleans()
    if param.type == "string":
        return st.text(max_size=200)
    low, high = _range(param)
    if param.type == "integer":
        return st.integers(int(low), int(high))
    return st.floats(low, high, allow_nan=False, allow_infinity=False)
