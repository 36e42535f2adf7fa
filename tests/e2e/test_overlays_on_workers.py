"""Overlays over strategies whose main agent only leads: who receives what they bring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openhands_strategies.errors import BuildError
from openhands_strategies.runtime.plan import plan
from openhands_strategies.testing import call, finish, say
from openhands_strategies.testing.turns import text_of
from support import Roles, bench, task, tool_texts, write

pytestmark = pytest.mark.e2e

FORMS = """
from openhands.sdk import Agent, AgentContext, Tool
from openhands.sdk.skills import Skill
from openhands_strategies import AgentSpec, Blueprint, Limits, Strategy, SubAgent
from openhands_strategies.compose import layer, pipeline


class Hands(Strategy):
    name = "hands"
    description = "A terminal, house rules, and few steps"
    overlay = True

    def build(self, context):
        told = AgentContext(
            system_message_suffix="HOUSE RULES",
            skills=[Skill(name="style", content="STYLE GUIDE")],
        )
        agent = Agent(llm=context.llm, tools=[Tool(name="terminal")], agent_context=told)
        return Blueprint(agent=agent, limits=Limits(iterations=6))


class Helping(Strategy):
    name = "helping"
    overlay = True

    def build(self, context):
        spec = AgentSpec(tools=("file_editor",), suffix="ROLE-HELPER")
        helper = SubAgent(description="helps", agent=spec)
        return Blueprint(agent=Agent(llm=context.llm), subagents={"helper": helper})


class Made(Strategy):
    name = "made"

    def build(self, context):
        one = SubAgent(description="x", agent=lambda llm: Agent(llm=llm, tools=[]))
        return Blueprint(agent=Agent(llm=context.llm), subagents={"one": one}, workers=("one",))


handed = layer("waterfall", Hands(), name="handed")
planned = layer("plan-execute", Hands(), name="planned")
helped = layer("waterfall", Helping(), name="helped")
nested = layer(pipeline("waterfall", name="flow"), Hands(), name="nested")
function = layer(Made(), Hands(), name="function")
"""
WATERFALL = Roles(
    {
        "helper": "ROLE-HELPER",
        "designer": "You are the designer",
        "coder": "You are the coder",
        "tester": "You are the tester",
        "main": "Leading a waterfall",
    }
)
PLANNED = Roles(
    {
        "planner": "You are the planner",
        "executor": "You are the executor",
        "main": "Leading a planner",
    }
)


@pytest.fixture
def forms(tmp_path: Path) -> Path:
    return write(tmp_path / "forms.py", FORMS)


def looking(made: Path) -> list[Any]:
    """A phase that may only look tries the overlay's terminal, its editor, then looks."""
    return [
        call("terminal", command=f"touch {made}"),
        call("file_editor", command="create", path=str(made), file_text="x"),
        call("file_editor", command="view", path=str(made.parent)),
        say("DESIGN"),
    ]


@pytest.mark.parametrize(
    ("name", "roles", "reader", "workers"),
    [
        ("handed", WATERFALL, "designer", ["coder", "tester"]),
        ("planned", PLANNED, "planner", ["executor"]),
    ],
)
def test_those_who_work_receive_it_and_the_lead_does_not(
    forms: Path, name: str, roles: Roles, reader: str, workers: list[str]
) -> None:
    made = forms.parent / "ws" / "made"
    steps = {
        "main": [*map(task, [reader, *workers]), finish("done")],
        reader: looking(made),
        **{worker: [say("PASSED")] for worker in workers},
    }
    with bench(forms.parent / "ws", roles.script(steps)) as b:
        report = b.run(f"{forms}:{name}")
        served = {role: roles.served(b, role) for role in steps}
    assert report.status == "finished"
    main = served["main"][0]
    assert not {"terminal", "file_editor"} & set(main.tools)
    assert "HOUSE RULES" not in text_of(main.messages[0])
    assert "STYLE GUIDE" not in text_of(main.messages[0])
    for role in (reader, *workers):
        system = text_of(served[role][0].messages[0])
        assert "HOUSE RULES" in system, role
        assert "STYLE GUIDE" in system, role
        assert {"terminal", "file_editor"} <= set(served[role][0].tools), role
    # The overlay's hands are the reader's too, but not to edit with.
    ran, edited, viewed = tool_texts(served[reader][-1])
    assert f"The {reader} may not edit, and 'terminal' might" in ran
    assert f"The {reader} may not edit, and 'create' edits" in edited
    assert "may not edit" not in viewed
    assert not made.exists()


def test_a_helper_of_a_reader_cannot_edit_either(forms: Path) -> None:
    made = forms.parent / "ws" / "made"
    steps = {
        "main": [task("designer"), task("coder"), task("tester"), finish("done")],
        "designer": [task("helper", "write it"), say("DESIGN")],
        "helper": looking(made)[1:],
        "coder": [say("CODED")],
        "tester": [say("PASSED")],
    }
    with bench(forms.parent / "ws", WATERFALL.script(steps)) as b:
        report = b.run(f"{forms}:helped")
        helper = WATERFALL.served(b, "helper")
    assert report.status == "finished"
    assert "may not edit" in tool_texts(helper[-1])[0]
    assert not made.exists()


def test_the_plan_says_who_brought_what_and_steps_hold_for_everybody(forms: Path) -> None:
    with bench(forms.parent / "ws", lambda turn: finish("never asked")) as b:
        document = plan(b.prepare(f"{forms}:handed"))
        nested = plan(b.prepare(f"{forms}:nested"))
    from_whom = {(one["role"], one["name"]): one["from"]["part"] for one in document["tools"]}
    assert ("main", "terminal") not in from_whom
    assert from_whom["designer", "terminal"] == "hands"
    assert from_whom["designer", "grep"] == "waterfall"
    # Both bring it: the strategy's own mark stays.
    assert from_whom["coder", "terminal"] == "waterfall"
    skills = {(one["role"], one["name"], one["from"]["part"]) for one in document["skills"]}
    assert skills == {(role, "style", "hands") for role in ("designer", "coder", "tester")}
    for made, phases in ((document, ""), (nested, "waterfall/")):
        steps = {
            one["role"]: (one["value"], one["from"]["part"])
            for one in made["limits"]
            if one["name"] == "iterations"
        }
        roles = ["main", *(f"{phases}{one}" for one in ("designer", "coder", "tester"))]
        assert {role: steps[role] for role in roles} == dict.fromkeys(roles, (6, "hands"))
    guards = [one["role"] for one in nested["hooks"] if "designer_guard" in one["command"]]
    assert guards == ["waterfall/designer"]


def test_a_worker_that_a_function_makes_is_refused(forms: Path) -> None:
    with (
        bench(forms.parent / "ws", lambda turn: finish("x")) as b,
        pytest.raises(BuildError) as caught,
    ):
        b.prepare(f"{forms}:function")
    assert caught.value.code == "overlay_misplaced"
    assert "'one', which a function makes" in caught.value.message
