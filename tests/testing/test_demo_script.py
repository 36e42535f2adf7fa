"""The demo's script, turn by turn, on output of real commands.

A few lines here take the place of the agents, so that every way through the script can
be taken without the SDK: they run each call for real and put the result into the
conversation. The same script with the SDK's agents: test_with_sdk.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.testing import (
    DEMO_TASK,
    MAIN_MODEL,
    SIDEKICK_MODEL,
    Reply,
    Script,
    Turn,
    copy_sample,
    demo_script,
    run_sample_tests,
)

LOST = "[The command completed with exit code 0.]"
type Tool = Callable[[Mapping[str, Any]], str]


def offering(*tools: str) -> dict[str, Mapping[str, Any]]:
    """What a request offers: these tools and the one that every agent has."""
    return {name: {} for name in (*tools, "finish")}


@dataclass
class Agent:
    """Plays one conversation to its end and keeps the replies."""

    script: Script
    model: str
    tools: dict[str, Tool]
    messages: list[dict[str, Any]] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    def run(self, text: str) -> str:
        self.messages.append({"role": "user", "content": text})
        offered = offering(*self.tools)
        while len(self.replies) < 30:
            reply = self.script(Turn(self.model, self.messages, offered))
            self.replies.append(reply)
            if not reply.calls:
                return reply.text or ""
            if reply.calls[0].name == "finish":
                return str(reply.calls[0].arguments["message"])
            self._play(reply)
        raise AssertionError("the conversation does not end")

    def _play(self, reply: Reply) -> None:
        first = len(self.messages)
        functions = [
            {"name": made.name, "arguments": json.dumps(dict(made.arguments))}
            for made in reply.calls
        ]
        calls = [{"id": f"{first}.{n}", "function": f} for n, f in enumerate(functions)]
        self.messages.append({"role": "assistant", "content": reply.text, "tool_calls": calls})
        for number, made in enumerate(reply.calls):
            result = self.tools[made.name](made.arguments)
            self.messages.append(
                {"role": "tool", "tool_call_id": f"{first}.{number}", "content": result}
            )


def terminal(workspace: Path) -> Tool:
    def run(arguments: Mapping[str, Any]) -> str:
        done = subprocess.run(
            ["/bin/sh", "-c", arguments["command"]],
            cwd=workspace,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return f"{done.stdout}\n[Command finished with exit code {done.returncode}]"

    return run


def losing_output(tool: Tool, times: int) -> Tool:
    """A tool whose first results are lost."""
    left = iter(range(times))
    return lambda arguments: tool(arguments) if next(left, None) is None else LOST


def edit(arguments: Mapping[str, Any]) -> str:
    file = Path(arguments["path"])
    assert file.is_absolute()
    source = file.read_text("utf-8")
    if arguments["command"] == "view":
        lines = enumerate(source.splitlines(), 1)
        return "Here's the result:\n" + "\n".join(f"{n:6}\t{code}" for n, code in lines)
    assert arguments["command"] == "str_replace"
    assert source.count(arguments["old_str"]) == 1
    file.write_text(source.replace(arguments["old_str"], arguments["new_str"]), "utf-8")
    return "edited"


class Demo:
    """A copy of the sample, and agents for it."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = copy_sample(workspace)
        self.script = demo_script(self.workspace, sys.executable)
        self.sidekicks: list[Agent] = []
        self.terminal = terminal(self.workspace)

    def main(self, **tools: Tool) -> Agent:
        """The main agent. Without arguments it has all three tools."""
        default = {"terminal": self.terminal, "file_editor": edit, "task": self.task}
        return Agent(self.script, MAIN_MODEL, tools or default)

    def sidekick(self, terminal: Tool | None = None) -> Agent:
        agent = Agent(self.script, SIDEKICK_MODEL, {"terminal": terminal or self.terminal})
        self.sidekicks.append(agent)
        return agent

    def task(self, arguments: Mapping[str, Any]) -> str:
        return f"Status: completed\n{self.sidekick().run(arguments['prompt'])}"


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path / "shop")


def ask_sidekick(demo: Demo, module: str, tool: Tool | None = None) -> str:
    return demo.sidekick(tool).run(f"Why do the tests of shop/{module}.py fail?")


def test_whole_demo(demo: Demo) -> None:
    main = demo.main()
    answer = main.run(DEMO_TASK)
    assert run_sample_tests(demo.workspace)
    assert answer.startswith("All 22 tests pass.")
    delegation = main.replies[0].calls
    assert [made.name for made in delegation] == ["task"] * 3
    assert {made.arguments["subagent_type"] for made in delegation} == {"sidekick"}
    assert [made.arguments["description"].split()[-1] for made in delegation] == [
        "pricing",
        "inventory",
        "delivery",
    ]
    assert len(demo.sidekicks) == 3
    assert "pricing was escalated" in answer


def test_main_reads_only_what_was_escalated(demo: Demo) -> None:
    main = demo.main()
    main.run(DEMO_TASK)
    viewed = [
        made.arguments["path"]
        for reply in main.replies
        for made in reply.calls
        if made.arguments.get("command") == "view"
    ]
    expected = [demo.workspace / "shop" / "pricing.py", demo.workspace / "README.md"]
    assert [Path(path) for path in viewed] == expected


def test_report_points_to_real_lines(demo: Demo) -> None:
    report = ask_sidekick(demo, "inventory")
    source = (demo.workspace / "shop/inventory.py").read_text("utf-8").splitlines()
    line = next(n for n, code in enumerate(source, 1) if "quantity >= self.free" in code)
    assert [part for part in report.splitlines() if part.isupper() or part.endswith(":")] == [
        "FINDINGS:",
        "PROPOSED_NEXT_STEP:",
        "RISK:",
    ]
    assert f"- shop/inventory.py:{line} `if quantity >= self.free(article):`" in report
    assert "tests/test_inventory.py:15" in report
    assert "test_last_piece_can_be_reserved, test_whole_stock_is_shipped" in report
    assert len(demo.sidekicks[0].replies) == 4


def test_line_numbers_follow_the_source(demo: Demo) -> None:
    file = demo.workspace / "shop" / "delivery.py"
    file.write_text("# one\n# two\n# three\n" + file.read_text("utf-8"), "utf-8")
    assert "- shop/delivery.py:19 replace `return day.weekday()" in ask_sidekick(demo, "delivery")


def test_product_decision_is_escalated(demo: Demo) -> None:
    report = ask_sidekick(demo, "pricing")
    assert report == (
        "ESCALATE_TO_MAIN: shop/pricing.py:30 says that this is a policy, not mine to change"
    )


def test_nothing_to_do(demo: Demo) -> None:
    assert "- the tests of shop/catalogue.py pass" in ask_sidekick(demo, "catalogue")


def test_unknown_cause_is_escalated(demo: Demo) -> None:
    file = demo.workspace / "shop" / "inventory.py"
    file.write_text(file.read_text("utf-8").replace("quantity >= ", "quantity + 0 >= "), "utf-8")
    report = ask_sidekick(demo, "inventory")
    assert report == "ESCALATE_TO_MAIN: I do not see the cause in shop/inventory.py"


def test_lost_output_is_asked_for_again(demo: Demo) -> None:
    report = ask_sidekick(demo, "delivery", losing_output(demo.terminal, 2))
    assert "PROPOSED_NEXT_STEP:\n- shop/delivery.py:16 replace" in report
    assert len(demo.sidekicks[0].replies) == 6


def test_dead_terminal_is_escalated(demo: Demo) -> None:
    report = ask_sidekick(demo, "delivery", lambda arguments: LOST)
    assert report == "ESCALATE_TO_MAIN: the tests of shop/delivery.py could not be run"
    assert len(demo.sidekicks[0].replies) == 4


def test_sidekick_without_a_terminal(demo: Demo) -> None:
    agent = Agent(demo.script, SIDEKICK_MODEL, {})
    assert agent.run("shop/delivery.py?").startswith("ESCALATE_TO_MAIN: ")


def test_main_works_alone_without_sidekicks(demo: Demo) -> None:
    main = demo.main(terminal=demo.terminal, file_editor=edit)
    assert main.run(DEMO_TASK).startswith("All 22 tests pass.")
    assert run_sample_tests(demo.workspace)


def test_main_takes_over_what_a_limit_stopped(demo: Demo) -> None:
    def stopped(arguments: Mapping[str, Any]) -> str:
        return "Status: error\nThe sub-agent reached its limit of 2 iterations"

    main = demo.main(terminal=demo.terminal, file_editor=edit, task=stopped)
    assert main.run(DEMO_TASK).startswith("All 22 tests pass.")
    assert "no result from a sidekick" in (main.replies[1].text or "")
    assert run_sample_tests(demo.workspace)


def test_main_does_what_sidekicks_say(demo: Demo) -> None:
    def wrong(arguments: Mapping[str, Any]) -> str:
        if "shop/delivery.py" not in arguments["prompt"]:
            return demo.task(arguments)
        return (
            "FINDINGS:\n- a guess\nPROPOSED_NEXT_STEP:\n"
            "- shop/delivery.py:13 replace `_SATURDAY = 5` with `_SATURDAY = 6` (a guess)\n"
            "RISK:\n- high, a guess"
        )

    main = demo.main(terminal=demo.terminal, file_editor=edit, task=wrong)
    answer = main.run(DEMO_TASK)
    assert answer.startswith("Not done, still failing: ")
    assert "shop/delivery.py:13: a guess" in answer
    assert "_SATURDAY = 6" in (demo.workspace / "shop/delivery.py").read_text("utf-8")
    assert not run_sample_tests(demo.workspace)


def test_failure_is_told(demo: Demo) -> None:
    main = demo.main(
        terminal=demo.terminal, file_editor=lambda arguments: "[denied]", task=demo.task
    )
    answer = main.run(DEMO_TASK)
    assert answer.startswith("Not done, still failing: test_")
    assert not run_sample_tests(demo.workspace)


def test_main_without_an_editor(demo: Demo) -> None:
    answer = demo.main(terminal=demo.terminal, task=demo.task).run(DEMO_TASK)
    assert answer.startswith("Not done, still failing: test_")


def test_only_the_modules_of_the_task(demo: Demo) -> None:
    main = demo.main()
    answer = main.run("Repair shop/inventory.py, please.")
    assert len(main.replies[0].calls) == 1
    assert answer.startswith("Not done, still failing: ")
    assert "test_last_piece" not in answer


def test_conversation_goes_on_from_any_point(demo: Demo) -> None:
    main = demo.main()
    main.run(DEMO_TASK)
    again = demo_script(demo.workspace, sys.executable)
    offered = offering(*main.tools)
    at = [n for n, message in enumerate(main.messages) if message["role"] == "assistant"]
    for number, end in enumerate([*at, len(main.messages)]):
        assert again(Turn(MAIN_MODEL, main.messages[:end], offered)) == main.replies[number]


def test_latency_makes_main_slower_than_sidekicks(tmp_path: Path) -> None:
    script = demo_script(tmp_path, sys.executable, latency=0.45)
    user = [{"role": "user", "content": DEMO_TASK}]
    offered = offering("task", "terminal")
    assert script(Turn(MAIN_MODEL, user, offered)).delay == pytest.approx(0.6)
    assert script(Turn(SIDEKICK_MODEL, user, offered)).delay == pytest.approx(0.3)
