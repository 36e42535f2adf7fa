"""Where the OpenHands CLI is held while it runs; put back at the end.

The CLI's modules call `Conversation(...)` by that name. While it runs, the name means ours.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from openhands_strategies.openhands_cli.looking import ACP, NAME, TERMINAL
from openhands_strategies.openhands_cli.questions import ask_over_acp, tell_over_acp

Make = Callable[..., Any]
Open = Callable[[Make, dict[str, Any]], Any]


@contextmanager
def held(open_conversation: Open, *, acp: bool) -> Iterator[None]:
    """While the block lasts, the CLI's conversations are made by `open_conversation`.

    Args:
        open_conversation: Takes what the CLI would call, and its keyword arguments.
        acp: Whether the CLI runs as an ACP agent.
    """
    module = importlib.import_module(ACP if acp else TERMINAL)
    make = getattr(module, NAME)

    def conversation(**given: Any) -> Any:
        return open_conversation(make, given)

    setattr(module, NAME, conversation)
    try:
        if acp:
            with _asking(module.LocalOpenHandsACPAgent):
                yield
        else:
            yield
    finally:
        setattr(module, NAME, make)


@contextmanager
def _asking(agent_class: Any) -> Iterator[None]:
    """Give each conversation the connection of its session, to ask about sub-agents."""
    from openhands_strategies.openhands_cli.conversation import StrategyConversation

    original = agent_class._setup_conversation

    def setup(self: Any, session_id: str, *rest: Any, **given: Any) -> Any:
        made = original(self, session_id, *rest, **given)
        if isinstance(made, StrategyConversation):
            loop = asyncio.get_running_loop()
            made.fleet.confirm = ask_over_acp(made, self._conn, session_id, loop)
            made.tell = tell_over_acp(self._conn, session_id, loop)
            for line in made.notes:
                made.tell(line)
        return made

    agent_class._setup_conversation = setup
    try:
        yield
    finally:
        agent_class._setup_conversation = original
