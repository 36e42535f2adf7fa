"""One run on a server, from the options to the report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from openhands_strategies.cli.confirming import can_ask
from openhands_strategies.cli.fetch_progress import fetch_progress
from openhands_strategies.cli.frame import Frame
from openhands_strategies.cli.remote.address import Server
from openhands_strategies.cli.remote.answers import (
    Offer,
    accepted,
    offers_in,
    started_in,
)
from openhands_strategies.cli.remote.body import check_usage, start_body
from openhands_strategies.cli.remote.client import Client, NoAnswerError
from openhands_strategies.cli.remote.confirming import go_on
from openhands_strategies.cli.remote.following import WAITS, Followed, report_on
from openhands_strategies.cli.remote.matching import (
    Meant,
    find_meant,
    matching_offer,
    place_of,
    serve_line,
)
from openhands_strategies.cli.remote.reporting import preamble, report_of
from openhands_strategies.cli.remote.signals import Stops
from openhands_strategies.cli.screen import Lines, Screen, Silent
from openhands_strategies.cli.starting import Request
from openhands_strategies.cli.text import say, warn
from openhands_strategies.cli.working import stderr_console
from openhands_strategies.errors import ResolveError, RunError, UsageError
from openhands_strategies.project.fetching import Fetching
from openhands_strategies.registry.host import plugin_host
from openhands_strategies.runtime.report import Report
from openhands_strategies.runtime.roles import MAIN, RoleView
from openhands_strategies.runtime.run_file import conversation_key

# Seconds. A server may have to load the strategy's packages first.
_STARTING: Final = 300.0
_CHANGING: Final = 5.0


@dataclass(frozen=True)
class _Chosen:
    """What is started: the server's strategies, and what the user should know of them."""

    offer: Offer
    overlays: tuple[Offer, ...]
    notes: tuple[str, ...]


def run_remotely(request: Request, server: Server, frame: Frame) -> Report:
    """Start a strategy on a server, or go on with a run there, and follow it to its end.

    Everything but the result is shown on the way, on stderr.

    Raises:
        StrategyError: Nothing was started; or `server_lost`, and the run may go on.
    """
    check_usage(request)
    body: dict[str, Any] = {} if request.resume is not None else start_body(request, server)
    if server.key_in_clear:
        say(f"warning: the key of {server.key_env} goes to {server.url} unencrypted: use https")
    run = _id(request.resume) if request.resume is not None else ""
    meant = [] if run else _meant(request, frame)
    with Client(server) as client:
        chosen = _checked(client, meant)

        def leave() -> None:
            again = server.again(run) if run else f"look at {server.url}"
            say(f"left; the run may go on at {server.url}: {again}")

        with Stops(
            lambda: say("waiting for the server, to stop the run (again: leave)"), leave
        ) as stops:
            if chosen is not None:
                body["with"] = [one.name for one in chosen.overlays]
                run = _start(client, chosen.offer.name, body)
            return _followed(client, run, request, chosen, frame, stops)


def _id(text: str) -> str:
    if (key := conversation_key(text)) is None:
        raise UsageError("run_unknown", f"{text!r} is no id of a run", "its first lines named it")
    return key


def _meant(request: Request, frame: Frame) -> list[Meant]:
    host = plugin_host()
    with fetch_progress(frame) as progress:
        fetching = Fetching(progress=progress)
        references = [request.reference or "", *request.overlays]
        return [find_meant(one, host, warn, fetching) for one in references]


def _checked(client: Client, meant: Sequence[Meant]) -> _Chosen | None:
    """Check that the server has our extension and, where one starts, the strategies meant."""
    server, line = client.server, serve_line(meant)
    offers = offers_in(client.get("/api/strategies"))
    if offers is None:
        raise ResolveError(
            "server_without_strategies",
            f"what answers at {server.url} is no agent-server with strategies",
            line,
        )
    if not meant:
        return None
    found = [matching_offer(one, offers, line) for one in meant]
    notes = [
        f"no strategy is named {one.reference!r} here: the server's is used, from {place_of(offer)}"
        for one, offer in zip(meant, found, strict=True)
        if one.located is None
    ]
    return _Chosen(found[0], tuple(found[1:]), tuple(notes))


def _start(client: Client, name: str, body: dict[str, Any]) -> str:
    try:
        answer = client.post(f"/api/strategies/{quote(name, safe='')}/start", body, _STARTING)
    except NoAnswerError as error:
        raise RunError(
            "server_lost",
            f"no word whether the run was started: {error.message}",
            f"GET {client.server.url}/api/conversations/search lists what was started",
        ) from error
    return started_in(answer)


def _followed(
    client: Client,
    run: str,
    request: Request,
    chosen: _Chosen | None,
    frame: Frame,
    stops: Stops,
) -> Report:
    asks = can_ask() and not frame.json
    first = report_on(client, run, say)
    notes = chosen.notes if chosen is not None else ()
    for line in preamble(first, request, client.server, notes, can_ask=asks):
        say(line)
    earlier = [view for view in first.views() if view.key != MAIN] if chosen is None else []
    followed = Followed(client, run, _screen(frame, earlier), stops, asks, first)
    if chosen is None and not stops.requested:
        _resume(followed, request.task)
    said = followed.until_it_stands()
    return report_of(said, client.server, stopped=stops.requested, unstopped=followed.unstopped)


def _resume(followed: Followed, task: str | None) -> None:
    """Let a run go on that stands, or ask it for more."""
    client, run, before = followed.client, followed.run, followed.last
    if task is not None:
        content = [{"type": "text", "text": task}]
        # To run one that waits for a yes is to say yes: it is asked about first.
        message = {"role": "user", "content": content, "run": before.status != WAITS}
        accepted(client.post(f"/api/conversations/{run}/events", message), "take the task")
    elif before.status in ("finished", "running", WAITS) or (
        before.error is not None and before.error.code == "budget_spent"
    ):
        return
    else:
        go_on(client, run)
    if before.status == WAITS:
        return
    # The status changes a moment after the answer.
    until = time.monotonic() + _CHANGING
    while followed.last.status == before.status and time.monotonic() < until:
        time.sleep(0.2)
        followed.last = report_on(client, run, say)


def _screen(frame: Frame, earlier: Sequence[RoleView]) -> Screen:
    if frame.json:
        return Silent()
    console = stderr_console()
    if not console.is_terminal or console.is_dumb_terminal or frame.debug:
        return Lines(earlier=earlier)
    from openhands_strategies.cli.live import LiveTable

    return LiveTable(console)
