"""What `plan --prompts` shows is what the models then receive."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.runtime.plan import plan
from openhands_strategies.testing import Reply, Served, Turn, call, finish, in_order, say
from openhands_strategies.testing.turns import text_of
from support import Roles, bench, task, write

pytestmark = pytest.mark.e2e

COMPOSED = """
from openhands.sdk import Agent, AgentContext, Tool
from openhands.sdk.hooks import HookConfig
from openhands_strategies import AgentSpec, Blueprint, Strategy, SubAgent
from openhands_strategies.compose import layer, pipeline, team

TERMINAL = {"name": "terminal", "params": {"terminal_type": "subprocess"}}


def agent(context, suffix, *tools):
    return Agent(
        llm=context.llm,
        tools=list(tools),
        agent_context=AgentContext(system_message_suffix=suffix),
    )


class Coder(Strategy):
    name = "coder"
    description = "Codes, with a helper"

    def build(self, context):
        helper = SubAgent(
            description="helps",
            agent=AgentSpec(tools=(TERMINAL, "file_editor"), suffix="ROLE-HELPER"),
            workspace="src",
        )
        return Blueprint(
            agent=agent(context, "ROLE-CODER", Tool(**TERMINAL), Tool(name="task_tracker")),
            subagents={"helper": helper},
            prompt="CODE THIS: {task}",
        )


class Reviewer(Strategy):
    name = "reviewer"
    description = "Reviews"

    def build(self, context):
        return Blueprint(agent=agent(context, "ROLE-REVIEWER", Tool(name="grep")))


class House(Strategy):
    name = "house"
    description = "House rules"
    overlay = True

    def build(self, context):
        logged = {"matcher": "*", "hooks": [{"command": "echo house >> hooks.log"}]}
        return Blueprint(
            agent=agent(context, "HOUSE RULES", Tool(name="glob")),
            hooks=HookConfig.model_validate({"pre_tool_use": [logged]}),
        )


work = pipeline(team(Coder(), reviewer=Reviewer(), name="crew"), name="work")
ruled = layer(work, House(), name="ruled")
"""
_NOW = re.compile(r"<CURRENT_DATETIME>.*?</CURRENT_DATETIME>", re.DOTALL)


def script(turn: Turn) -> Reply:
    if "ROLE-HELPER" in turn.system:
        return in_order([call("think", thought="hm"), say("helped")])(turn)
    if "ROLE-REVIEWER" in turn.system:
        return say("fine")
    if "ROLE-CODER" in turn.system:
        replies = [task("helper", "look"), task("reviewer", "judge"), finish("coded")]
        return in_order(replies)(turn)
    return in_order([task("crew", "do it"), finish("done")])(turn)


def without_time(text: str) -> str:
    return " ".join(_NOW.sub("", text).split())


def schemas(served: Served) -> dict[str, Any]:
    return {one["function"]["name"]: one["function"] for one in served.offered}


def shown(document: Mapping[str, Any], role: str) -> dict[str, Any]:
    return {
        tool["name"]: {key: tool[key] for key in ("name", "description", "parameters")}
        for tool in document["tools"]
        if tool["role"] == role
    }


def test_prompts_and_tools_are_those_that_the_models_receive(tmp_path: Path) -> None:
    """A layer over a pipeline of a team whose lead has a helper: two levels below main."""
    marks = {
        "main": "You lead a pipeline",
        "crew": "ROLE-CODER",
        "crew/helper": "ROLE-HELPER",
        "crew/reviewer": "ROLE-REVIEWER",
    }
    write(tmp_path / "composed.py", COMPOSED)
    workspace = tmp_path / "ws"
    (workspace / "src").mkdir(parents=True)
    with bench(workspace, script) as b:
        prepared = b.prepare(f"{tmp_path / 'composed.py'}:ruled")
        document = plan(prepared, prompts=True, workspace=workspace)
        assert b.model.served == []
        report = b.run(f"{tmp_path / 'composed.py'}:ruled", "build it")
        served = list(b.model.served)
        costs = Roles(marks).costs(b)
    assert report.status == "finished"
    # Each role is charged with its own calls, two levels down as well.
    assert {row.role: row.cost_usd for row in report.roles} == pytest.approx(costs)
    assert min(costs.values()) > 0
    # The helper works in a directory of its own, and so does the hook that guards it.
    assert (workspace / "src" / "hooks.log").read_text() == "house\n"
    assert [role["role"] for role in document["roles"]] == list(marks)
    for role in document["roles"]:
        path = role["role"]
        first = next(one for one in served if marks[path] in text_of(one.messages[0]))
        received = text_of(first.messages[0])
        assert without_time(received) == without_time(role["system_prompt"]), path
        assert schemas(first) == shown(document, path), path
        assert list(schemas(first)) == role["tools"], path
        message = text_of(next(m for m in first.messages if m["role"] == "user"))
        assert message.startswith(role["first_message"].partition("{task}")[0]), path
    assert "HOUSE RULES" in document["roles"][1]["system_prompt"]
    assert json.dumps(document)
