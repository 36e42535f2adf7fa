"""From a request's body to a prepared strategy, and from there to upstream's conversation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fastapi import Request
from pydantic import ValidationError

from openhands_strategies.errors import LoadError, StrategyError
from openhands_strategies.runtime.building import check_params
from openhands_strategies.runtime.entries import TASK_TOOL_SET
from openhands_strategies.runtime.llms import other_llm, placeholder_llm
from openhands_strategies.runtime.loader import Loaded, load
from openhands_strategies.runtime.prepare import Prepared, Settings, prepare
from openhands_strategies.runtime.profiles import profiles_from
from openhands_strategies.runtime.usage import Price
from openhands_strategies.runtime.worktrees.repository import check_workspace
from openhands_strategies.server.bodies import OWN_TAGS, StartBody, workspace_of
from openhands_strategies.server.catalogue import Catalogue
from openhands_strategies.server.listed import Listed
from openhands_strategies.server.models import profile_llm, settings_llm
from openhands_strategies.server.problems import RequestError
from openhands_strategies.server.run_record import drop_record, new_record, write_record
from openhands_strategies.server.upstream import call, refusal
from openhands_strategies.sources.source import Located

if TYPE_CHECKING:
    from openhands.agent_server.config import Config
    from openhands.sdk import LLM, Agent

    from openhands_strategies.strategy import Blueprint

_log = logging.getLogger(__name__)
_MODULE = "openhands_strategies.server.extension"
_DEFAULT_ITERATIONS = 500


def prepared_run(
    catalogue: Catalogue, config: Config, name: str, body: StartBody, *, planning: bool = False
) -> tuple[Prepared, Path]:
    """Load and build the strategy for this request; runs its code, so not on the event loop.

    The order of checks is that of the command line: resolve, trust, load, parameters, LLM,
    workspace, build.

    Args:
        catalogue: What the server offers.
        config: The server's configuration.
        name: The strategy.
        body: The request.
        planning: Whether a server without an LLM is no reason to refuse.

    Raises:
        StrategyError: The first thing that is wrong.
    """
    setup = catalogue.setup
    loaded = _loaded(catalogue, catalogue.find(name), body.overlays)
    values = check_params(loaded, body.params, texts=body.params_as_texts)
    prices = {model: Price(*pair) for model, pair in body.prices.items()}
    llm = _main_llm(config, body.llm_profile, prices, planning=planning)
    here = config.conversation_runtime == "local"
    workspace = workspace_of(body, setup.workspaces, here=here)
    host = catalogue.host

    def adjust(blueprint: Blueprint, strategy: str, params: Mapping[str, Any]) -> Blueprint:
        return host.adjust(blueprint, strategy, params, _warn)

    settings = Settings(
        home=setup.home,
        max_budget=body.max_budget,
        prices=prices,
        confirmation=body.confirmation,
        priced=not planning,
    )

    def profile(wanted: str) -> LLM:
        naming = [param for param, value in values.items() if value == wanted]
        field = f"params.{naming[0]}" if len(naming) == 1 else ""
        return profile_llm(wanted, config, field=field)

    with profiles_from(profile):
        prepared = prepare(loaded, llm, values, settings, adjust=adjust)
    if here:
        check_workspace(prepared.scope.agents, workspace)
    return prepared, workspace


def _warn(error: StrategyError) -> None:
    _log.warning("%s [%s]", error.message, error.code)


def _loaded(catalogue: Catalogue, listed: Listed, overlays: list[str]) -> Loaded:
    """Load what is listed; its code is what was there when the server read it."""
    above = [*(_overlay(catalogue, one) for one in overlays), *listed.overlays]
    for one in (listed, *above):
        if one.error is not None:
            raise one.error.with_traceback(None)
    loaded = load(_place(listed), catalogue.setup.home, [_place(one) for one in above])
    origins = (loaded.origin, *loaded.origin.overlays)
    for one, origin in zip((listed, *above), origins, strict=True):
        if one.tree is not None and origin.tree != one.tree:
            raise LoadError(
                "strategy_changed",
                f"strategy {one.name!r} ({one.reference}) was changed since the server started",
                "restart the server",
            )
    return loaded


def _place(listed: Listed) -> Located:
    assert listed.located is not None  # noqa: S101  without an error it was found
    return listed.located


def _overlay(catalogue: Catalogue, name: str) -> Listed:
    """The overlay of this name: a client may name only what the operator serves."""
    found = next((one for one in catalogue.listed() if one.name == name), None)
    if found is None or found.located is None:
        names = ", ".join(one.name for one in catalogue.listed())
        raise RequestError(
            "overlay_unknown",
            f"this server has no strategy {name[:100]!r} to layer on top",
            f"it has: {names}",
            field="with",
        )
    return found


def _main_llm(
    config: Config, profile: str | None, prices: Mapping[str, Price], *, planning: bool
) -> LLM:
    try:
        if profile is None:
            llm = settings_llm(config)
        else:
            llm = profile_llm(profile, config, field="llm_profile")
    except RequestError as error:
        if not planning or error.code != "llm_missing":
            raise
        # A plan calls no model.
        llm = placeholder_llm()
    if llm.model in prices:
        llm = other_llm(llm, llm.model, prices)
    fresh = llm.model_copy(update={"usage_id": "main"})
    fresh.reset_metrics()
    return fresh


async def start(
    request: Request, catalogue: Catalogue, name: str, body: StartBody
) -> dict[str, Any]:
    """Start a conversation by upstream's public contract.

    Returns:
        `conversation_id`, and upstream's own description under `conversation`.
    """
    config: Config = request.app.state.config
    prepared, workspace = await asyncio.to_thread(prepared_run, catalogue, config, name, body)
    conversation_id = uuid4()
    payload = _payload(prepared, body, workspace, str(conversation_id))
    directory = config.conversations_path / conversation_id.hex
    # Before the conversation is: one that is found after a crash knows its strategy.
    overlays = [*body.overlays, *catalogue.setup.overlays]
    record = new_record(prepared, body, overlays, workspace, conversation_id.hex)
    await asyncio.to_thread(write_record, directory, record)
    answer = await call(request, "POST", "/api/conversations", payload)
    if answer.status_code >= 400:
        await asyncio.to_thread(drop_record, directory)
        raise refusal(answer, "start the conversation")
    return {"conversation_id": str(conversation_id), "conversation": answer.json()}


def _payload(
    prepared: Prepared, body: StartBody, workspace: Path, conversation_id: str
) -> dict[str, Any]:
    """The request of upstream's contract, as JSON with its secrets."""
    from openhands.sdk.conversation.request import StartConversationRequest

    origin = prepared.loaded.origin
    tags = {
        **{key: one for key, one in prepared.blueprint.tags.items() if key not in OWN_TAGS},
        **body.tags,
        "strategy": origin.name[:256],
        **({"strategycommit": origin.commit} if origin.commit else {}),
    }
    text = prepared.blueprint.first_message(body.task)
    policy, analyzer = _confirmation(prepared.confirmation)
    try:
        made = StartConversationRequest.model_validate(
            {
                "agent": _watched(prepared),
                "workspace": {"working_dir": str(workspace)},
                "conversation_id": conversation_id,
                "confirmation_policy": policy,
                "security_analyzer": analyzer,
                "initial_message": {"role": "user", "content": [{"type": "text", "text": text}]},
                "max_iterations": prepared.limits.iterations or _DEFAULT_ITERATIONS,
                "hook_config": prepared.hooks,
                "tags": tags,
                # Where the conversation is opened without our extension, this brings it.
                "tool_module_qualnames": {TASK_TOOL_SET: _MODULE},
                # A title by the main model would be a call outside the run's account.
                "autotitle": False,
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise RequestError("request_invalid", f"{field}: {first['msg']}", field=field) from error
    document: dict[str, Any] = made.model_dump(mode="json", context={"expose_secrets": True})
    return document


def _watched(prepared: Prepared) -> Agent:
    """The agent with our tool set, also where it delegates nothing: it keeps the account."""
    from openhands.sdk import Tool

    agent = prepared.agent
    if any(tool.name == TASK_TOOL_SET for tool in agent.tools):
        return agent
    tool = Tool(name=TASK_TOOL_SET, params=prepared.scope.to_params())
    return agent.model_copy(update={"tools": [*agent.tools, tool]})


def _confirmation(choice: str) -> tuple[Any, Any]:
    from openhands.sdk.security.confirmation_policy import (
        AlwaysConfirm,
        ConfirmRisky,
        NeverConfirm,
    )
    from openhands.sdk.security.llm_analyzer import LLMSecurityAnalyzer

    if choice == "risky":
        return ConfirmRisky(), LLMSecurityAnalyzer()
    return (AlwaysConfirm(), None) if choice == "always" else (NeverConfirm(), None)
