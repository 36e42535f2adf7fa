"""How a run on the server ended: its answer, or what stopped it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fastapi import Request

from openhands_strategies.errors import RunError
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.run_file import RunFile
from openhands_strategies.server.upstream import call

_LIMITS: Final = frozenset({"MaxIterationsReached", "MaxBudgetReached"})


@dataclass(frozen=True)
class Ended:
    """What upstream knows of a conversation's state.

    Attributes:
        status: Upstream's execution status.
        answer: Last words of a finished run.
        code, detail: Upstream's last error, where the status is `error`.
    """

    status: str
    answer: str = ""
    code: str = ""
    detail: str = ""


async def ended(request: Request, conversation_id: UUID, status: str) -> Ended:
    """Ask upstream how a conversation ended; one that works is asked nothing."""
    base = f"/api/conversations/{conversation_id}"
    if status == "finished":
        final = await call(request, "GET", f"{base}/agent_final_response")
        text = str(final.json().get("response", "")) if final.status_code == 200 else ""
        return Ended(status, text)
    if status == "error":
        query = "kind=ConversationErrorEvent&sort_order=TIMESTAMP_DESC&limit=1"
        found = await call(request, "GET", f"{base}/events/search?{query}")
        items: Sequence[Any] = found.json().get("items", ()) if found.status_code == 200 else ()
        if items:
            return Ended(status, "", str(items[0].get("code")), str(items[0].get("detail")))
    return Ended(status)


def judged(
    end: Ended, record: RunFile, views: Sequence[RoleView]
) -> tuple[str, dict[str, str] | None]:
    """The run's status, `limit` where a bound ended it, and the error that says why."""
    where = f"strategy {record.strategy.get('name')!r}"
    again = f"POST /api/conversations/{record.conversation_id}/run goes on"
    if end.status == "error":
        if end.code in _LIMITS:
            return "limit", RunError("limit_reached", f"{where}: {end.detail}", again).to_json()
        detail = end.detail or "it was interrupted, perhaps by a crash of the server"
        return "error", RunError("run_failed", f"{where}: {detail}", again).to_json()
    main = next((one for one in views if one.key == MAIN), None)
    if end.status != "paused" or main is None or main.state != "limit":
        return end.status, None
    spent = sum(one.cost_usd for one in views)
    if record.max_budget is not None and spent >= record.max_budget:
        text = f"${spent:.4f} of ${record.max_budget:g} are spent"
        hint = "start a new run with a higher max_budget"
        return "limit", RunError("budget_spent", f"{where} was stopped: {text}", hint).to_json()
    text = "all model calls that the run may make are made"
    return "limit", RunError("limit_reached", f"{where} was stopped: {text}", again).to_json()
