"""What models were used: calls, tokens and dollars, by model.

The SDK keeps one `Metrics` for each LLM of a conversation, plus one entry `task:<id>`
for each sub-agent with everything below it. The functions here separate the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openhands.sdk import LLM
    from openhands.sdk.conversation.conversation_stats import ConversationStats

TASK_PREFIX: Final = "task:"
_MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens; `cached` for input read from the cache."""

    input: float
    output: float
    cached: float | None = None

    def cost(self, *, input_tokens: int, output_tokens: int, cached_tokens: int) -> float:
        """Dollars; `input_tokens` includes the cached ones."""
        cached = self.input if self.cached is None else self.cached
        fresh = max(0, input_tokens - cached_tokens)
        return (
            fresh * self.input + cached_tokens * cached + output_tokens * self.output
        ) / _MILLION


@dataclass(frozen=True)
class Usage:
    """Use of one model.

    Attributes:
        model: Name as the LLM has it.
        calls: Completed model calls.
        input_tokens: Prompt tokens, cached ones included.
        output_tokens: Completion tokens.
        cached_tokens: Prompt tokens that the provider read from its cache.
        cost_usd: Dollars counted by the SDK; 0 also where the price is unknown.
        priced: Whether the price is known, so that `cost_usd` means something.
    """

    model: str
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float = 0.0
    priced: bool = False

    def __add__(self, other: Usage) -> Usage:
        return replace(
            self,
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost_usd=self.cost_usd + other.cost_usd,
            priced=self.priced and other.priced,
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def own_usage(stats: ConversationStats, prices: Mapping[str, bool]) -> dict[str, Usage]:
    """Use of a conversation's own LLMs by model, its sub-agents left out.

    Args:
        stats: The conversation's statistics.
        prices: Model name to whether its price is known.
    """
    found: dict[str, Usage] = {}
    for usage_id, metrics in list(stats.usage_to_metrics.items()):
        if usage_id.startswith(TASK_PREFIX):
            continue
        costs: dict[str, float] = {}
        for cost in list(metrics.costs):
            costs[cost.model] = costs.get(cost.model, 0.0) + cost.cost
        for tokens in list(metrics.token_usages):
            model = tokens.model or metrics.model_name
            found[model] = found.get(model, _none(model, prices)) + Usage(
                model=model,
                calls=1,
                input_tokens=tokens.prompt_tokens,
                output_tokens=tokens.completion_tokens,
                cached_tokens=tokens.cache_read_tokens,
                priced=True,
            )
        for model, dollars in costs.items():
            found[model] = found.get(model, _none(model, prices)) + Usage(
                model=model, cost_usd=dollars, priced=True
            )
            # A cost that the provider or the SDK reported is a known price.
            found[model] = replace(found[model], priced=True)
    return found


def grown(
    earlier: Iterable[Usage], start: Mapping[str, Usage], now: Mapping[str, Usage]
) -> tuple[Usage, ...]:
    """An earlier account plus what a conversation has used since `start`.

    A conversation that is opened again begins with what the SDK wrote down last, which
    may lack the last calls of a killed process; only what comes after counts here.
    """
    found = {usage.model: usage for usage in earlier}
    for model, usage in now.items():
        base = start.get(model, Usage(model=model))
        since = replace(
            usage,
            calls=usage.calls - base.calls,
            input_tokens=usage.input_tokens - base.input_tokens,
            output_tokens=usage.output_tokens - base.output_tokens,
            cached_tokens=usage.cached_tokens - base.cached_tokens,
            cost_usd=usage.cost_usd - base.cost_usd,
        )
        found[model] = found[model] + since if model in found else since
    return tuple(found.values())


def _none(model: str, prices: Mapping[str, bool]) -> Usage:
    return Usage(model=model, priced=prices.get(model, False))


def own_cost(stats: ConversationStats) -> float:
    """Dollars of a conversation's own LLMs, without reading each call."""
    return sum(
        metrics.accumulated_cost
        for usage_id, metrics in list(stats.usage_to_metrics.items())
        if not usage_id.startswith(TASK_PREFIX)
    )


def total(usages: Iterable[Usage]) -> Usage:
    """Sum over models; `priced` only when every model with tokens has a price."""
    result = Usage(model="", priced=True)
    for usage in usages:
        result = result + (usage if usage.calls or usage.cost_usd else replace(usage, priced=True))
    return result


def known_price(llm: LLM) -> Price | None:
    """The price the SDK charges for this LLM, or None when nobody knows it.

    Its own `input_cost_per_token` and `output_cost_per_token` come first, then
    litellm's table. With own prices the SDK charges cached tokens as input.
    """
    if llm.input_cost_per_token is not None and llm.output_cost_per_token is not None:
        return Price(llm.input_cost_per_token * _MILLION, llm.output_cost_per_token * _MILLION)
    info = llm.model_info or {}
    per_input, per_output = info.get("input_cost_per_token"), info.get("output_cost_per_token")
    if not per_input and not per_output:
        return None
    per_cached = info.get("cache_read_input_token_cost")
    return Price(
        (per_input or 0.0) * _MILLION,
        (per_output or 0.0) * _MILLION,
        None if per_cached is None else per_cached * _MILLION,
    )
