"""What a run on the server does and costs: read from its files, also while it works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import Request

from openhands_strategies.errors import RunError, UsageError, describe
from openhands_strategies.runtime.history import FILE, read_views
from openhands_strategies.runtime.json_file import read_json
from openhands_strategies.runtime.report import role_rows
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.run_file import RunFile, conversation_key
from openhands_strategies.runtime.table import SUBAGENTS_DIR, TaskRecord, read_records
from openhands_strategies.runtime.usage import Price, total
from openhands_strategies.server.endings import Ended, ended, judged
from openhands_strategies.server.run_record import read_record, record_of
from openhands_strategies.server.upstream import call, refusal

if TYPE_CHECKING:
    from openhands.agent_server.config import Config

_RESULT_SHOWN = 20_000


async def run_report(request: Request, conversation_id: str) -> dict[str, Any]:
    """The report of one run.

    Raises:
        UsageError: `run_unknown` for a conversation that is not there, or that no strategy
            started.
        RunError: A file of the run cannot be read.
    """
    key = conversation_key(conversation_id)
    if key is None:
        raise _unknown(conversation_id)
    config: Config = request.app.state.config
    directory = config.conversations_path / key
    answer = await call(request, "GET", f"/api/conversations/{UUID(key)}")
    if answer.status_code == 404:
        raise _unknown(conversation_id)
    if answer.status_code >= 400:
        raise refusal(answer, "open the conversation")
    record = await asyncio.to_thread(read_record, directory) or record_of(answer.json())
    if record is None:
        raise _unknown(conversation_id)
    status = str(answer.json().get("execution_status", ""))
    end = await ended(request, UUID(key), status)
    record = replace(record, conversation_id=str(UUID(key)))
    return await asyncio.to_thread(_document, directory, record, end)


def _document(directory: Path, record: RunFile, end: Ended) -> dict[str, Any]:
    views = _views(directory, running=end.status == "running")
    tasks = {one.id: one for one in read_records(directory / SUBAGENTS_DIR)}
    main = next((one for one in views if one.key == MAIN), None)
    main_price = _main_price(record, main)
    rows = []
    for row in role_rows(views, main_price):
        of_role = [one for one in views if one.role == row.role]
        rows.append({**row.to_json(), **_state(of_role)})
    costs = [row["cost_usd"] for row in rows]
    status, error = judged(end, record, views)
    return {
        "conversation_id": record.conversation_id,
        "strategy": _origin(record.strategy),
        "layers": [_origin(one) for one in record.strategy.get("overlays") or ()],
        "reference": record.reference,
        "params": record.params,
        "overlays": record.overlays,
        "workspace": record.workspace,
        "created": record.created,
        "status": status,
        "answer": end.answer,
        "roles": rows,
        "subagents": [_subagent(one, tasks.get(one.key)) for one in views if one.key != MAIN],
        "cost_usd": None if None in costs else round(sum(costs), 9),
        "seconds": 0.0 if main is None else round(main.seconds, 3),
        "max_budget": record.max_budget,
        "error": error,
    }


def _origin(strategy: Mapping[str, Any]) -> dict[str, Any]:
    return {key: strategy.get(key) for key in ("name", "source", "commit", "tree")}


def _state(views: Sequence[RoleView]) -> dict[str, str]:
    """One state for a role: it works while one of its tasks does."""
    working = [one for one in views if one.state == "working"]
    shown = (working or list(views))[-1]
    return {"state": shown.state, "activity": shown.activity}


def _subagent(view: RoleView, task: TaskRecord | None) -> dict[str, Any]:
    usage = total(view.usage)
    return {
        "id": view.key,
        "role": view.role,
        "label": view.label,
        "model": view.model,
        "state": view.state,
        "activity": view.activity,
        "started": view.started,
        "seconds": round(view.seconds, 3),
        "calls": usage.calls,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "cost_usd": round(usage.cost_usd, 9) if usage.priced else None,
        "result": None if task is None else task.result[:_RESULT_SHOWN],
        "conversation_id": None if task is None else task.conversation_id,
    }


def _main_price(record: RunFile, main: RoleView | None) -> Price | None:
    pair = record.prices.get(main.model if main else "")
    return None if pair is None else Price(*pair)


def _views(directory: Path, *, running: bool) -> list[RoleView]:
    """Roles as they stand; `read_views` calls everyone at work interrupted."""
    views = read_views(directory)
    if not running:
        return views
    try:
        document = read_json(directory / FILE)
        written = (directory / FILE).stat().st_mtime
    except FileNotFoundError:
        return views
    except (OSError, ValueError) as error:
        raise RunError("fleet_unreadable", f"{directory}: {describe(error)}", "") from error
    states = {role["key"]: role["state"] for role in document["roles"]}
    since = max(0.0, time.time() - written)
    return [
        replace(one, state="working", seconds=one.seconds + since)
        if states.get(one.key) == "working"
        else one
        for one in views
    ]


def _unknown(conversation_id: str) -> UsageError:
    return UsageError(
        "run_unknown",
        f"no strategy run {conversation_id[:100]!r} on this server",
        "GET /api/conversations lists what there is",
    )
