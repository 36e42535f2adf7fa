"""Agent profiles on disk: names, what is there already, and saving by upstream's own store."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openhands_strategies.errors import UsageError, describe

if TYPE_CHECKING:
    from openhands.sdk.profiles import ACPAgentProfile, OpenHandsAgentProfile

DEFAULT_LLM_PROFILE: Final = "default"
"""The LLM profile that upstream itself refers to where nobody names one."""

# Upstream's rule for both kinds of profiles; known here without the SDK.
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class LLMProfile:
    """An LLM profile that an agent profile refers to.

    Attributes:
        name: Its name.
        saved: Whether it is there.
        model: Its model, if it is there.
    """

    name: str
    saved: bool
    model: str | None = None


@dataclass(frozen=True)
class Saved:
    """A profile that was written.

    Attributes:
        path: Its file.
        profile: With the id and the revision that the store gave it.
    """

    path: Path
    profile: OpenHandsAgentProfile | ACPAgentProfile


def profile_name(text: str) -> str:
    """Return the name under which a profile is kept; `x.json` names the profile `x`.

    Raises:
        UsageError: `agent_profile_name`.
    """
    name = text.removesuffix(".json")
    if not NAME.fullmatch(name):
        raise UsageError(
            "agent_profile_name",
            f"{text!r} can be no name of an agent profile",
            "up to 64 letters, digits, '.', '_' and '-', a letter or a digit first",
        )
    return name


def find_llm_profile(name: str | None) -> LLMProfile:
    """Look an LLM profile up, without reading its key.

    Args:
        name: As the user gave it; None for upstream's default, which may be saved later.

    Raises:
        UsageError: `profile_missing` when the user names one that is not there.
    """
    from openhands.sdk.llm.llm_profile_store import LLMProfileStore
    from openhands.sdk.utils.path import get_user_persistence_dir

    try:
        store: Any = LLMProfileStore(get_user_persistence_dir() / "profiles")
        found = {str(one["name"]): one for one in store.list_summaries()}
    except OSError as error:
        raise _unusable("LLM profiles", error) from error
    wanted = (name or DEFAULT_LLM_PROFILE).removesuffix(".json")
    if wanted in found:
        return LLMProfile(wanted, saved=True, model=found[wanted]["model"] or None)
    if name is None:
        return LLMProfile(wanted, saved=False)
    raise UsageError(
        "profile_missing",
        f"there is no LLM profile {name!r}",
        f"saved profiles: {', '.join(sorted(found)) or 'none'}",
    )


def save_profile(profile: OpenHandsAgentProfile, *, force: bool) -> Saved:
    """Write a profile where an agent-server of this home finds it, whole or not at all.

    Args:
        profile: Its name rules; a profile that it replaces leaves it its id.
        force: Whether one of the same name may be replaced.

    Raises:
        UsageError: `agent_profile_taken` or `agent_profiles_unusable`.
    """
    from openhands.sdk.profiles import (
        AgentProfileStore,
        save_profile_preserving_identity,
    )
    from openhands.sdk.utils.path import get_user_persistence_dir

    try:
        # The agent-server's own expression: the store's default is fixed at its import.
        store = AgentProfileStore(get_user_persistence_dir() / "agent-profiles")
        file = f"{profile.name}.json"
        # One lock around the look and the write: two exports at once do not both win.
        with store.lock():
            if file in store.list() and not force:
                raise UsageError(
                    "agent_profile_taken",
                    f"there is an agent profile {profile.name!r} already",
                    "take another name, or replace it with --force",
                )
            saved = save_profile_preserving_identity(store, profile)
    except OSError as error:
        raise _unusable("agent profiles", error) from error
    return Saved(store.base_dir / file, saved)


def _unusable(what: str, error: OSError) -> UsageError:
    return UsageError(
        "agent_profiles_unusable",
        f"the SDK's {what} cannot be used: {describe(error)}",
        "check the directory that OH_PERSISTENCE_DIR names, ~/.openhands by default",
    )
