"""Tokens and dollars: own and sub-agents' apart, unknown prices never counted as zero."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openhands_strategies.runtime.usage import (
    Price,
    Usage,
    grown,
    known_price,
    own_cost,
    own_usage,
    total,
)

TOKENS = st.integers(min_value=0, max_value=10**7)
USAGES = st.builds(
    Usage,
    model=st.sampled_from(["a", "b"]),
    calls=TOKENS,
    input_tokens=TOKENS,
    output_tokens=TOKENS,
    cached_tokens=TOKENS,
    cost_usd=st.floats(min_value=0, max_value=100),
    priced=st.booleans(),
)


def metrics(model: str, *calls: tuple[int, int, int], cost: float | None = None) -> Any:
    """The SDK's account of calls (input, output, cached), each at `cost` dollars."""
    from openhands.sdk.llm.utils.metrics import Metrics

    found = Metrics(model_name=model)
    for number, (given_tokens, output, cached) in enumerate(calls):
        found.add_token_usage(
            prompt_tokens=given_tokens,
            completion_tokens=output,
            cache_read_tokens=cached,
            cache_write_tokens=0,
            context_window=1000,
            response_id=f"r{number}",
        )
        if cost is not None:
            found.add_cost(cost)
    return found


def stats(**by_usage: Any) -> Any:
    from openhands.sdk.conversation.conversation_stats import ConversationStats

    named = {name.replace("task_", "task:task_"): found for name, found in by_usage.items()}
    return ConversationStats(usage_to_metrics=named)


def test_the_price_of_fresh_cached_and_written_tokens() -> None:
    price = Price(10.0, 40.0, cached=1.0)
    tokens = {"input_tokens": 1_000_000, "output_tokens": 100_000, "cached_tokens": 400_000}
    assert price.cost(**tokens) == pytest.approx(6.0 + 0.4 + 4.0)
    # Without a price of its own, a cached token costs what a fresh one does.
    assert Price(10.0, 40.0).cost(**tokens) == pytest.approx(10.0 + 4.0)


def test_more_cached_than_given_tokens_never_cost_less_than_nothing() -> None:
    assert Price(10.0, 0.0, cached=0.0).cost(
        input_tokens=1, output_tokens=0, cached_tokens=5
    ) == pytest.approx(0.0)


def test_sub_agents_are_left_out_of_a_conversations_own() -> None:
    both = stats(
        main=metrics("openai/main", (100, 10, 0), (200, 20, 90), cost=0.25),
        task_1=metrics("openai/cheap", (1000, 100, 0), cost=0.1),
    )
    assert own_usage(both, {"openai/main": True}) == {
        "openai/main": Usage("openai/main", 2, 300, 30, 90, 0.5, priced=True)
    }
    assert own_cost(both) == pytest.approx(0.5)


def test_a_condenser_of_the_same_model_is_added_up() -> None:
    both = stats(
        main=metrics("openai/main", (100, 10, 0), cost=0.25),
        condenser=metrics("openai/main", (50, 5, 0), cost=0.125),
    )
    usage = own_usage(both, {"openai/main": True})["openai/main"]
    assert (usage.calls, usage.input_tokens, usage.cost_usd) == (2, 150, 0.375)


def test_two_models_are_kept_apart() -> None:
    both = stats(
        main=metrics("openai/main", (100, 10, 0), cost=0.25),
        condenser=metrics("openai/cheap", (50, 5, 0), cost=0.125),
    )
    usage = own_usage(both, {})
    assert {model: one.cost_usd for model, one in usage.items()} == {
        "openai/main": 0.25,
        "openai/cheap": 0.125,
    }


def test_tokens_without_a_price_have_no_known_cost() -> None:
    unknown = stats(main=metrics("openai/odd", (100, 10, 0)))
    assert own_usage(unknown, {"openai/odd": False})["openai/odd"].priced is False
    assert own_usage(unknown, {})["openai/odd"].priced is False
    # A model that is known to be free costs nothing, and that is known.
    assert own_usage(unknown, {"openai/odd": True})["openai/odd"].priced is True


def test_a_cost_that_was_reported_is_a_known_price() -> None:
    reported = stats(main=metrics("openai/odd", (100, 10, 0), cost=0.5))
    assert own_usage(reported, {"openai/odd": False})["openai/odd"].priced is True


def test_nothing_used_is_an_empty_account() -> None:
    assert own_usage(stats(), {}) == {}
    assert own_cost(stats()) == 0


@given(st.lists(USAGES, max_size=6))
def test_a_total_is_the_sum_and_known_only_if_all_of_it_is(usages: list[Usage]) -> None:
    summed = total(usages)
    assert summed.calls == sum(one.calls for one in usages)
    assert summed.input_tokens == sum(one.input_tokens for one in usages)
    assert summed.output_tokens == sum(one.output_tokens for one in usages)
    assert summed.cached_tokens == sum(one.cached_tokens for one in usages)
    assert summed.cost_usd == pytest.approx(sum(one.cost_usd for one in usages))
    assert summed.priced is all(one.priced for one in usages if one.calls or one.cost_usd)


@given(USAGES)
def test_usage_as_json_makes_the_same_usage(usage: Usage) -> None:
    assert Usage(**usage.to_json()) == usage


def test_an_account_grows_by_what_came_after_the_start() -> None:
    earlier = (Usage("a", 5, 500, 50, 100, 0.5, priced=True),)
    # What the SDK had written down when the process before was killed: less than `earlier`.
    start = {"a": Usage("a", 3, 300, 30, 0, 0.25, priced=True)}
    now = {
        "a": Usage("a", 4, 400, 45, 20, 0.375, priced=True),
        "b": Usage("b", 1, 10, 1, 0, 0.0, priced=False),
    }
    assert grown(earlier, start, now) == (
        Usage("a", 6, 600, 65, 120, 0.625, priced=True),
        Usage("b", 1, 10, 1, 0, 0.0, priced=False),
    )


@given(st.lists(USAGES, max_size=3, unique_by=lambda usage: usage.model))
def test_an_account_that_starts_now_has_not_grown(usages: list[Usage]) -> None:
    account = {usage.model: usage for usage in usages}
    assert total(grown(usages, account, account)).calls == total(usages).calls
    assert grown((), {}, account) == tuple(usages)


# Known prices


def test_the_users_price_comes_first(make_llm: Any) -> None:
    llm = make_llm("openai/gpt-4o", input_cost_per_token=1e-6, output_cost_per_token=4e-6)
    price = known_price(llm)
    assert price is not None
    assert (price.input, price.output) == (pytest.approx(1.0), pytest.approx(4.0))


def test_a_price_of_zero_is_a_price(make_llm: Any) -> None:
    llm = make_llm("openai/own", input_cost_per_token=0.0, output_cost_per_token=0.0)
    assert known_price(llm) == Price(0.0, 0.0)


def test_a_well_known_model_has_the_price_of_the_table(make_llm: Any) -> None:
    price = known_price(make_llm("openai/gpt-4o", base_url=None))
    assert price is not None
    assert 0 < price.input < price.output
    assert price.cached is not None
    assert price.cached < price.input


def test_a_price_that_nobody_knows(make_llm: Any) -> None:
    assert known_price(make_llm("openai/no-such-model-4711")) is None
