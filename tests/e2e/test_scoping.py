"""Sub-agents belong to one build: names, models and parameters never mix."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from openhands_strategies.runtime.report import Report
from openhands_strategies.runtime.run import execute
from openhands_strategies.testing import Reply, Turn, by_model, call, finish, in_order, say
from support import DELEGATING, bench, tool_texts, write

pytestmark = pytest.mark.e2e


def test_two_builds_in_one_process_keep_their_own_models(tmp_path: Path) -> None:
    """Two runs of one strategy with different sidekick models, at the same time."""
    write(tmp_path / "strategy.py", DELEGATING)

    def main(turn: Turn) -> Reply:
        if turn.replies == 0:
            return call("task", subagent_type="helper", prompt=f"help {turn.user[0]}")
        return finish(turn.tool_results[-1].text)

    def helper(turn: Turn) -> Reply:
        return say(f"{turn.model} answers {turn.user[0]}")

    script = by_model({"main": main, "cheap": helper, "other": helper})
    with bench(tmp_path / "ws", script, latency=0.1) as b:
        prepared = {
            model: b.prepare(str(tmp_path), {"model": f"openai/{model}"})
            for model in ("cheap", "other")
        }
        runs = {model: b.start(one) for model, one in prepared.items()}
        reports: dict[str, Report] = {}
        threads = [
            threading.Thread(target=lambda m=m: reports.update({m: execute(runs[m], f"job {m}")}))
            for m in runs
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        for model in ("cheap", "other"):
            assert f"{model} answers help job {model}" in reports[model].answer
            assert len(b.served(model)) == 1
            assert {row.model for row in reports[model].roles} == {
                "openai/main",
                f"openai/{model}",
            }


RFC = """
from openhands.sdk.strategy import Strategy, StrategyParam
from openhands.sdk import Agent, AgentContext
from openhands.sdk.subagent import register_agent
from openhands.sdk.tool import Tool
from openhands.tools.task import TaskToolSet

def _coder(llm):
    return Agent(llm=llm, tools=[], agent_context=AgentContext(
        system_message_suffix="I am the coder of {name}."))

class Rfc(Strategy):
    name = "{name}"
    description = "An RFC-style strategy"
    params = [StrategyParam(name="max_turns", type="integer", default=8, description="Turns")]

    def setup(self):
        register_agent("coder", _coder, "Coder of {name}")

    def build_agent(self, llm, params=None):
        turns = (params or {{}}).get("max_turns", 8)
        return Agent(llm=llm, tools=[Tool(name=TaskToolSet.name)], agent_context=AgentContext(
            system_message_suffix=f"At most {{turns}} turns."))
"""


def test_two_rfc_files_may_both_register_coder(tmp_path: Path) -> None:
    from openhands.sdk.subagent.registry import get_registered_agent_definitions

    before = {definition.name for definition in get_registered_agent_definitions()}
    for name in ("alpha", "beta"):
        write(tmp_path / f"{name}.py", RFC.format(name=name))
    script = by_model(
        {
            "main": lambda turn: (
                finish(turn.tool_results[-1].text)
                if turn.replies
                else call("task", subagent_type="coder", prompt="code")
            ),
        }
    )

    def both(turn: Turn) -> Reply:
        if "I am the coder of" in turn.system:
            return say(turn.system.split("I am the coder of ")[1].split(".")[0] + " coded")
        return script(turn)

    with bench(tmp_path / "ws", both) as b:
        for name in ("alpha", "beta", "alpha"):
            report = b.run(str(tmp_path / f"{name}.py"))
            assert report.status == "finished"
            assert f"{name} coded" in report.answer
            assert [row.role for row in report.roles] == ["main", "coder"]
        # The model's own tool description names no stranger.
        from openhands_strategies.runtime.entries import TASK_TOOL_SET

        assert [t.name for t in b.runs[0].prepared.agent.tools] == [TASK_TOOL_SET]
    after = {definition.name for definition in get_registered_agent_definitions()}
    assert after == before


def test_a_model_sees_and_reaches_only_its_own_sub_agents(tmp_path: Path) -> None:
    from openhands.sdk import Agent
    from openhands.sdk.subagent import register_agent_if_absent

    register_agent_if_absent(
        "stranger", lambda llm: Agent(llm=llm, tools=[]), "registered by somebody else"
    )
    write(tmp_path / "strategy.py", DELEGATING)
    seen: list[str] = []

    def main(turn: Turn) -> Reply:
        seen.append(str(turn.tools["task"]))
        return in_order([call("task", subagent_type="stranger", prompt="hello"), finish("done")])(
            turn
        )

    with bench(tmp_path / "ws", main) as b:
        report = b.run(str(tmp_path))
        last = tool_texts(b.served("main")[-1])[0]
    assert report.status == "finished"
    assert "no sub-agent 'stranger'" in last
    assert "Available: helper" in last
    offered = str(b.model.served[0].messages) + seen[0]
    assert "registered by somebody else" not in offered


def test_an_omitted_name_means_the_only_sub_agent(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", DELEGATING)
    script = by_model(
        {
            "main": in_order([call("task", prompt="anything"), finish("done")]),
            "cheap": say("helped"),
        }
    )
    with bench(tmp_path / "ws", script) as b:
        b.run(str(tmp_path))
        assert "helped" in tool_texts(b.served("main")[-1])[0]
