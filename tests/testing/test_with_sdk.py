"""The scripted model under the unmodified SDK: real agents, real tools, real HTTP."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import (
    DEMO_PRICES,
    DEMO_TASK,
    MAIN_MODEL,
    Call,
    Reply,
    Script,
    ScriptedModel,
    Turn,
    copy_sample,
    demo_script,
    finish,
    in_order,
    run_sample_tests,
)

pytestmark = pytest.mark.e2e


def converse(
    model: ScriptedModel, workspace: Path, task: str, tools: list[str], stream: bool = False
) -> Any:
    """Run one conversation of a single agent and return its combined metrics."""
    from openhands.sdk import LLM, Agent, Conversation, Tool
    from openhands.tools.file_editor import FileEditorTool
    from openhands.tools.terminal import TerminalTool
    from pydantic import SecretStr

    # In a tmux terminal the output of the first command can be lost, see demo_sidekick.py.
    known = {
        "terminal": Tool(name=TerminalTool.name, params={"terminal_type": "subprocess"}),
        "file_editor": Tool(name=FileEditorTool.name),
    }
    price = DEMO_PRICES[MAIN_MODEL]
    llm = LLM(
        model=f"openai/{MAIN_MODEL}",
        base_url=model.base_url,
        api_key=SecretStr("any"),
        usage_id="main",
        input_cost_per_token=price.input_per_token,
        output_cost_per_token=price.output_per_token,
        num_retries=0,
        stream=stream,
    )
    agent = Agent(llm=llm, tools=[known[name] for name in tools])
    conversation = Conversation(
        agent=agent,
        workspace=str(workspace),
        visualizer=None,
        token_callbacks=[lambda chunk: None] if stream else None,
    )
    try:
        conversation.send_message(task)
        conversation.run()
        assert conversation.state.execution_status.value == "finished"
        return conversation.conversation_stats.get_combined_metrics()
    finally:
        conversation.close()


def assert_same_account(metrics: Any, model: ScriptedModel) -> None:
    served = model.by_model()[MAIN_MODEL]
    usage = metrics.accumulated_token_usage
    assert metrics.accumulated_cost == pytest.approx(model.total_cost())
    assert usage.prompt_tokens == served.input_tokens
    assert usage.completion_tokens == served.output_tokens
    assert usage.cache_read_tokens == served.cached_tokens
    assert served.cached_tokens > 0


def remember_number(turn: Turn) -> Reply:
    assert turn.last_result is not None
    number = re.search(r"[0-9]{6}", turn.last_result.text)
    return finish(f"It says: {number and number[0]}")


LOOK: Script = in_order(
    [
        Reply(calls=[Call("terminal", {"command": "pwd"})]),
        Reply(text="Let me look.", calls=[Call("terminal", {"command": "cat number.txt"})]),
        remember_number,
    ]
)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_agent_runs_a_command_and_costs_what_was_served(tmp_path: Path, stream: bool) -> None:
    (tmp_path / "number.txt").write_text("471100\n")
    with ScriptedModel(LOOK, prices=DEMO_PRICES) as model:
        metrics = converse(model, tmp_path, "Which number?", ["terminal"], stream)
        assert_same_account(metrics, model)
    first, second, third = model.served
    assert first.messages[0]["role"] == "system"
    assert "terminal" in first.tools
    assert "finish" in first.tools
    assert second.cached_tokens == first.input_tokens
    assert third.cached_tokens == second.input_tokens
    assert third.reply.calls[0].arguments["message"] == "It says: 471100"


def test_main_of_the_demo_repairs_the_sample_alone(tmp_path: Path) -> None:
    workspace = copy_sample(tmp_path / "shop")
    script = demo_script(workspace, sys.executable)
    with ScriptedModel(script, prices=DEMO_PRICES) as model:
        metrics = converse(model, workspace, DEMO_TASK, ["terminal", "file_editor"])
        assert_same_account(metrics, model)
    run = run_sample_tests(workspace)
    assert run, run.output
    answer = model.served[-1].reply.calls[0].arguments["message"]
    assert answer.startswith("All 22 tests pass.")
