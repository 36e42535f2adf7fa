"""LLMs on the server: its saved profiles and its settings, keys decrypted by its cipher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openhands_strategies.errors import describe
from openhands_strategies.server.problems import RequestError

if TYPE_CHECKING:
    from openhands.agent_server.config import Config
    from openhands.sdk import LLM

# How the server's cipher begins what it has encrypted.
_CIPHERTEXT = "gAAAAA"


def profile_llm(name: str, config: Config, *, field: str = "") -> LLM:
    """Load a profile of the server's store.

    Args:
        name: Of the profile.
        config: The server's configuration.
        field: The part of a request that names it, where that is known.

    Raises:
        RequestError: `profile_missing`, `profile_invalid` or `profile_locked`.
    """
    from openhands.agent_server.persistence.store import get_llm_profile_store

    store = get_llm_profile_store()
    names = sorted(entry.removesuffix(".json") for entry in store.list())
    if name not in names:
        raise RequestError(
            "profile_missing",
            f"this server has no LLM profile {name[:100]!r}",
            f"saved profiles: {', '.join(names) or 'none'}",
            field=field,
        )
    try:
        llm = store.load(name, cipher=config.cipher)
    except (ValueError, KeyError, OSError) as error:
        raise RequestError(
            "profile_invalid",
            f"LLM profile {name!r}: {describe(error)}",
            "save it again",
            field=field,
        ) from error
    if _key(llm).startswith(_CIPHERTEXT):
        raise RequestError(
            "profile_locked",
            f"the key of LLM profile {name!r} was encrypted with another secret key",
            "start the server with that OH_SECRET_KEY, or save the profile again",
            field=field,
        )
    return llm


def settings_llm(config: Config) -> LLM:
    """The LLM of the server's own settings.

    Raises:
        RequestError: `llm_missing` when nobody has set one up.
    """
    from openhands.agent_server.persistence.store import get_settings_store

    try:
        settings = get_settings_store(config).load()
    except (ValueError, OSError) as error:
        raise _no_llm(f"its settings cannot be read: {describe(error)}") from error
    llm: Any = None if settings is None else getattr(settings.agent_settings, "llm", None)
    if llm is None:
        raise _no_llm("it has no settings")
    if not _key(llm) and not llm.base_url and not _key_in_environment(llm):
        raise _no_llm(f"its settings have no key for {llm.model!r}")
    chosen: LLM = llm
    return chosen


def _no_llm(why: str) -> RequestError:
    return RequestError(
        "llm_missing",
        f"no LLM is configured on this server: {why}",
        "name a saved profile as llm_profile, or PATCH /api/settings",
        field="llm_profile",
    )


def _key(llm: LLM) -> str:
    key = llm.api_key
    if key is None:
        return ""
    return key if isinstance(key, str) else key.get_secret_value()


def _key_in_environment(llm: LLM) -> bool:
    import litellm

    return bool(litellm.validate_environment(model=llm.model).get("keys_in_environment"))
