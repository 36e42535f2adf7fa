"""Layers and teams: what arrives where, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from openhands_strategies import (
    Blueprint,
    BuildError,
    LoadError,
    ParameterError,
    ResolveError,
    UsageError,
)
from openhands_strategies.compose.conflict import MergeConflict
from openhands_strategies.project.home import find_home
from openhands_strategies.registry.catalog import resolve
from openhands_strategies.runtime.llms import main_llm
from openhands_strategies.runtime.loader import load, load_again
from openhands_strategies.runtime.prepare import Prepared, Settings, prepare
from openhands_strategies.runtime.values import check_params
from openhands_strategies.testing import Reply, Turn, call, finish, in_order, say
from support import MAIN, bench, task, write

pytestmark = pytest.mark.e2e

HEAD = """
from openhands.sdk import Agent, AgentContext, Tool
from openhands.sdk.hooks import HookConfig
from openhands.sdk.skills import Skill
from openhands_strategies import AgentSpec, Blueprint, Limits, Strategy, StrategyParam, SubAgent
from openhands_strategies.compose import layer, part, pipeline, team

TERMINAL = Tool(name="terminal", params={"terminal_type": "subprocess"})


def agent(context, suffix, *, skills=(), tools=()):
    return Agent(
        llm=context.llm,
        tools=list(tools),
        agent_context=AgentContext(system_message_suffix=suffix, skills=list(skills)),
    )


def hooks(command):
    return HookConfig.model_validate(
        {"pre_tool_use": [{"matcher": "*", "hooks": [{"command": command}]}]}
    )


def skill(text):
    return Skill(name="style", content=text)


class Base(Strategy):
    name = "base"
    description = "Works"
    params = [StrategyParam(name="level", type="integer", default=1)]

    def build(self, context):
        helper = SubAgent(
            description="helps", agent=AgentSpec(tools=("terminal",), suffix="ROLE-HELPER")
        )
        return Blueprint(
            agent=agent(context, "ROLE-BASE", tools=[TERMINAL]),
            subagents={"helper": helper},
            hooks=hooks("echo base >> hooks.log"),
            prompt="BASE: {task}",
            limits=Limits(iterations=50, budget=5),
            confirmation="never",
        )


class House(Strategy):
    name = "house"
    description = "House style"
    overlay = True
    params = [StrategyParam(name="tone", default="dry")]

    def build(self, context):
        return Blueprint(
            agent=agent(context, f"HOUSE tone={context.params['tone']}", skills=[skill("short")]),
            hooks=hooks("echo house >> hooks.log"),
            prompt="{task} (in house style)",
            limits=Limits(budget=2),
            confirmation="never",
        )
"""

FORMS = (
    HEAD
    + """

class Other(Base):
    name = "other"

    def build(self, context):
        return Blueprint(agent=agent(context, "ROLE-OTHER"))


class Style(House):
    name = "loud"

    def build(self, context):
        return Blueprint(agent=agent(context, "", skills=[skill("LOUD")]))


class Louder(Style):
    name = "louder"
    replaces = ["skill:style"]


class Helping(Strategy):
    name = "helping"
    overlay = True

    def build(self, context):
        other = SubAgent(description="another", agent=AgentSpec(suffix="OTHER-HELPER"))
        return Blueprint(agent=Agent(llm=context.llm), subagents={"helper": other})


class Level(House):
    name = "level"
    params = [StrategyParam(name="level", type="string", default="high")]

    def build(self, context):
        return Blueprint(agent=Agent(llm=context.llm))


housed = layer(Base(), House(), name="housed")
crew = team(Base(), reviewer=layer(Other(), House()), name="crew")
clash = layer(Base(), House(), Style(), name="clash")
replaced = layer(Base(), House(), Louder(), name="replaced")
nothing = layer(Base(), Louder(), name="nothing")
helpers = layer(Base(), Helping(), name="helpers")
misplaced = layer(pipeline(Base(), Other()), Helping(), name="misplaced")
phases = layer(pipeline(Base(), Other()), House(), name="phases")
levels = layer(Base(), Level(), name="levels")


class Strict(House):
    name = "strict"

    def build(self, context):
        return Blueprint(agent=Agent(llm=context.llm), confirmation="always")


class Second(House):
    name = "second"
    params = []

    def build(self, context):
        return Blueprint(
            agent=agent(context, "SECOND RULES", tools=[Tool(name="glob")]),
            hooks=hooks("echo second >> hooks.log"),
            limits=Limits(iterations=20),
        )


doubled = layer(layer(Base(), House(), name="inner"), Second(), name="doubled")


class Cheap(Strategy):
    name = "cheap"
    overlay = True

    def build(self, context):
        return Blueprint(agent=Agent(llm=context.llm_for("openai/cheap")))


chosen = layer(Base(), Cheap(), House(), name="chosen")
strict = layer(Base(), Strict(), House(), name="strict")
bounded = team(Other(), base=part(Base(), limits=Limits(budget=9, iterations=7)), name="bounded")
settled = layer(
    pipeline(Base(), Level(), name="inner", defaults={"base.level": 2, "level.level": "low"}),
    House(),
    name="settled",
)
alone = pipeline(Base(), House(), name="alone")
deep = pipeline(pipeline(pipeline(pipeline(pipeline(Base())))), name="deep")
twice = pipeline(Base(), Base(), Other(), name="twice")
taken = team(Base(), helper=Other(), name="taken")
defaulted = layer(Base(), House(), name="defaulted", defaults={"house.colour": "red"})
"""
)


@pytest.fixture
def forms(tmp_path: Path) -> Path:
    return write(tmp_path / "forms.py", FORMS)


def ready(reference: str, params: dict[str, object] | None = None, *overlays: str) -> Prepared:
    """Prepare without any model behind it."""
    home = find_home()
    loaded = load(resolve(reference), home, [resolve(one) for one in overlays])
    llm = main_llm(model=MAIN, base_url="http://127.0.0.1:9/v1")
    return prepare(loaded, llm, params or {}, Settings(home=home, priced=False))


def suffix(prepared: Prepared) -> str:
    context = prepared.agent.agent_context
    return str(context.system_message_suffix) if context else ""


def test_an_overlay_reaches_the_main_agent_and_its_hooks_everybody(forms: Path) -> None:
    def script(turn: Turn) -> Reply:
        if "ROLE-HELPER" in turn.system:
            return in_order([call("terminal", command="echo helper"), say("helped")])(turn)
        return in_order(
            [
                call("terminal", command="echo main"),
                call("task", subagent_type="helper", prompt="help"),
                finish("done"),
            ]
        )(turn)

    with bench(forms.parent / "ws", script) as b:
        report = b.run(f"{forms}:housed", "paint it", params={"tone": "warm"})
        main = b.model.served[0]
        helper = next(o for o in b.model.served if "ROLE-HELPER" in str(o.messages[0]["content"]))
        log = (b.workspace / "hooks.log").read_text().split()
    assert report.status == "finished"
    system = str(main.messages[0]["content"])
    assert system.index("ROLE-BASE") < system.index("# house") < system.index("HOUSE tone=warm")
    assert "BASE: paint it (in house style)" in str(main.messages[1]["content"])
    assert "HOUSE" not in str(helper.messages[0]["content"])
    # Three tool calls with the task's own, and both hooks of each in order.
    assert log == ["base", "house"] * (len(log) // 2)
    assert len(log) >= 6
    assert report.params == {"base.level": 1, "house.tone": "warm"}


def test_a_layer_over_a_layer(forms: Path) -> None:
    def script(turn: Turn) -> Reply:
        if "ROLE-HELPER" in turn.system:
            return in_order([call("terminal", command="echo helper"), say("helped")])(turn)
        return in_order([task("helper", "help"), finish("done")])(turn)

    with bench(forms.parent / "ws", script) as b:
        report = b.run(f"{forms}:doubled", "paint it", params={"inner.house.tone": "warm"})
        main = b.model.served[0]
        log = (b.workspace / "hooks.log").read_text().split()
    assert report.status == "finished"
    system = str(main.messages[0]["content"])
    parts = ["ROLE-BASE", "# house", "HOUSE tone=warm", "# second", "SECOND RULES"]
    places = [system.index(one) for one in parts]
    assert places == sorted(places)
    assert {"terminal", "glob", "task"} <= set(main.tools)
    assert "BASE: paint it (in house style)" in str(main.messages[1]["content"])
    assert len(log) >= 6
    assert log == ["base", "house", "second"] * (len(log) // 3)


def test_limits_are_the_tighter_ones(forms: Path) -> None:
    prepared = ready(f"{forms}:housed")
    assert (prepared.limits.iterations, prepared.limits.budget) == (50, 2)


def test_a_part_is_bound_by_its_own_limits_too(forms: Path) -> None:
    entry = ready(f"{forms}:bounded").scope.agents["base"]
    assert (entry.iterations, entry.budget) == (7, 5)


def test_a_model_comes_from_the_outermost_part_that_chose_one(forms: Path) -> None:
    assert ready(f"{forms}:chosen").agent.llm.model == "openai/cheap"
    assert ready(f"{forms}:housed").agent.llm.model == MAIN


def test_the_stricter_confirmation_counts_and_is_marked(forms: Path) -> None:
    prepared = ready(f"{forms}:strict")
    assert prepared.confirmation == "always"
    brought = [(b.name, b.part) for b in prepared.blueprint.brought if b.kind == "confirmation"]
    assert brought == [("always", "strict")]


def test_a_member_of_a_team_is_a_whole_strategy(forms: Path) -> None:
    def script(turn: Turn) -> Reply:
        if "ROLE-OTHER" in turn.system:
            return say("no faults")
        if "ROLE-HELPER" in turn.system:
            return say("helped")
        return in_order(
            [
                call("task", subagent_type="reviewer", prompt="look at it"),
                call("task", subagent_type="helper", prompt="help"),
                finish("done"),
            ]
        )(turn)

    with bench(forms.parent / "ws", script) as b:
        report = b.run(f"{forms}:crew")
        lead = b.model.served[0]
        reviewer = next(o for o in b.model.served if "ROLE-OTHER" in str(o.messages[0]["content"]))
    assert report.status == "finished"
    told = lead.description("task")
    assert "- helper: helps" in told
    assert "- reviewer: " in told
    assert "You lead a team" in str(lead.messages[0]["content"])
    assert "HOUSE tone=dry" in str(reviewer.messages[0]["content"])
    assert "You work as 'reviewer' in a team" in str(reviewer.messages[0]["content"])
    assert "look at it (in house style)" in str(reviewer.messages[1]["content"])
    assert "task" not in reviewer.tools
    assert [row.role for row in report.roles] == ["main", "reviewer", "helper"]


def test_what_is_laid_over_a_pipeline_goes_to_its_phases(forms: Path) -> None:
    blueprint = ready(f"{forms}:phases").blueprint
    leading = str(blueprint.agent.agent_context.system_message_suffix)  # type: ignore[union-attr]
    assert "HOUSE" not in leading
    for alias in ("base", "other"):
        phase = blueprint.subagents[alias].agent
        assert "HOUSE tone=dry" in str(phase.agent.agent_context.system_message_suffix)  # type: ignore[union-attr]
    assert blueprint.limits.budget == 2


def test_a_conflict_names_both_parts_and_the_item(forms: Path) -> None:
    with pytest.raises(MergeConflict) as caught:
        ready(f"{forms}:clash")
    assert caught.value.code == "merge_conflict"
    assert "'house' and 'loud' both bring the skill 'style'" in caught.value.message
    assert "skill:style" in caught.value.hint
    with pytest.raises(MergeConflict, match="'base' and 'helping' both bring the subagent"):
        ready(f"{forms}:helpers")
    with pytest.raises(MergeConflict, match="'base' and 'helper' both bring the subagent 'helper'"):
        ready(f"{forms}:taken")


def test_an_overlay_may_say_that_it_replaces(forms: Path) -> None:
    prepared = ready(f"{forms}:replaced")
    context = prepared.agent.agent_context
    assert context is not None
    assert [one.content for one in context.skills] == ["LOUD"]
    brought = [one.part for one in prepared.blueprint.brought if one.kind == "skill"]
    assert brought == ["louder"]
    with pytest.raises(BuildError) as caught:
        ready(f"{forms}:nothing")
    assert caught.value.code == "replaces_nothing"


def test_an_overlay_that_fits_one_phase_only(forms: Path) -> None:
    with pytest.raises(BuildError) as caught:
        ready(f"{forms}:misplaced")
    assert caught.value.code == "overlay_misplaced"
    assert "fits 'other' but not 'base'" in caught.value.message


def test_a_parameter_that_parts_share_with_different_types(forms: Path) -> None:
    with pytest.raises(ParameterError) as caught:
        ready(f"{forms}:levels")
    assert caught.value.code == "parameter_conflict"
    assert "'base.level' and 'level.level'" in caught.value.message
    named = ready(f"{forms}:levels", {"base.level": 2, "level.level": "low"})
    assert named.params == {"base.level": 2, "level.level": "low"}
    # What an inner composition has set needs nobody to name it.
    loaded = load(resolve(f"{forms}:settled"), find_home())
    assert check_params(loaded, {})["inner.level.level"] == "low"


def test_parts_of_the_same_name_and_values_for_each(forms: Path) -> None:
    prepared = ready(f"{forms}:twice", {"level": 3, "base-2.level": 4})
    assert prepared.params == {"base.level": 3, "base-2.level": 4, "other.level": 3}
    with pytest.raises(ParameterError) as caught:
        ready(f"{forms}:twice", {"base-3.level": 4})
    assert caught.value.code == "param_unknown"
    with pytest.raises(BuildError) as unknown:
        ready(f"{forms}:defaulted")
    assert unknown.value.code == "default_unknown"


def test_an_overlay_does_no_work_alone(forms: Path) -> None:
    with pytest.raises(BuildError) as caught:
        ready(f"{forms}:alone")
    assert caught.value.code == "overlay_alone"
    with pytest.raises(UsageError) as usage:
        ready(f"{forms}:House")
    assert usage.value.code == "overlay_alone"


def test_depth_has_an_end(forms: Path) -> None:
    with pytest.raises(BuildError) as caught:
        ready(f"{forms}:deep")
    assert caught.value.code == "depth_limit"


def test_overlays_given_beside_the_strategy(forms: Path, tmp_path: Path) -> None:
    prepared = ready(f"{forms}:Base", {"tone": "warm"}, f"{forms}:House")
    assert "HOUSE tone=warm" in suffix(prepared)
    assert prepared.loaded.name == "base"
    assert [one.name for one in prepared.loaded.origin.overlays] == ["house"]
    again = load_again(prepared.loaded.origin, find_home())
    llm = main_llm(model=MAIN, base_url="http://127.0.0.1:9/v1")
    resumed = prepare(again, llm, prepared.params, Settings(home=find_home(), priced=False))
    assert suffix(resumed) == suffix(prepared)


def test_every_item_knows_who_brought_it(forms: Path) -> None:
    brought = {(b.kind, b.name): b.part for b in ready(f"{forms}:housed").blueprint.brought}
    assert brought["tool", "terminal"] == "base"
    assert brought["subagent", "helper"] == "base"
    assert brought["skill", "style"] == "house"
    assert brought["hook", "pre_tool_use: echo base >> hooks.log"] == "base"
    assert brought["hook", "pre_tool_use: echo house >> hooks.log"] == "house"
    assert brought["limit", "budget"] == "house"
    assert brought["limit", "iterations"] == "base"
    phases = ready(f"{forms}:phases").blueprint
    phase = phases.subagents["base"].agent
    assert isinstance(phase, Blueprint)
    suffixes = [one.part for one in phase.brought if one.kind == "suffix"]
    assert suffixes == ["pipeline/base", "pipeline", "house"]


PART = """
from openhands.sdk import Agent, AgentContext
from openhands_strategies import Blueprint, Strategy
from openhands_strategies.compose import pipeline


class Piece(Strategy):
    name = "{name}"

    def build(self, context):
        return Blueprint(
            agent=Agent(
                llm=context.llm, agent_context=AgentContext(system_message_suffix="TEXT-{name}")
            )
        )
"""


def test_a_part_is_found_beside_the_strategy_that_names_it(tmp_path: Path) -> None:
    write(tmp_path / "house" / "one.py", PART.format(name="one"))
    write(tmp_path / "house" / "two" / "strategy.py", PART.format(name="two"))
    text = 'flow = pipeline("./one.py", "./two", name="flow")\n'
    flow = write(
        tmp_path / "house" / "flow.py",
        "from openhands_strategies.compose import pipeline\n" + text,
    )
    prepared = ready(str(flow))
    assert list(prepared.blueprint.subagents) == ["one", "two"]
    parts = prepared.loaded.origin.parts
    assert {label: part.tree for label, part in parts.items()}.keys() == {"one", "two"}
    # The code that a run started with, whatever becomes of the files.
    (tmp_path / "house" / "one.py").write_text("raise RuntimeError('changed')\n")
    again = load_again(prepared.loaded.origin, find_home())
    assert again.parts["one"].origin.tree == parts["one"].tree
    with pytest.raises(LoadError):
        ready(str(flow))


def test_a_strategy_that_is_a_part_of_itself(tmp_path: Path) -> None:
    head = "from openhands_strategies.compose import pipeline\n"
    write(tmp_path / "a.py", head + 'a = pipeline("./b.py", name="a")\n')
    write(tmp_path / "b.py", head + 'b = pipeline("./a.py", name="b")\n')
    with pytest.raises(LoadError) as caught:
        ready(str(tmp_path / "a.py"))
    assert caught.value.code == "composition_cycle"
    assert "a → b → a" in caught.value.message


def test_a_part_that_there_is_not(tmp_path: Path) -> None:
    flow = write(
        tmp_path / "flow.py",
        "from openhands_strategies.compose import pipeline\n"
        'flow = pipeline("no-such-strategy", name="flow")\n',
    )
    with pytest.raises(ResolveError) as caught:
        ready(str(flow))
    assert caught.value.code == "strategy_unknown"
