"""Actions of the main agent that wait for a yes: shown here, answered on the server."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from openhands_strategies.cli.confirming import action_text, ask_yes
from openhands_strategies.cli.remote.answers import accepted
from openhands_strategies.cli.remote.client import Client
from openhands_strategies.cli.text import say
from openhands_strategies.errors import RunError
from openhands_strategies.runtime.roles import MAIN

NOBODY: Final = "nobody can confirm actions in this run, so it was rejected"
REFUSED: Final = "the user said no"
_PAGES: Final = 10
# What may stand between or after the actions of one step.
_BESIDE: Final = frozenset({"ActionEvent", "ConversationStateUpdateEvent"})


def pending_actions(client: Client, run: str) -> list[dict[str, Any]]:
    """The actions that nothing has answered yet, in the order of the agent's step.

    Raises:
        StrategyError: The server refuses; `server_answer` when there are more than anybody
            could look at.
    """
    answered: set[Any] = set()
    found: list[dict[str, Any]] = []
    page = ""
    for _ in range(_PAGES):
        path = f"/api/conversations/{run}/events/search?sort_order=TIMESTAMP_DESC&limit=100{page}"
        document = accepted(client.get(path), "show the actions")
        items = document.get("items") if isinstance(document, dict) else None
        if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            break
        for one in items:
            if one.get("kind") == "ActionEvent":
                if one.get("id") not in answered and one.get("tool_call_id") not in answered:
                    found.append(one)
            else:
                answered |= {one.get("action_id"), one.get("tool_call_id")} - {None}
        following = document.get("next_page_id")
        if not following or any(one.get("kind") not in _BESIDE for one in items):
            return found[::-1]
        page = f"&page_id={quote(str(following), safe='')}"
    raise RunError("server_answer", "the server does not show the actions that wait for a yes", "")


def ask(actions: list[dict[str, Any]]) -> bool:
    """Show actions in full and read the answer from the terminal."""
    for one in actions:
        for line in action_text(
            MAIN,
            str(one.get("tool_name")),
            str(one.get("security_risk", "UNKNOWN")),
            _arguments(one),
        ):
            say(line)
    return ask_yes(len(actions))


def _arguments(event: dict[str, Any]) -> dict[str, Any]:
    action = event.get("action")
    if isinstance(action, dict):
        return {name: value for name, value in action.items() if name != "kind"}
    call = event.get("tool_call")
    return {"arguments": call.get("arguments") if isinstance(call, dict) else None}


def answer(client: Client, run: str, *, yes: bool, reason: str) -> None:
    """Allow or reject what waits; the run goes on in both cases.

    Raises:
        StrategyError: The server refuses.
    """
    body = {"accept": yes, "reason": reason}
    where = f"/api/conversations/{run}"
    accepted(
        client.post(f"{where}/events/respond_to_confirmation", body), "take the answer to an action"
    )
    if not yes:
        go_on(client, run)


def go_on(client: Client, run: str) -> None:
    """Let a run go on that stands; one that works is left alone.

    Raises:
        StrategyError: The server refuses.
    """
    said = client.post(f"/api/conversations/{run}/run")
    if said.status != 409:
        accepted(said, "let the run go on")
