"""What a task tool set enforces for strategies with more than one sub-agent."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies.errors import BuildError
from openhands_strategies.testing import Reply, Turn, by_model, call, finish, in_order, say
from support import bench, tool_texts, write

pytestmark = pytest.mark.e2e

PHASES = """
from openhands.sdk import Agent
from openhands_strategies import AgentSpec, Blueprint, Strategy, SubAgent

class Phases(Strategy):
    name = "phases"
    description = "Design, then code"

    def build(self, context):
        return Blueprint(
            agent=Agent(llm=context.llm, tools=[]),
            subagents={
                "design": SubAgent(description="designs", agent=AgentSpec(suffix="ROLE-DESIGN")),
                "code": SubAgent(
                    description="codes",
                    agent=AgentSpec(
                        tools=({"name": "terminal", "params": {"terminal_type": "subprocess"}},),
                        suffix="ROLE-CODE",
                    ),
                    after=("design",),
                    workspace="src",
                ),
            },
        )
"""


def test_after_is_enforced_and_hands_the_result_on(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", PHASES)

    def script(turn: Turn) -> Reply:
        if "ROLE-DESIGN" in turn.system:
            return say("use a queue")
        if "ROLE-CODE" in turn.system:
            return in_order([call("terminal", command="pwd"), say("coded")])(turn)
        return in_order(
            [
                call("task", subagent_type="code", prompt="write it"),
                call("task", subagent_type="design", prompt="think"),
                call("task", subagent_type="code", prompt="write it"),
                finish("done"),
            ]
        )(turn)

    (tmp_path / "ws" / "src").mkdir(parents=True)
    with bench(tmp_path / "ws", script) as b:
        report = b.run(str(tmp_path))
        first, second, third = tool_texts(b.served("main")[-1])
        coding = [one for one in b.model.served if "ROLE-CODE" in str(one.messages[0]["content"])]
    assert report.status == "finished"
    assert "only after 'design' has completed" in first
    assert "use a queue" in second
    assert "coded" in third
    prompt = str(coding[0].messages[1]["content"])
    assert prompt.index("use a queue") < prompt.index("write it")
    # Its own workspace, below the parent's.
    assert str(tmp_path / "ws" / "src") in tool_texts(coding[-1])[0]


NESTED = """
from openhands.sdk import Agent, AgentContext
from openhands_strategies import AgentSpec, Blueprint, Strategy, SubAgent

class Nested(Strategy):
    name = "nested"
    description = "A lead with a worker"

    def build(self, context):
        lead = Blueprint(
            agent=Agent(llm=context.llm, tools=[], agent_context=AgentContext(
                system_message_suffix="ROLE-LEAD")),
            subagents={"worker": SubAgent(
                description="works", agent=AgentSpec(suffix="ROLE-WORKER"), model="openai/cheap")},
        )
        return Blueprint(
            agent=Agent(llm=context.llm, tools=[]),
            subagents={"lead": SubAgent(description="leads", agent=lead)},
        )
"""


def test_nested_sub_agents_have_their_own_scope_and_are_counted_once(tmp_path: Path) -> None:
    write(tmp_path / "strategy.py", NESTED)

    def script(turn: Turn) -> Reply:
        if "ROLE-WORKER" in turn.system:
            return say("worked")
        if "ROLE-LEAD" in turn.system:
            return in_order([call("task", subagent_type="worker", prompt="w"), say("led")])(turn)
        return in_order([call("task", subagent_type="lead", prompt="l"), finish("done")])(turn)

    with bench(tmp_path / "ws", script) as b:
        report = b.run(str(tmp_path))
        offered = {str(one.messages[0]["content"])[-12:]: one.tools for one in b.model.served}
        assert report.status == "finished"
        assert {(row.role, row.model, row.calls) for row in report.roles} == {
            ("main", "openai/main", 2),
            ("lead", "openai/main", 2),
            ("lead/worker", "openai/cheap", 1),
        }
        assert report.cost_usd == pytest.approx(b.model.total_cost())
        worker = b.served("cheap")[0]
        assert "task" not in worker.tools
        assert offered


def test_a_nested_blueprint_keeps_the_model_it_chose(tmp_path: Path) -> None:
    write(
        tmp_path / "strategy.py",
        """
        from openhands.sdk import Agent
        from openhands_strategies import Blueprint, Strategy, SubAgent

        class Choosing(Strategy):
            name = "choosing"
            description = "A lead on a model of its own"

            def build(self, context):
                lead = Blueprint(agent=Agent(llm=context.llm_for("openai/cheap"), tools=[]))
                return Blueprint(
                    agent=Agent(llm=context.llm, tools=[]),
                    subagents={"lead": SubAgent(description="leads", agent=lead)},
                )
        """,
    )
    script = by_model(
        {
            "main": in_order([call("task", subagent_type="lead", prompt="l"), finish("done")]),
            "cheap": say("led"),
        }
    )
    with bench(tmp_path / "ws", script) as b:
        prepared = b.prepare(str(tmp_path))
        assert [(m.role, m.name) for m in prepared.models] == [
            ("main", "openai/main"),
            ("lead", "openai/cheap"),
        ]
        report = b.run(str(tmp_path))
        assert [(row.role, row.model) for row in report.roles] == [
            ("main", "openai/main"),
            ("lead", "openai/cheap"),
        ]
        assert report.cost_usd == pytest.approx(b.model.total_cost())


def test_depth_is_known_when_building(tmp_path: Path) -> None:
    write(
        tmp_path / "strategy.py",
        """
        from openhands.sdk import Agent
        from openhands_strategies import AgentSpec, Blueprint, Strategy, SubAgent

        class Deep(Strategy):
            name = "deep"
            description = "Too deep"

            def build(self, context):
                def level(n):
                    agent = AgentSpec() if n == 0 else Blueprint(
                        agent=Agent(llm=context.llm, tools=[]), subagents=level(n - 1))
                    return {"next": SubAgent(description="deeper", agent=agent)}
                return Blueprint(agent=Agent(llm=context.llm, tools=[]), subagents=level(5))
        """,
    )
    with bench(tmp_path / "ws", lambda turn: say("never")) as b:
        with pytest.raises(BuildError) as caught:
            b.prepare(str(tmp_path))
        assert caught.value.code == "depth_limit"
        assert b.model.served == []


def test_an_rfc_agent_that_delegates_to_itself_ends(tmp_path: Path) -> None:
    """Upstream goes on until something breaks; here the last level has no task tool."""
    write(
        tmp_path / "self.py",
        """
        from openhands.sdk.strategy import Strategy
        from openhands.sdk import Agent, AgentContext
        from openhands.sdk.subagent import register_agent
        from openhands.sdk.tool import Tool
        from openhands.tools.task import TaskToolSet

        def _again(llm):
            return Agent(llm=llm, tools=[Tool(name=TaskToolSet.name)])

        class Selfish(Strategy):
            name = "selfish"
            description = "Offers itself"

            def setup(self):
                register_agent("again", _again, "the same once more")

            def build_agent(self, llm, params=None):
                return _again(llm)
        """,
    )

    def script(turn: Turn) -> Reply:
        if turn.replies or not turn.offers("task"):
            return say("back")
        return call("task", subagent_type="again", prompt="deeper")

    with bench(tmp_path / "ws", script) as b:
        report = b.run(str(tmp_path / "self.py"))
        assert report.status == "finished"
        below = [row.role for row in report.roles[1:]]
        assert below == ["/".join(["again"] * depth) for depth in (1, 2, 3, 4)]
        assert sum("task" not in one.tools for one in b.model.served) == 1
