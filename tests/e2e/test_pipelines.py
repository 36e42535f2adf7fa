"""Pipelines: order, results that are handed on, the end at a phase that does not complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, Turn, finish, in_order, say
from support import Bench, Roles, bench, task, write

pytestmark = pytest.mark.e2e

PIECES = """
from openhands.sdk import Agent, AgentContext
from openhands_strategies import AgentSpec, Blueprint, Limits, Strategy, StrategyParam, SubAgent
from openhands_strategies.compose import layer, part, pipeline, team


def agent(context, suffix):
    return Agent(llm=context.llm, agent_context=AgentContext(system_message_suffix=suffix))


class Designer(Strategy):
    name = "designer"
    description = "Designs"
    params = [StrategyParam(name="style", default="plain")]

    def build(self, context):
        return Blueprint(
            agent=agent(context, f"ROLE-DESIGNER style={context.params['style']}."),
            prompt="DESIGN THIS: {task}",
        )


class Coder(Strategy):
    name = "coder"
    description = "Codes, with a helper"
    params = [StrategyParam(name="helpers", type="integer", default=1, minimum=1)]

    def build(self, context):
        helper = SubAgent(description="helps", agent=AgentSpec(suffix="ROLE-HELPER"))
        return Blueprint(agent=agent(context, "ROLE-CODER"), subagents={"helper": helper})


class Tester(Strategy):
    name = "tester"
    description = "Tests"

    def build(self, context):
        return Blueprint(agent=agent(context, "ROLE-TESTER"))


flow = pipeline(Designer(), Coder(), Tester(), name="flow", defaults={"designer.style": "baroque"})
inner = pipeline(Designer(), Coder(), name="inner")
outer = pipeline(inner, Tester(), name="outer")
bounded = pipeline(Designer(), Coder(), Tester(), name="bounded", limits=Limits(steps=4))
"""


NESTED = Roles(
    {
        "inner/coder/helper": "ROLE-HELPER",
        "inner/designer": "ROLE-DESIGNER",
        "inner/coder": "ROLE-CODER",
        "tester": "ROLE-TESTER",
        "inner": "the phase 'inner'",
        "main": "You lead a pipeline",
    }
)


def worker(turn: Turn) -> Reply | None:
    """What each phase does; None for the agents that lead."""
    if "ROLE-DESIGNER" in turn.system:
        return say("the design is a queue")
    if "ROLE-HELPER" in turn.system:
        return say("helped")
    if "ROLE-CODER" in turn.system:
        return in_order([task("helper", "assist"), finish("the code is in queue.py")])(turn)
    if "ROLE-TESTER" in turn.system:
        return say("all tests pass")
    return None


def leading(*replies: Reply) -> object:
    def script(turn: Turn) -> Reply:
        return worker(turn) or in_order(replies)(turn)

    return script


def first_request(b: Bench, role: str) -> list[dict[str, object]]:
    """Messages of the first request of a role."""
    for one in b.model.served:
        if role in str(one.messages[0]["content"]):
            return [dict(message) for message in one.messages]
    raise AssertionError(f"{role} was never asked")


def user_text(messages: list[dict[str, object]]) -> str:
    content = next(m["content"] for m in messages if m["role"] == "user")
    return content if isinstance(content, str) else "".join(part["text"] for part in content)  # type: ignore[attr-defined]


def told(b: Bench, model: str = "main") -> list[str]:
    """What the agent that leads was told by its task tool, in order."""
    leads = [
        one for one in b.model.served if "You lead a pipeline" in str(one.messages[0]["content"])
    ]
    return [str(m["content"]) for m in leads[-1].messages if m["role"] == "tool"]


def test_phases_work_in_turn_and_hand_their_results_on(tmp_path: Path) -> None:
    write(tmp_path / "flow.py", PIECES)
    script = leading(
        task("coder", "too early"),
        task("designer", "build a queue"),
        task("coder", "build a queue"),
        task("tester", "test it"),
        finish("done"),
    )
    with bench(tmp_path / "ws", script) as b:
        report = b.run(f"{tmp_path / 'flow.py'}:flow")
        designer, coder = first_request(b, "ROLE-DESIGNER"), first_request(b, "ROLE-CODER")
        tester, answers = first_request(b, "ROLE-TESTER"), told(b)
        served = b.model.total_cost()
    assert report.status == "finished"
    assert "only after 'designer' has completed" in answers[0]
    # The composition's own default, the part's prompt, and its place in the whole.
    assert "style=baroque." in str(designer[0]["content"])
    assert "You are the phase 'designer' of a pipeline" in str(designer[0]["content"])
    assert user_text(designer) == "DESIGN THIS: build a queue"
    assert user_text(coder).index("the design is a queue") < user_text(coder).index("build a queue")
    # A phase gets the result before it, not all of them.
    assert "the code is in queue.py" in user_text(tester)
    assert "the design is a queue" not in user_text(tester)
    roles = [row.role for row in report.roles]
    assert roles == ["main", "designer", "coder", "coder/helper", "tester"]
    assert report.cost_usd == pytest.approx(served)


def test_no_agent_is_offered_another_ones_sub_agents(tmp_path: Path) -> None:
    write(tmp_path / "flow.py", PIECES)
    script = leading(task("designer", "T"), task("coder", "T"), task("tester", "T"), finish("done"))
    with bench(tmp_path / "ws", script) as b:
        b.run(f"{tmp_path / 'flow.py'}:flow")
        tools = {}
        for one in b.model.served:
            for role in ("ROLE-DESIGNER", "ROLE-CODER", "ROLE-HELPER", "ROLE-TESTER"):
                if role in str(one.messages[0]["content"]):
                    tools[role] = {tool: one.description(tool) for tool in one.tools}
    assert "task" not in tools["ROLE-DESIGNER"]
    assert "task" not in tools["ROLE-TESTER"]
    assert "task" not in tools["ROLE-HELPER"]
    assert "- helper: helps" in tools["ROLE-CODER"]["task"]
    assert "designer" not in tools["ROLE-CODER"]["task"]


def test_a_pipeline_in_a_pipeline(tmp_path: Path) -> None:
    write(tmp_path / "flow.py", PIECES)

    def script(turn: Turn) -> Reply:
        done = worker(turn)
        if done is not None:
            return done
        if "the phase 'inner'" in turn.system:
            return in_order([task("designer", "D"), task("coder", "C"), finish("inner is done")])(
                turn
            )
        return in_order([task("inner", "I"), task("tester", "T"), finish("all is done")])(turn)

    with bench(tmp_path / "ws", script) as b:
        report = b.run(
            f"{tmp_path / 'flow.py'}:outer", params={"style": "gothic", "inner.coder.helpers": 2}
        )
        designer, tester = first_request(b, "ROLE-DESIGNER"), first_request(b, "ROLE-TESTER")
        served, costs = b.model.total_cost(), NESTED.costs(b)
    assert report.status == "finished"
    assert report.answer == "all is done"
    assert "style=gothic." in str(designer[0]["content"])
    assert "inner is done" in user_text(tester)
    assert report.params == {"inner.designer.style": "gothic", "inner.coder.helpers": 2}
    assert report.cost_usd == pytest.approx(served)
    assert [row.role for row in report.roles] == [
        "main",
        "inner",
        "inner/designer",
        "inner/coder",
        "inner/coder/helper",
        "tester",
    ]
    # Each role is charged with its own calls, whoever is above it.
    assert {row.role: row.cost_usd for row in report.roles} == pytest.approx(costs)
    assert min(costs.values()) > 0


def test_a_phase_that_escalates_ends_the_pipeline(tmp_path: Path) -> None:
    write(tmp_path / "flow.py", PIECES)

    def script(turn: Turn) -> Reply:
        if "ROLE-CODER" in turn.system:
            return say("ESCALATE_TO_MAIN the design contradicts itself")
        return worker(turn) or in_order(
            [
                task("designer", "D"),
                task("coder", "C"),
                task("coder", "again"),
                task("tester", "T"),
                finish("the design is there, the code is not"),
            ]
        )(turn)

    with bench(tmp_path / "ws", script) as b:
        report = b.run(f"{tmp_path / 'flow.py'}:flow")
        answers = told(b)
        served = [str(one.messages[0]["content"]) for one in b.model.served]
    assert report.status == "failed"
    assert report.error is not None
    assert report.error.code == "phase_failed"
    assert "'coder' handed the work back" in report.error.message
    assert report.answer == "the design is there, the code is not"
    assert "no further task is accepted" in answers[1]
    assert "no further task is accepted" in answers[2]
    assert "no further task is accepted" in answers[3]
    assert not [one for one in served if "ROLE-TESTER" in one]
    assert sum("ROLE-CODER" in one for one in served) == 1


def test_the_end_of_an_inner_pipeline_ends_the_outer_one(tmp_path: Path) -> None:
    write(tmp_path / "flow.py", PIECES)

    def script(turn: Turn) -> Reply:
        if "ROLE-DESIGNER" in turn.system:
            return say("ESCALATE_TO_MAIN no idea")
        if "the phase 'inner'" in turn.system:
            return in_order([task("designer", "D"), finish("there is no design")])(turn)
        return worker(turn) or in_order(
            [task("inner", "I"), task("tester", "T"), finish("nothing was built")]
        )(turn)

    with bench(tmp_path / "ws", script) as b:
        report = b.run(f"{tmp_path / 'flow.py'}:outer")
        served = [str(one.messages[0]["content"]) for one in b.model.served]
    assert report.status == "failed"
    assert report.error is not None
    assert "'inner'" in report.error.message
    assert not [one for one in served if "ROLE-TESTER" in one]


def test_the_limit_of_the_whole_bounds_all_phases_together(tmp_path: Path) -> None:
    write(tmp_path / "flow.py", PIECES)
    script = leading(task("designer", "D"), task("coder", "C"), task("tester", "T"), finish("done"))
    with bench(tmp_path / "ws", script) as b:
        report = b.run(f"{tmp_path / 'flow.py'}:bounded")
        calls = len(b.model.served)
    assert report.status == "limit"
    assert report.error is not None
    assert "4 model calls" in report.error.message
    # The call that reaches a limit counts; those who wait for it make none.
    assert calls == 4
