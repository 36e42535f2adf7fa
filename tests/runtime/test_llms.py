"""LLMs: from options and the environment, for another model, from a profile, per task."""

from __future__ import annotations

from typing import Any

import pytest

from openhands_strategies.errors import UsageError
from openhands_strategies.runtime.llms import (
    for_subagent,
    load_profile,
    main_llm,
    other_llm,
    redacted,
)
from openhands_strategies.runtime.usage import Price, known_price

KEY = "sk-very-secret-4711"


@pytest.fixture(autouse=True)
def _no_provider_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """litellm would take the key of whoever runs the tests."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def key_of(llm: Any) -> str | None:
    return None if llm.api_key is None else llm.api_key.get_secret_value()


def refusal(**options: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        main_llm(**options)
    assert KEY not in f"{caught.value.message} {caught.value.hint}"
    return caught.value


# The main LLM


def test_options_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_API_KEY", KEY)
    llm = main_llm(model="openai/main", base_url="http://127.0.0.1:9/v1")
    assert (llm.model, llm.base_url, llm.usage_id) == (
        "openai/main",
        "http://127.0.0.1:9/v1",
        "main",
    )
    assert key_of(llm) == KEY


def test_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MODEL", "openai/main")
    monkeypatch.setenv("LLM_API_KEY", KEY)
    monkeypatch.setenv("LLM_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("LLM_TEMPERATURE", "0.5")
    monkeypatch.setenv("LLM_NUM_RETRIES", "2")
    llm = main_llm()
    assert (llm.model, llm.base_url, llm.temperature, llm.num_retries) == (
        "openai/main",
        "http://127.0.0.1:9/v1",
        0.5,
        2,
    )
    assert key_of(llm) == KEY


def test_options_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MODEL", "openai/env")
    monkeypatch.setenv("LLM_API_KEY", KEY)
    monkeypatch.setenv("LLM_BASE_URL", "http://127.0.0.1:8/v1")
    llm = main_llm(model="openai/main", base_url="http://127.0.0.1:9/v1")
    assert (llm.model, llm.base_url) == ("openai/main", "http://127.0.0.1:9/v1")
    assert key_of(llm) == KEY


def test_what_was_set_for_one_model_does_not_go_to_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLM_MODEL", "openai/env")
    monkeypatch.setenv("LLM_API_KEY", KEY)
    monkeypatch.setenv("LLM_INPUT_COST_PER_TOKEN", "0.00001")
    monkeypatch.setenv("LLM_OUTPUT_COST_PER_TOKEN", "0.00004")
    assert known_price(main_llm()) == Price(pytest.approx(10.0), pytest.approx(40.0))
    assert known_price(main_llm(model="openai/no-such-model-4711")) is None


def test_no_model_says_which_variable() -> None:
    error = refusal()
    assert error.code == "model_missing"
    assert "--model" in error.hint
    assert "LLM_MODEL" in error.hint


def test_no_key_says_which_variable() -> None:
    error = refusal(model="openai/gpt-4o")
    assert error.code == "key_missing"
    assert "'openai/gpt-4o'" in error.message
    assert "LLM_API_KEY" in error.hint
    assert "OPENAI_API_KEY" in error.hint


def test_the_providers_own_variable_is_a_key_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert main_llm(model="openai/gpt-4o").model == "openai/gpt-4o"


def test_a_server_of_ones_own_needs_no_key() -> None:
    llm = main_llm(model="openai/local", base_url="http://127.0.0.1:9/v1")
    assert key_of(llm)


def test_a_value_that_the_sdk_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_API_KEY", KEY)
    monkeypatch.setenv("LLM_TEMPERATURE", "warm")
    error = refusal(model="openai/main")
    assert error.code == "llm_invalid"
    assert "temperature" in error.message


def test_the_users_price_is_the_llms() -> None:
    llm = main_llm(
        model="openai/main",
        base_url="http://127.0.0.1:9/v1",
        prices={"openai/main": Price(10.0, 40.0), "openai/cheap": Price(1.0, 4.0)},
    )
    assert known_price(llm) == Price(pytest.approx(10.0), pytest.approx(40.0))


# Profiles


def test_a_profile_brings_its_own_key_and_url(profiles: Any, make_llm: Any) -> None:
    saved = make_llm("openai/saved", api_key=KEY, base_url="http://127.0.0.1:7/v1")
    profiles.save("cheap", saved, include_secrets=True)
    llm = main_llm(profile="cheap")
    assert (llm.model, llm.base_url, llm.usage_id) == (
        "openai/saved",
        "http://127.0.0.1:7/v1",
        "main",
    )
    assert key_of(llm) == KEY
    assert load_profile("cheap.json").model == "openai/saved"


def test_a_profile_that_there_is_not_lists_those_there_are(profiles: Any, make_llm: Any) -> None:
    with pytest.raises(UsageError) as caught:
        load_profile("cheap")
    assert (caught.value.code, caught.value.hint) == ("profile_missing", "saved profiles: none")
    profiles.save("one", make_llm())
    profiles.save("two", make_llm())
    with pytest.raises(UsageError) as caught:
        load_profile("../one")
    assert caught.value.code == "profile_missing"
    assert caught.value.hint == "saved profiles: one, two"


def test_a_profile_that_cannot_be_read(profiles: Any) -> None:
    (profiles.base_dir / "odd.json").write_text("{broken")
    with pytest.raises(UsageError) as caught:
        load_profile("odd")
    assert caught.value.code == "profile_invalid"
    assert "'odd'" in caught.value.message


def test_a_model_and_a_profile_exclude_each_other(profiles: Any) -> None:
    assert refusal(model="m", profile="p").code == "llm_choice"


# Another model


def test_another_model_keeps_key_url_and_settings(make_llm: Any) -> None:
    llm = make_llm(api_key=KEY, temperature=0.25, num_retries=1, timeout=7)
    other = other_llm(llm, "openai/cheap")
    assert (other.model, other.base_url) == ("openai/cheap", llm.base_url)
    assert (other.temperature, other.num_retries, other.timeout) == (0.25, 1, 7)
    assert key_of(other) == KEY
    assert llm.model == "openai/main"


def test_another_model_does_not_keep_the_price_of_the_first(make_llm: Any) -> None:
    llm = make_llm(input_cost_per_token=1e-5, output_cost_per_token=4e-5)
    assert known_price(other_llm(llm, "openai/no-such-model-4711")) is None
    priced = other_llm(llm, "openai/cheap", {"openai/cheap": Price(1.0, 4.0)})
    assert known_price(priced) == Price(pytest.approx(1.0), pytest.approx(4.0))


def test_another_well_known_model_has_its_own_limits_and_price(make_llm: Any) -> None:
    llm = make_llm("openai/gpt-4o", base_url=None)
    other = other_llm(llm, "openai/gpt-4o-mini")
    first, second = known_price(llm), known_price(other)
    assert first is not None
    assert second is not None
    assert second.input < first.input


# For one task


def test_each_task_counts_for_itself(make_llm: Any) -> None:
    llm = make_llm(stream=True)
    llm.metrics.add_cost(0.5)
    one, other = for_subagent(llm, "one"), for_subagent(llm, "two")
    one.metrics.add_cost(0.25)
    assert (one.usage_id, other.usage_id) == ("one", "two")
    assert one.stream is False
    assert [each.metrics.accumulated_cost for each in (llm, one, other)] == [0.5, 0.25, 0.0]


# Keys


def test_a_key_is_taken_out_of_a_text(make_llm: Any) -> None:
    text = f"401: key {KEY} is wrong ({KEY})"
    assert redacted(text, make_llm(api_key=KEY)) == "401: key *** is wrong (***)"
    assert redacted(text, None) == text


def test_a_key_that_is_a_common_word_does_not_eat_the_text(make_llm: Any) -> None:
    assert redacted("any model", make_llm(api_key="any")) == "any model"
