"""LLMs: from settings, for another model, from a saved profile, fresh for a sub-agent."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.errors import UsageError, describe
from openhands_strategies.runtime.profiles import profile_source
from openhands_strategies.runtime.usage import Price

if TYPE_CHECKING:
    from openhands.sdk import LLM

# Fields that belong to one model or one object; a new model finds its own.
_OF_THE_MODEL: Final = {
    "model_canonical_name",
    "max_input_tokens",
    "max_output_tokens",
    "input_cost_per_token",
    "output_cost_per_token",
    "custom_tokenizer",
    "profile_id",
}

Prices = Mapping[str, Price]

PLACEHOLDER: Final = "placeholder"
"""Model name in a plan where the user has not chosen one."""


def main_llm(
    *,
    model: str | None = None,
    base_url: str | None = None,
    profile: str | None = None,
    prices: Prices | None = None,
) -> LLM:
    """Return the main LLM from options, then from `LLM_*` as the SDK reads them.

    Raises:
        UsageError: `model_missing`, `key_missing`, `profile_missing`, `llm_choice`,
            `llm_invalid`.
    """
    from openhands.sdk import LLM

    if profile is not None:
        if model is not None:
            raise UsageError(
                "llm_choice", "--model and --llm-profile exclude each other", "give one of them"
            )
        return _with_price(_changed(load_profile(profile), usage_id="main"), prices)
    name = model or os.environ.get("LLM_MODEL")
    if not name:
        raise UsageError(
            "model_missing",
            "no model is set",
            "give --model or --llm-profile, or set LLM_MODEL (and LLM_API_KEY)",
        )
    changes = {"model": name, "usage_id": "main", **({"base_url": base_url} if base_url else {})}
    try:
        llm = LLM.model_validate({**_from_environment(name), **changes})
    except ValueError as error:
        raise UsageError(
            "llm_invalid", f"model {name!r}: {describe(error)}", "check the LLM_* variables"
        ) from error
    return _with_price(_with_key(llm), prices, name)


def placeholder_llm(model: str | None = None) -> LLM:
    """Return an LLM for a plan, which calls no model: no key, no base URL.

    Args:
        model: What `--model` says; `LLM_MODEL`, then a placeholder, by default.

    Raises:
        UsageError: `llm_invalid`.
    """
    from openhands.sdk import LLM

    name = model or os.environ.get("LLM_MODEL") or PLACEHOLDER
    try:
        return LLM(model=name, api_key="not-needed", usage_id="main")
    except ValueError as error:
        raise UsageError(
            "llm_invalid", f"model {name!r}: {describe(error)}", "name a model of the SDK"
        ) from error


def _from_environment(model: str) -> dict[str, Any]:
    """The fields that `LLM_*` variables set, as `LLM.load_from_env` reads them.

    That function itself needs `LLM_MODEL`. Limits and prices that were set for the model
    in `LLM_MODEL` stay with that model.
    """
    from openhands.sdk import LLM

    given: dict[str, Any] = {}
    for field in LLM.model_fields:
        text = os.environ.get(f"LLM_{field.upper()}")
        if text:
            given[field] = _value(text)
    if os.environ.get("LLM_MODEL", model) == model:
        return given
    return {key: value for key, value in given.items() if key not in _OF_THE_MODEL}


def _value(text: str) -> Any:
    """Lists and objects are JSON; pydantic reads numbers and booleans from text itself."""
    if text[0] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _with_key(llm: LLM) -> LLM:
    """Refuse a hosted model without a key; a server of one's own may need none."""
    if llm.api_key is not None:
        return llm
    if llm.base_url:
        return _changed(llm, api_key="not-needed")
    import litellm

    known = litellm.validate_environment(model=llm.model)
    if not known.get("keys_in_environment"):
        missing = ", ".join(known.get("missing_keys") or []) or "LLM_API_KEY"
        raise UsageError(
            "key_missing",
            f"no key for model {llm.model!r}",
            f"set LLM_API_KEY (or {missing})" if missing != "LLM_API_KEY" else "set LLM_API_KEY",
        )
    return llm


def _changed(llm: LLM, **changes: Any) -> LLM:
    """A new LLM from the dump: a copy would keep what belongs to the old model."""
    data = llm.model_dump(mode="json", context={"expose_secrets": True}, exclude_none=True)
    if changes.get("model", llm.model) != llm.model:
        data = {key: value for key, value in data.items() if key not in _OF_THE_MODEL}
    return type(llm).model_validate({**data, **changes})


def _with_price(llm: LLM, prices: Prices | None, typed: str = "") -> LLM:
    # The SDK rewrites some names (`openhands/…`); the user's own spelling counts too.
    price = (prices or {}).get(llm.model) or (prices or {}).get(typed)
    if price is None:
        return llm
    return _changed(
        llm,
        input_cost_per_token=price.input / 1_000_000,
        output_cost_per_token=price.output / 1_000_000,
    )


def other_llm(llm: LLM, model: str, prices: Prices | None = None) -> LLM:
    """Return an LLM for `model` with the key, base URL and settings of `llm`.

    Raises:
        UsageError: `llm_invalid` for what is no model's name.
    """
    try:
        return _with_price(_changed(llm, model=model), prices, model)
    except ValueError as error:
        raise UsageError(
            "llm_invalid", f"model {model!r}: {describe(error)}", "give a model's name"
        ) from error


def load_profile(name: str) -> LLM:
    """Return a saved LLM profile; on a server, one of the server's.

    Raises:
        UsageError: `profile_missing`, with the names there are.
    """
    source = profile_source()
    if source is not None:
        return source(name)
    from openhands.sdk.llm.llm_profile_store import LLMProfileStore

    store = LLMProfileStore()
    names = sorted(entry.removesuffix(".json") for entry in store.list())
    if name.removesuffix(".json") not in names:
        raise UsageError(
            "profile_missing",
            f"there is no LLM profile {name!r}",
            f"saved profiles: {', '.join(names) or 'none'}",
        )
    try:
        return store.load(name)
    except ValueError as error:
        raise UsageError(
            "profile_invalid", f"LLM profile {name!r}: {describe(error)}", "save it again"
        ) from error


def for_subagent(llm: LLM, usage_id: str) -> LLM:
    """Return a copy that counts for itself: new metrics, no streaming, own usage id."""
    fresh = llm.model_copy(update={"usage_id": usage_id, "stream": False})
    fresh.reset_metrics()
    return fresh


def redacted(text: str, llm: LLM | None) -> str:
    """Take the LLM's key out of a text that goes to a person, a model or a file."""
    if llm is None or llm.api_key is None:
        return text
    key = llm.api_key if isinstance(llm.api_key, str) else llm.api_key.get_secret_value()
    return text.replace(key, "***") if len(key) >= 8 else text
