"""Real conversations of the unmodified SDK against the scripted model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import Price, Script, ScriptedModel

PRICES = {"main": Price(10.0, 40.0)}
Converse = Callable[..., Any]


def scripted_llm(**fields: Any) -> Any:
    from openhands.sdk import LLM

    price = PRICES["main"]
    values = {
        "model": "openai/main",
        "api_key": "sk-test-4711",
        "usage_id": "main",
        "num_retries": 0,
        "input_cost_per_token": price.input_per_token,
        "output_cost_per_token": price.output_per_token,
    }
    return LLM.model_validate({**values, **fields})


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedModel]]:
    """Start a scripted model; it ends with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda script, **options: stack.enter_context(
            ScriptedModel(script, prices=PRICES, **options)
        )


@pytest.fixture
def converse(tmp_path: Path, serve: Callable[..., ScriptedModel]) -> Iterator[Converse]:
    """Open a LocalConversation whose model plays a script; it is closed with the test.

    `model` is a running server, to open a second conversation on it; `terminal` gives the
    agent that tool (its start takes a second).
    """
    from openhands.sdk import Agent, Tool
    from openhands.sdk.conversation.impl.local_conversation import LocalConversation
    from openhands.tools.terminal import TerminalTool

    opened: list[Any] = []

    def start(
        script: Script | None = None,
        *,
        model: ScriptedModel | None = None,
        llm: dict[str, Any] | None = None,
        terminal: bool = False,
        **arguments: Any,
    ) -> Any:
        if model is None:
            assert script is not None
            model = serve(script)
        workspace = tmp_path / "ws"
        workspace.mkdir(exist_ok=True)
        tool = Tool(name=TerminalTool.name, params={"terminal_type": "subprocess"})
        conversation = LocalConversation(
            agent=Agent(
                llm=scripted_llm(**{"base_url": model.base_url, **(llm or {})}),
                tools=[tool] if terminal else [],
            ),
            **{"workspace": str(workspace), "visualizer": None, **arguments},
        )
        conversation.__dict__["served_by"] = model
        opened.append(conversation)
        return conversation

    yield start
    for conversation in opened:
        conversation.close()
