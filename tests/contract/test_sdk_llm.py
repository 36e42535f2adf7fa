"""LLM objects: dumps, copies, metrics, prices, and the store of profiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.contract

KEY = "sk-very-secret-4711"


def make(**fields: Any) -> Any:
    from openhands.sdk import LLM

    return LLM.model_validate({"model": "openai/gpt-4o", "api_key": KEY, **fields})


def test_a_dump_holds_the_key_only_when_asked() -> None:
    # llms.py builds another model's LLM from such a dump; agents are persisted without.
    llm = make()
    assert KEY not in llm.model_dump_json()
    exposed = llm.model_dump(mode="json", context={"expose_secrets": True}, exclude_none=True)
    assert exposed["api_key"] == KEY
    assert type(llm).model_validate(exposed).api_key.get_secret_value() == KEY


def test_a_persisted_agent_has_no_key() -> None:
    # run.json, tasks.json and the SDK's own files must never hold one.
    from openhands.sdk import Agent

    assert KEY not in Agent(llm=make(), tools=[]).model_dump_json()


def test_the_fields_that_belong_to_the_model() -> None:
    # llms.py leaves these out when it changes the model.
    from openhands.sdk import LLM

    from openhands_strategies.runtime.llms import _OF_THE_MODEL

    newer = {"profile_id"}
    assert set(_OF_THE_MODEL) - newer <= set(LLM.model_fields)


def test_an_llm_made_from_a_dump_knows_its_own_model() -> None:
    # A copy may keep the first model's price: on 1.21 it does.
    llm = make()
    data = llm.model_dump(mode="json", context={"expose_secrets": True}, exclude_none=True)
    keep = {
        key: value
        for key, value in data.items()
        if key not in ("max_input_tokens", "max_output_tokens")
    }
    other = type(llm).model_validate({**keep, "model": "openai/gpt-4o-mini"})
    assert other.model_info["input_cost_per_token"] < llm.model_info["input_cost_per_token"]


def test_a_copy_shares_its_account_until_it_is_reset() -> None:
    # for_subagent resets, or every sub-agent would be counted into its parent.
    llm = make()
    llm.metrics.add_cost(0.5)
    copied = llm.model_copy(update={"usage_id": "copied"})
    assert copied.metrics is llm.metrics
    copied.reset_metrics()
    assert copied.metrics is not llm.metrics
    assert (copied.metrics.accumulated_cost, llm.metrics.accumulated_cost) == (0, 0.5)


def test_the_price_of_a_known_model_and_of_an_unknown_one() -> None:
    # known_price reads litellm's table through `model_info`; without one it is unknown.
    info = make().model_info
    assert info["input_cost_per_token"] > 0
    assert info["output_cost_per_token"] > 0
    odd = make(model="openai/no-such-model-4711").model_info or {}
    assert not odd.get("input_cost_per_token")


def test_a_price_of_ones_own_stands_in_the_llm() -> None:
    llm = make(input_cost_per_token=1e-6, output_cost_per_token=4e-6)
    assert (llm.input_cost_per_token, llm.output_cost_per_token) == (1e-6, 4e-6)


def test_the_account_says_which_model_each_cost_belongs_to() -> None:
    # own_usage splits a conversation's account by model.
    llm = make(usage_id="main")
    llm.metrics.add_cost(0.25)
    llm.metrics.add_token_usage(
        prompt_tokens=10,
        completion_tokens=2,
        cache_read_tokens=4,
        cache_write_tokens=0,
        context_window=1000,
        response_id="r",
    )
    assert [(cost.model, cost.cost) for cost in llm.metrics.costs] == [(llm.model, 0.25)]
    (tokens,) = llm.metrics.token_usages
    assert (tokens.model, tokens.prompt_tokens, tokens.completion_tokens) == (llm.model, 10, 2)
    assert tokens.cache_read_tokens == 4


def test_the_store_of_profiles(tmp_path: Path) -> None:
    # load_profile lists names with `.json`, and turns ValueError into profile_invalid.
    from openhands.sdk.llm.llm_profile_store import LLMProfileStore

    store = LLMProfileStore(tmp_path)
    assert list(store.list()) == []
    store.save("cheap", make(), include_secrets=True)
    assert [name.removesuffix(".json") for name in store.list()] == ["cheap"]
    for name in ("cheap", "cheap.json"):
        assert store.load(name).api_key.get_secret_value() == KEY  # type: ignore[union-attr]
    with pytest.raises(FileNotFoundError):
        store.load("missing")
    (tmp_path / "odd.json").write_text("{broken")
    with pytest.raises(ValueError, match="odd"):
        store.load("odd")


def test_the_errors_that_we_tell_apart_by_name() -> None:
    # run.py says "refused the key" and "cannot be reached" from these names.
    from openhands.sdk.llm import exceptions

    for name in ("LLMAuthenticationError", "LLMServiceUnavailableError", "LLMTimeoutError"):
        assert issubclass(getattr(exceptions, name), Exception)
