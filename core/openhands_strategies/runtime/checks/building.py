"""Builds with many values, and two builds with the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from openhands_strategies.errors import BuildError, StrategyError, UsageError, describe
from openhands_strategies.manifest.checks import Problem, make
from openhands_strategies.runtime.checks.values import Example
from openhands_strategies.runtime.plan import plan
from openhands_strategies.runtime.prepare import Prepared

Build = Callable[[Mapping[str, Any]], Prepared]

# The SDK writes the time of the build into the first, and never writes the others.
_VOLATILE: Final = frozenset(
    {"current_datetime", "api_key", "aws_access_key_id", "aws_secret_access_key"}
)


def generated_problems(
    build: Build, found: Iterable[Example], file: str, line: int, *, seconds: float
) -> Iterator[Problem]:
    """Build with each of the examples; a refusal on purpose is no problem.

    Args:
        build: Builds the strategy with some values.
        found: What to build with.
        file: Where the strategy is defined.
        line: In it.
        seconds: When to stop building.
    """
    end, told = time.monotonic() + seconds, set[str]()
    for number, example in enumerate(found):
        if time.monotonic() > end:
            yield make("params_untested", f"there was time for {number} builds only",
                       "make build() faster", file, line)  # fmt: skip
            return
        error: StrategyError
        try:
            build(example.values)
        except UsageError:
            continue  # the strategy says what is wrong with a value
        except StrategyError as problem:
            error = problem
        # Not of the strategy's code, which is caught: what the SDK makes of its values. A
        # text that it refuses, for example as a model's name, is the user's mistake.
        except Exception as problem:  # noqa: BLE001
            if example.text:
                continue
            error = BuildError("build_failed", describe(problem))
        else:
            continue
        what = error.message.rpartition(": ")[2] if error.code == "build_failed" else ""
        if (error.code + what) in told:
            continue
        told.add(error.code + what)
        yield make(
            "params_text" if example.text else "params_generated",
            f"with {example.about}: {error.message}",
            "narrow the parameter (choices, minimum, maximum), or raise ParameterError with"
            " what is allowed",
            file,
            line,
        )


def same_problems(one: Prepared, other: Prepared, file: str, line: int) -> Iterator[Problem]:
    """Two builds with the same values are the same: plan, agent and sub-agents."""
    forms = [
        {
            "plan": plan(made),
            "agent": made.agent.model_dump(mode="json"),
            "hooks": made.hooks.model_dump(mode="json") if made.hooks is not None else None,
            "prompt": made.blueprint.prompt,
        }
        for made in (one, other)
    ]
    where = difference(*(json.loads(json.dumps(form, default=str)) for form in forms))
    if where is not None:
        yield make(
            "plan_differs",
            f"two builds with the same parameters differ in {where}",
            "build from the parameters alone: no time, no random numbers, no state that is kept",
            file,
            line,
        )


def difference(one: Any, other: Any, path: str = "") -> str | None:
    """The first place where two JSON documents differ, dotted; None when they are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other} - _VOLATILE):
            inner = f"{path}.{key}" if path else str(key)
            if (key in one) != (key in other):
                return inner
            found = difference(one[key], other[key], inner)
            if found is not None:
                return found
        return None
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        found_in = (difference(a, b, f"{path}[{number}]") for number, (a, b) in pairs)
        return next((found for found in found_in if found is not None), None)
    return None if one == other else path or "all of it"
