"""From a prepared strategy to an agent profile of the SDK, and to the agent it launches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from openhands_strategies.errors import BuildError, UsageError, describe
from openhands_strategies.runtime.agent_profile.tools import (
    is_foreign,
    served_tools,
    specs,
    usual_tools,
)
from openhands_strategies.runtime.prepare import Prepared
from openhands_strategies.runtime.values import declared_params

if TYPE_CHECKING:
    from openhands.sdk import LLM, Agent, Tool
    from openhands.sdk.profiles import OpenHandsAgentProfile
    from openhands.sdk.utils.cipher import Cipher

# Shorter values are words that any text may hold.
_SECRET_LENGTH = 8


def stand_in_llm(model: str | None) -> LLM:
    """Return an LLM to build with, which is never called.

    Its key, and its model where nobody knows it, are new each time, so that they can be
    found again where they must not be.

    Args:
        model: Model of the LLM profile that the agent profile will name, if it is known.

    Raises:
        UsageError: `llm_invalid`.
    """
    from openhands.sdk import LLM

    name = model or f"unknown-{uuid4().hex}"
    try:
        return LLM(model=name, api_key=f"none-{uuid4().hex}", usage_id="main")
    except ValueError as error:
        raise UsageError(
            "llm_invalid", f"model {name!r}: {describe(error)}", "correct the LLM profile"
        ) from error


def agent_profile(
    prepared: Prepared,
    name: str,
    llm_profile: str,
    *,
    llm: LLM,
    model_known: bool,
    environ: Mapping[str, str],
) -> OpenHandsAgentProfile:
    """Return the profile that comes nearest to a strategy's main agent.

    Args:
        prepared: The strategy, built with `llm`.
        name: Of the profile.
        llm_profile: Name of the LLM profile that it refers to.
        llm: What `stand_in_llm` returned.
        model_known: Whether that is the model of the LLM profile.
        environ: Variables that secret parameters name.

    Raises:
        BuildError: `agent_profile_refused` where the SDK's schema takes a value for wrong,
            `secret_in_profile` where the strategy built a secret into what it says.
        UsageError: `model_in_profile` where what it says names a model nobody knows yet.
    """
    from openhands.sdk.profiles import OpenHandsAgentProfile, safe_validation_error_detail
    from pydantic import ValidationError

    agent, context = prepared.agent, prepared.agent.agent_context
    try:
        made = OpenHandsAgentProfile(
            name=name,
            llm_profile_ref=llm_profile,
            tools=list(_tools(agent)),
            persona=agent.persona or None,
            system_message_suffix=context.system_message_suffix if context else None,
            disabled_skills=list(context.disabled_skills) if context else [],
            public_skills=None if context and context.load_public_skills else [],
            condenser=_condenser(agent),
            tool_concurrency_limit=agent.tool_concurrency_limit,
            mcp_server_refs=[],
        )
        # As it will be read again: what is set by default then counts as set.
        read = OpenHandsAgentProfile.model_validate_json(made.model_dump_json())
    except ValidationError as error:
        # Without the values: they may be anything.
        told = [
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in safe_validation_error_detail(error)
        ]
        raise BuildError(
            "agent_profile_refused",
            f"{prepared.loaded.where}: an agent profile refuses {'; '.join(told)}",
            "its author has to change what the message names",
        ) from error
    _refuse_strays(read, prepared, llm, environ, model_known=model_known)
    return read


def launched(profile: OpenHandsAgentProfile, llm: LLM) -> Agent:
    """The agent that a server launches from a profile, as far as the profile decides.

    Args:
        profile: The profile.
        llm: Stands for the LLM profile that it refers to.
    """
    from openhands.sdk.launch import LaunchRuntime, LaunchStores, finalize, resolve
    from openhands.sdk.skills import Skill

    # One skill in place of all that the user of the server has.
    skills = [Skill(name="skills of the user", content="-")]
    stores = LaunchStores(
        llm_profiles=_Only(llm),
        mcp_config={},
        skills=lambda: skills,
        public_skill_names=frozenset,
    )
    made: Any = finalize(resolve(profile, stores), LaunchRuntime(browser_available=True)).agent
    agent: Agent = made
    return agent


@dataclass(frozen=True)
class _Only:
    """A store of LLM profiles in which every name is the same one."""

    llm: LLM

    def load(self, name: str, *, cipher: Cipher | None = None) -> LLM:
        return self.llm


def _tools(agent: Agent) -> Iterator[Tool]:
    from openhands.sdk import Tool
    from openhands.sdk.tool.defaults import reject_builtin_params

    served, usual = served_tools(), usual_tools()
    for name, tool in specs(agent).items():
        if name not in served or is_foreign(tool.name) or (name in usual and not tool.params):
            continue
        try:
            plain = Tool.model_validate_json(tool.model_dump_json())
            reject_builtin_params([plain])
        except ValueError:
            continue  # no JSON, or not taken; the comparison names it
        yield plain


def _condenser(agent: Agent) -> Any:
    """Settings of a condenser as near as they come; the comparison says what differs."""
    from openhands.sdk.context.condenser import LLMSummarizingCondenser, NoOpCondenser
    from openhands.sdk.settings.model import (
        LLMSummarizingCondenserSettings,
        NoOpCondenserSettings,
    )

    given = agent.condenser
    if given is None:
        return LLMSummarizingCondenserSettings(enabled=False)
    if isinstance(given, NoOpCondenser):
        return NoOpCondenserSettings()
    if not isinstance(given, LLMSummarizingCondenser):
        return LLMSummarizingCondenserSettings()
    held = given.model_dump(mode="json", exclude={"llm"})
    fields = LLMSummarizingCondenserSettings.model_fields
    return LLMSummarizingCondenserSettings(
        **{name: value for name, value in held.items() if name in fields}
    )


def _refuse_strays(
    profile: OpenHandsAgentProfile,
    prepared: Prepared,
    llm: LLM,
    environ: Mapping[str, str],
    *,
    model_known: bool,
) -> None:
    """Stop when a secret, or what only stands for a model, was built into a text."""
    text, where = profile.model_dump_json(), prepared.loaded.where
    if not model_known and llm.model in text:
        raise UsageError(
            "model_in_profile",
            f"{where} builds the name of its model into what it says, and no model is known yet",
            "give the --llm-profile it is to work with, and save that one first",
        )
    held = [p.name for p in declared_params(prepared.loaded) if p.secret]
    names = {str(prepared.params[name]) for name in held if prepared.params.get(name)}
    secrets = {name: environ.get(name, "") for name in sorted(names | {"LLM_API_KEY"})}
    secrets["the key of its model"] = _key(llm)
    for name, value in secrets.items():
        if len(value) >= _SECRET_LENGTH and json.dumps(value)[1:-1] in _escaped(text):
            raise BuildError(
                "secret_in_profile",
                f"{where} builds a secret into what it says: {name}",
                "a profile is kept in clear; its author has to leave the value out",
            )


def _escaped(text: str) -> str:
    """JSON as Python's own module writes it, which escapes all that is not ASCII."""
    return json.dumps(json.loads(text))


def _key(llm: LLM) -> str:
    key = llm.api_key
    return "" if key is None else key if isinstance(key, str) else key.get_secret_value()
