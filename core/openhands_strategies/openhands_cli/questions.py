"""Asking and telling the user, in the terminal interface and over ACP.

The CLI asks about the main agent's actions itself. A sub-agent works inside one of those,
in a thread of its own, and waits there for the answer.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import TimeoutError as NotYet
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from openhands_strategies.manifest.files import printable

if TYPE_CHECKING:
    from openhands.sdk.event import ActionEvent

    from openhands_strategies.openhands_cli.conversation import StrategyConversation
    from openhands_strategies.runtime.fleet import ConfirmHandler

_TICK: Final = 0.2
_SHOWN: Final = 4_000


def ask_in_terminal(conversation: StrategyConversation, visualizer: Any) -> ConfirmHandler:
    """A handler that shows the CLI's own confirmation panel, with who asks.

    Args:
        conversation: Whose sub-agents ask.
        visualizer: The CLI's, which knows the application and where panels go.
    """
    panel_class = _panel_class()
    one_at_a_time = threading.Lock()
    always = threading.Event()

    def ask(who: str, actions: list[ActionEvent]) -> bool:
        with one_at_a_time:
            if always.is_set():
                return True
            answered = threading.Event()
            answers: list[str] = []

            def answer(option: str) -> None:
                answers.append(option)
                answered.set()

            app, container = visualizer._app, visualizer._container
            panel = panel_class(who, actions, answer)
            app.call_from_thread(container.mount, panel)
            app.call_from_thread(container.scroll_end, animate=False)
            while not answered.wait(_TICK):
                if not app.is_running:
                    conversation.fleet.stop()
                    return False
                if conversation.fleet.stopping:
                    app.call_from_thread(panel.leave)
                    return False
            if answers[0] == "always":
                always.set()
            return answers[0] != "reject"

    return ask


def show_lines(visualizer: Any, lines: Iterable[str]) -> None:
    """Write lines into the terminal interface, as part of the conversation.

    Args:
        visualizer: The CLI's; must be called in the interface's own thread.
        lines: Plain text.
    """
    static = importlib.import_module("textual.widgets").Static
    text = "\n".join(lines)
    visualizer._container.mount(static(text, markup=False, classes="strategy-lines"))


def tell_in_terminal(visualizer: Any) -> Callable[[str], None]:
    """Shows a line in the terminal interface, from any thread but its own."""

    def tell(text: str) -> None:
        visualizer._app.call_from_thread(show_lines, visualizer, [text])

    return tell


def tell_over_acp(
    client: Any, session: str, loop: asyncio.AbstractEventLoop
) -> Callable[[str], None]:
    """Shows a line in the editor, as a message of the agent."""
    schema = importlib.import_module("acp.schema")

    def tell(text: str) -> None:
        update = schema.AgentMessageChunk(
            session_update="agent_message_chunk",
            content=schema.TextContentBlock(type="text", text=f"{text}\n"),
        )
        asyncio.run_coroutine_threadsafe(
            client.session_update(session_id=session, update=update), loop
        )

    return tell


def action_lines(actions: Iterable[ActionEvent]) -> Iterator[str]:
    """Each action with all its arguments: what is allowed must have been seen."""
    for event in actions:
        yield f"  {printable(event.tool_name, 80)}"
        for name, value in _arguments(event).items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            first, *more = text[:_SHOWN].split("\n")
            yield f"    {printable(name, 60)}: {printable(first, _SHOWN)}"
            yield from (f"      {printable(line, _SHOWN)}" for line in more)
            if len(text) > _SHOWN:
                yield f"    … and {len(text) - _SHOWN} characters more, which are NOT shown"


def _arguments(event: ActionEvent) -> dict[str, Any]:
    if event.action is None:
        return {"arguments": event.tool_call.arguments}
    found: dict[str, Any] = event.action.model_dump(mode="json", exclude_none=True)
    found.pop("kind", None)
    return found


def _panel_class() -> Any:
    module = importlib.import_module("openhands_cli.tui.panels.confirmation_panel")
    static = importlib.import_module("textual.widgets").Static
    base: Any = module.InlineConfirmationPanel

    def make(self: Any, who: str, actions: list[ActionEvent], answer: Any) -> None:
        base.__init__(self, len(actions))
        head = f"🔍 {printable(who, 80)}: confirm {len(actions)} action(s)?"
        # Plain text: a command is no markup. Several sub-agents may be at work, and only
        # here stands which of their actions is meant.
        self.text = Text("\n".join([head, *action_lines(actions)]))
        self.answer = answer

    def on_mount(self: Any) -> None:
        self.query_one(".inline-confirmation-header", static).update(self.text)

    def on_list_view_selected(self: Any, event: Any) -> None:
        # The base would answer for the main agent, whose own action is under way.
        event.prevent_default()
        event.stop()
        if event.item is not None and event.item.id is not None:
            self.answer(event.item.id)
            self.leave()

    def leave(self: Any) -> None:
        self.app.input_field.focus_input()
        self.remove()

    return type(
        "SubAgentConfirmationPanel",
        (base,),
        {
            "__init__": make,
            "on_mount": on_mount,
            "on_list_view_selected": on_list_view_selected,
            "leave": leave,
            "OPTIONS": [("accept", "Yes"), ("reject", "No"), ("always", "Yes, and all later ones")],
        },
    )


def ask_over_acp(
    conversation: StrategyConversation, client: Any, session: str, loop: asyncio.AbstractEventLoop
) -> ConfirmHandler:
    """A handler that asks the editor for permission, as the CLI does for the main agent.

    Args:
        conversation: Whose sub-agents ask.
        client: The ACP connection.
        session: Its session.
        loop: The loop that the connection lives on.
    """
    confirmation = importlib.import_module("openhands_cli.acp_impl.confirmation")
    policies = importlib.import_module("openhands.sdk.security.confirmation_policy")
    always = threading.Event()

    def ask(who: str, actions: list[ActionEvent]) -> bool:
        if always.is_set():
            return True
        asked = asyncio.run_coroutine_threadsafe(
            confirmation.ask_user_confirmation_acp(
                conn=client, session_id=session, pending_actions=actions
            ),
            loop,
        )
        while not conversation.fleet.stopping:
            try:
                result = asked.result(_TICK)
            except NotYet:
                continue
            if isinstance(result.policy_change, policies.NeverConfirm):
                always.set()
            return bool(result.decision.value == "accept")
        asked.cancel()
        return False

    return ask
