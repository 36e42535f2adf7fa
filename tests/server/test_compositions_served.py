"""A composition that is served: a strategy of its list, run over REST like any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openhands_strategies.testing import Reply, Turn, finish, in_order, say
from server_process import Server, running_server
from support import Roles, task, write

pytestmark = pytest.mark.e2e

FORMS = """
from openhands.sdk import Agent, AgentContext
from openhands_strategies import AgentSpec, Blueprint, Strategy, StrategyParam, SubAgent
from openhands_strategies.compose import layer, pipeline, team


def agent(context, suffix):
    return Agent(llm=context.llm, agent_context=AgentContext(system_message_suffix=suffix))


class Builder(Strategy):
    name = "builder"
    description = "Builds, with a helper"
    params = [StrategyParam(name="tone", default="dry")]

    def build(self, context):
        helper = SubAgent(description="helps", agent=AgentSpec(suffix="ROLE-HELPER"))
        return Blueprint(
            agent=agent(context, f"ROLE-BUILDER tone={context.params['tone']}."),
            subagents={"helper": helper},
        )


class Reader(Strategy):
    name = "reader"
    description = "Reads"

    def build(self, context):
        return Blueprint(agent=agent(context, "ROLE-READER"))


careful = layer(Builder(), "guardrails", name="careful")
crew = team(Reader(), second=Reader(), name="crew")
flow = pipeline(careful, crew, name="flow", description="Build, then read")
"""
ROLES = Roles(
    {
        "careful/helper": "ROLE-HELPER",
        "careful": "ROLE-BUILDER",
        "crew/second": "as 'second' in a team",
        "crew": "ROLE-READER",
        "main": "You lead a pipeline",
    }
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    pytest.importorskip("openhands.agent_server")
    home: Path = tmp_path_factory.mktemp("compositions")
    write(home / "forms.py", FORMS)
    offered = ["--extensions", "./forms.py:flow", "--workspaces", str(home)]
    with running_server(home, offered) as running:
        yield running


def test_it_is_in_the_list_with_its_parts(served: Server) -> None:
    (flow,) = served.get("/api/strategies").json()["strategies"]
    assert (flow["name"], flow["description"]) == ("flow", "Build, then read")
    # What the parts take is known only when their code is loaded.
    assert flow["params_schema"] is None


def test_it_runs_to_its_end_and_every_role_is_charged(served: Server) -> None:
    def script(turn: Turn) -> Reply:
        return in_order(
            {
                "careful/helper": [say("helped")],
                "careful": [task("helper"), finish("built")],
                "crew/second": [say("read it too")],
                "crew": [task("second"), finish("read")],
                "main": [task("careful"), task("crew"), finish("all done")],
            }[ROLES.of(turn.system)]
        )(turn)

    with served.model(script, "flow") as model:
        run = served.start(
            "flow",
            task="Build it",
            params={"tone": "warm"},
            workspace=str(served.workspace("flow")),
            llm_profile="flow-main",
        )
        report = served.ended(run)
        costs: dict[str, float] = {}
        for one in model.served:
            role = ROLES.of(str(one.messages[0]["content"]))
            costs[role] = costs.get(role, 0) + (one.cost_usd or 0)
        builder = next(
            one for one in model.served if "ROLE-BUILDER" in str(one.messages[0]["content"])
        )
    assert (report["status"], report["answer"]) == ("finished", "all done")
    assert report["params"]["careful.builder.tone"] == "warm"
    assert "tone=warm." in str(builder.messages[0]["content"])
    assert {row["role"]: row["cost_usd"] for row in report["roles"]} == pytest.approx(costs)
    assert set(costs) == set(ROLES.marks)
