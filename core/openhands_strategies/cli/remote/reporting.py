"""What the server says of a run, in the words of a local run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from openhands_strategies.cli.remote.address import Server
from openhands_strategies.cli.remote.answers import Layer, SaidRun
from openhands_strategies.cli.remote.matching import place_of
from openhands_strategies.cli.starting import Request
from openhands_strategies.cli.text import aligned, printable
from openhands_strategies.errors import RunError, StrategyError
from openhands_strategies.runtime.report import Report, Status

_STATUS: Final[dict[str, Status]] = {"finished": "finished", "limit": "limit"}
_STANDS: Final = ("paused", "running", "idle", "waiting_for_confirmation")
_WHY: Final = {"stuck": "the main agent repeats itself and gets nowhere"}
_ROUTE: Final = re.compile(r"POST /api/conversations/\S+ goes on")


def report_of(said: SaidRun, server: Server, *, stopped: bool, unstopped: str = "") -> Report:
    """The report of a run as a local one has it.

    Args:
        said: What the server said last.
        server: For the line that goes on with it.
        stopped: Whether the user stopped it.
        unstopped: Why the server did not stop it.
    """
    status: Status = _STATUS.get(said.status, "failed")
    if said.status in _STANDS or (stopped and unstopped):
        status = "interrupted"
    return Report(
        status=status,
        conversation_id=said.conversation_id,
        strategy={**_layer(said.strategy), "overlays": [_layer(one) for one in said.layers]},
        params=said.params,
        answer=said.answer if status == "finished" else "",
        roles=[one.row() for one in said.roles],
        seconds=said.seconds,
        error=_error(said, status, server, unstopped),
    )


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "source": layer.source,
        "commit": layer.commit,
        "tree": layer.tree,
    }


def _error(said: SaidRun, status: Status, server: Server, unstopped: str) -> StrategyError | None:
    if status == "finished":
        return None
    again = server.again(said.conversation_id)
    if status == "interrupted":
        if unstopped:
            return RunError(
                "not_stopped",
                f"the run may go on at {server.url}: it was not stopped ({unstopped})",
                again,
            )
        return RunError("interrupted", "the run was stopped", again)
    if said.error is None:
        why = _WHY.get(said.status, f"its status is {said.status!r}")
        return RunError("run_failed", f"strategy {said.strategy.name!r}: {why}", again)
    error = said.error.as_error()
    # A route is no help to who has a command line.
    error.hint = _ROUTE.sub(again, error.hint)
    return error


def preamble(
    run: SaidRun, request: Request, server: Server, notes: Sequence[str], *, can_ask: bool
) -> list[str]:
    """The lines that start a run.

    Args:
        run: What the server says of it.
        request: What was asked for.
        server: Where it runs.
        notes: What else should be known.
        can_ask: Whether somebody can answer questions.
    """
    limit = "" if run.max_budget is None else f"${run.max_budget:g} for the whole run"
    new = request.resume is None
    rows = [
        ("server", server.url),
        ("strategy", f"{run.strategy.name} from {place_of(run.strategy)}"),
        *(("with", f"{one.name} from {place_of(one)}") for one in run.layers),
        ("run", f"{run.conversation_id}{'' if new else ' (resumed)'}"),
        ("page", server.page(run.conversation_id)),
        ("workspace", f"{run.workspace} on the server"),
        *((("model", _model(request)),) if new else ()),
        *((("limits", limit),) if limit else ()),
        *((("confirmed", _confirmed(request, can_ask)),) if new else ()),
        *(("note", one) for one in notes),
    ]
    return aligned([(what, printable(text, 2000)) for what, text in rows])


def _model(request: Request) -> str:
    if request.profile is None:
        return "of the server's own settings"
    return f"of the server's LLM profile {request.profile!r}"


def _confirmed(request: Request, can_ask: bool) -> str:
    what = {
        None: "what the strategy itself wants confirmed",
        "never": "nothing: agents run commands without asking (--confirm risky asks)",
        "risky": "actions that the model itself calls risky, or whose risk it does not state",
        "always": "every action of the main agent; those of sub-agents are rejected",
    }[request.confirmation]
    if can_ask or request.confirmation == "never":
        return what
    return f"{what}; nobody can answer here, so these are rejected"
