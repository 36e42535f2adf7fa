"""What the OpenHands CLI keeps for the user, and running it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openhands_strategies.errors import UsageError
from openhands_strategies.runtime.run_file import conversation_key

if TYPE_CHECKING:
    from openhands.sdk import LLM


def load_entry_point() -> None:
    """Import the CLI's entry module, which reads `.env` of the current directory."""
    importlib.import_module("openhands_cli.entrypoint")


def conversations_dir() -> Path:
    """Where the CLI keeps conversations, one directory for each."""
    locations = importlib.import_module("openhands_cli.locations")
    return Path(locations.get_conversations_dir())


def work_dir() -> Path:
    """Where the CLI lets agents work, but for editors, which say it for each session."""
    return Path(importlib.import_module("openhands_cli.locations").get_work_dir())


def resumed_id(resume: str | None, *, last: bool) -> str | None:
    """The conversation that will be resumed, as 32 hex digits; None for a new one or a list.

    Args:
        resume: What stands after `--resume`; empty when nothing does.
        last: Whether `--last` is given.

    Raises:
        UsageError: `run_unknown` when it is no id.
    """
    if resume is None:
        return None
    if not last:
        key = conversation_key(resume) if resume else None
        if resume and key is None:
            raise UsageError(
                "run_unknown",
                f"{resume!r} is no id of a conversation",
                "ohs openhands --resume lists the conversations; an id has 32 hex digits",
            )
        return key
    store = importlib.import_module("openhands_cli.conversations.store.local").LocalFileStore()
    latest = store.list_conversations(limit=1)
    return conversation_key(latest[0].id) if latest else None


def users_llm(*, environment: bool) -> LLM | None:
    """The model of the user's settings, or None before there are any.

    Args:
        environment: Whether `LLM_*` variables override them.
    """
    store = importlib.import_module("openhands_cli.stores.agent_store")
    agent = store.AgentStore().load_from_disk()
    overrides = store.LLMEnvOverrides.from_env(enabled=environment)
    if agent is not None:
        llm: LLM = store.apply_llm_overrides(agent.llm, overrides)
        return llm
    if overrides.api_key is None or overrides.model is None:
        return None
    from openhands.sdk import LLM

    return LLM(
        model=overrides.model,
        api_key=overrides.api_key,
        base_url=overrides.base_url,
        usage_id="agent",
    )


def run_upstream(rest: Sequence[str]) -> int:
    """Run the CLI with these arguments and return its exit code."""
    return ended(importlib.import_module("openhands_cli.entrypoint").main, rest)


def ended(function: Any, rest: Sequence[str]) -> int:
    """Call something of the CLI that reads `sys.argv`; whatever code it ends with is returned."""
    before, sys.argv = sys.argv, ["ohs openhands", *rest]
    try:
        function()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    finally:
        sys.argv = before
    return 0
