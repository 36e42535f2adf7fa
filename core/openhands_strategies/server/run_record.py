"""`run.json` beside a conversation on the server: what it was started with."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openhands_strategies.errors import RunError, describe
from openhands_strategies.runtime.entries import TASK_TOOL_SET
from openhands_strategies.runtime.json_file import read_json, write_json
from openhands_strategies.runtime.run_file import FILE, VERSION, RunFile, plain_url
from openhands_strategies.runtime.usage import known_price

if TYPE_CHECKING:
    from openhands_strategies.runtime.prepare import Prepared
    from openhands_strategies.server.bodies import StartBody


def new_record(
    prepared: Prepared,
    body: StartBody,
    overlays: Sequence[str],
    workspace: Path,
    conversation_id: str,
) -> RunFile:
    """Describe a run that is about to start; the main model's price is always in it.

    Args:
        prepared: The strategy.
        body: The request.
        overlays: What the client laid over the strategy, then what the operator does.
        workspace: Where it works.
        conversation_id: The conversation that it is about to become.
    """
    llm = prepared.agent.llm
    profile = body.llm_profile
    main_price = known_price(llm)
    prices = {**({llm.model: main_price} if main_price else {}), **prepared.prices}
    return RunFile(
        conversation_id=conversation_id,
        reference=prepared.loaded.origin.reference,
        strategy=prepared.loaded.origin.model_dump(mode="json"),
        params=prepared.params,
        overlays=list(overlays),
        workspace=str(workspace),
        model=None if profile else llm.model,
        base_url=None if profile else plain_url(llm.base_url),
        profile=profile,
        prices={model: [one.input, one.output] for model, one in prices.items()},
        confirmation=prepared.confirmation,
        max_budget=prepared.limits.budget,
        created=time.time(),
        sdk=version("openhands-sdk"),
    )


def write_record(directory: Path, record: RunFile) -> None:
    write_json(directory / FILE, asdict(record))


def drop_record(directory: Path) -> None:
    """Take back the record of a start that failed."""
    with contextlib.suppress(OSError):
        (directory / FILE).unlink(missing_ok=True)
        # Only an empty directory goes: what upstream has written stays upstream's.
        directory.rmdir()


def read_record(directory: Path) -> RunFile | None:
    """The record of a conversation; None when no strategy started it.

    Raises:
        RunError: `run_unreadable`.
    """
    try:
        data: Any = read_json(directory / FILE)
        if not isinstance(data, dict) or data.get("version") != VERSION:
            raise ValueError(f"it is no run file of version {VERSION}")
        return RunFile(**{key: data[key] for key in RunFile.__dataclass_fields__ if key in data})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            "run_unreadable", f"{directory / FILE} cannot be read: {describe(error)}", ""
        ) from error


def record_of(conversation: Mapping[str, Any]) -> RunFile | None:
    """The record as the conversation's own agent tells it, where the file is missing.

    A fork has the agent of the conversation that it comes from, and no file.

    Args:
        conversation: Upstream's description of it.
    """
    tools = (conversation.get("agent") or {}).get("tools") or ()
    scope = next((one.get("params") for one in tools if one.get("name") == TASK_TOOL_SET), None)
    if not scope or not scope.get("strategy"):
        return None
    return RunFile(
        conversation_id=str(conversation.get("id", "")),
        reference=scope["strategy"]["reference"],
        strategy=scope["strategy"],
        params=scope.get("params") or {},
        workspace=str((conversation.get("workspace") or {}).get("working_dir", "")),
        prices=scope.get("prices") or {},
        overlays=[one["reference"] for one in scope["strategy"].get("overlays") or ()],
        max_budget=scope.get("budget"),
    )
