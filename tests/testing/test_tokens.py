"""Counting, caching and pricing of tokens, against sums done by hand."""

from __future__ import annotations

import http.client
import itertools
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from openhands_strategies.testing import (
    Call,
    Price,
    Reply,
    ScriptedModel,
    count_tokens,
    say,
)
from openhands_strategies.testing.tokens import PromptCache, output_tokens, prompt_parts

SYSTEM = {"role": "system", "content": "You are careful."}
USER = {"role": "user", "content": "Begin."}
ASSISTANT = {"role": "assistant", "content": "Done."}


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("üü", 1), ("€€", 2)]
)
def test_one_token_per_four_bytes(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def test_prompt_counts_canonical_json() -> None:
    # {"content":"Begin.","role":"user"} has 34 bytes.
    assert prompt_parts([{"role": "user", "content": "Begin."}], []) == [
        '{"content":"Begin.","role":"user"}'
    ]
    assert PromptCache().admit("m", prompt_parts([USER], [])) == (9, 0)


def test_tools_are_the_first_part() -> None:
    tools = [{"type": "function", "function": {"name": "look"}}]
    assert len(prompt_parts([USER], tools)) == 2
    assert "look" in prompt_parts([USER], tools)[0]


def test_output_counts_text_names_and_arguments() -> None:
    calls = [Call("look", {"at": "x"})]  # {"at":"x"} has 10 bytes
    assert output_tokens("abcdefgh", calls) == 2 + 1 + 3
    assert output_tokens(None, []) == 1


def test_cache_is_the_longest_common_row_of_parts() -> None:
    cache = PromptCache()
    system, user, assistant = (
        count_tokens(part) for part in prompt_parts([SYSTEM, USER, ASSISTANT], [])
    )
    assert cache.admit("m", prompt_parts([SYSTEM, USER], [])) == (system + user, 0)
    longer = prompt_parts([SYSTEM, USER, ASSISTANT], [])
    assert cache.admit("m", longer) == (system + user + assistant, system + user)
    assert cache.admit("m", prompt_parts([SYSTEM, ASSISTANT], []))[1] == system
    assert cache.admit("m", prompt_parts([USER, SYSTEM], []))[1] == 0
    assert cache.admit("m", longer)[1] == system + user + assistant


def test_cache_is_kept_per_model_and_per_tools() -> None:
    cache = PromptCache()
    cache.admit("a", prompt_parts([SYSTEM], []))
    assert cache.admit("b", prompt_parts([SYSTEM], []))[1] == 0
    assert cache.admit("a", prompt_parts([SYSTEM], [{"function": {"name": "x"}}]))[1] == 0


def test_cached_sum_does_not_depend_on_the_order() -> None:
    prompts = [[SYSTEM], [SYSTEM, USER], [SYSTEM, ASSISTANT], [SYSTEM, USER, ASSISTANT]]
    sums = set()
    for order in itertools.permutations(prompts):
        cache = PromptCache()
        sums.add(sum(cache.admit("m", prompt_parts(prompt, []))[1] for prompt in order))
    assert len(sums) == 1


def test_price() -> None:
    assert Price(3, 15).cost(1_000_000, 100_000) == pytest.approx(4.5)
    assert Price(3, 15).cost(1_000_000, 0, 400_000) == pytest.approx(3.0)
    assert Price(3, 15, cached=0.3).cost(1_000_000, 0, 400_000) == pytest.approx(1.92)
    assert Price(3, 15).input_per_token == pytest.approx(3e-6)
    assert Price(3, 15).output_per_token == pytest.approx(15e-6)


def ask(model: ScriptedModel, name: str, messages: list[dict[str, str]]) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(model.base_url).netloc, timeout=10)
    body = json.dumps({"model": name, "messages": messages})
    connection.request("POST", "/v1/chat/completions", body)
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_served_account() -> None:
    prices = {"dear": Price(10, 50, cached=1), "cheap": Price(1, 5)}
    with ScriptedModel(lambda turn: say("x" * 40), prices=prices) as model:
        ask(model, "dear", [SYSTEM, USER])
        usage = ask(model, "dear", [SYSTEM, USER, ASSISTANT])["usage"]
        ask(model, "cheap", [USER])
    system, user, assistant = (
        count_tokens(part) for part in prompt_parts([SYSTEM, USER, ASSISTANT], [])
    )
    assert usage["prompt_tokens_details"] == {"cached_tokens": system + user}
    dear, cheap = model.by_model()["dear"], model.by_model()["cheap"]
    assert (dear.calls, dear.output_tokens, cheap.calls) == (2, 20, 1)
    assert dear.input_tokens == 2 * (system + user) + assistant
    assert dear.cached_tokens == system + user
    by_hand = ((system + user + assistant) * 10 + (system + user) * 1 + 20 * 50) / 1e6
    assert dear.cost_usd == pytest.approx(by_hand)
    assert cheap.cost_usd == pytest.approx((user * 1 + 10 * 5) / 1e6)
    assert model.total_cost() == pytest.approx(by_hand + (user * 1 + 10 * 5) / 1e6)


def test_a_price_nobody_knows_is_unknown() -> None:
    with ScriptedModel(lambda turn: Reply(text="x"), prices={"a": Price(1, 1)}) as model:
        ask(model, "a", [USER])
        assert model.total_cost() is not None
        ask(model, "b", [USER])
    assert model.total_cost() is None
    assert model.by_model()["b"].cost_usd is None
    assert model.by_model()["a"].cost_usd == pytest.approx((9 + 1) / 1e6)
