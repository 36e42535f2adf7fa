"""Single: the SDK's default tools, nothing else, and an enforced step limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, Turn, call, finish, in_order
from openhands_strategies.testing.turns import text_of
from support import bench, write

pytestmark = pytest.mark.e2e


def test_one_agent_with_the_default_tools(tmp_path: Path) -> None:
    made = tmp_path / "ws" / "made"
    script = in_order(
        [
            call("file_editor", command="create", path=str(made), file_text="by one agent\n"),
            finish("done"),
        ]
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run("single", "write a file")
        first = b.served("main")[0]
    assert report.status == "finished"
    assert report.answer == "done"
    assert made.read_text() == "by one agent\n"
    assert {"terminal", "file_editor", "task_tracker", "finish"} <= set(first.tools)
    assert not {"task", "browser_navigate"} & set(first.tools)
    # The task is the whole first message.
    assert text_of(first.messages[1]).strip() == "write a file"
    assert [(row.role, row.calls) for row in report.roles] == [("main", 2)]


def test_its_steps_are_limited(tmp_path: Path) -> None:
    def script(turn: Turn) -> Reply:
        return call("think", thought=f"step {turn.replies}")

    with bench(tmp_path / "ws", script) as b:
        report = b.run("single", params={"max_iterations": 3})
        calls = len(b.served("main"))
    assert report.status == "limit"
    assert calls == 3


def test_an_agent_that_cannot_be_made_is_a_failed_run(tmp_path: Path) -> None:
    write(
        tmp_path / "ws" / "odd.py",
        """
        from openhands.sdk import Agent, Tool
        from openhands_strategies import Blueprint, Strategy

        class Odd(Strategy):
            name = "odd"
            description = "Gives the terminal a parameter that it does not take"

            def build(self, context):
                tool = Tool(name="terminal", params={"nonsense": 3})
                return Blueprint(agent=Agent(llm=context.llm, tools=[tool]))
        """,
    )
    with bench(tmp_path / "ws", finish("done")) as b:
        report = b.run("./odd.py")
    assert (report.status, report.seconds, list(report.roles)) == ("failed", 0.0, [])
    assert report.error is not None
    assert report.error.code == "run_failed"
    assert "'nonsense'" in report.error.message
