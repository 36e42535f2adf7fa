"""The JSON that the task tool set carries."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from openhands_strategies.runtime.entries import Entry, ModelChoice, Origin, Scope

ORIGIN = Origin(
    name="x",
    reference="./x",
    source={"type": "path", "path": "/x"},
    tree="sha256:" + "0" * 64,
    module="strategy.py",
    attribute="X",
)
LEAF = Entry(description="tests", kind="declared", tools=({"name": "terminal", "params": {}},))
LEAD = Entry(description="leads", kind="code", agents={"tester": LEAF}, budget=0.5)
FACTORY = Entry(description="made", kind="code", same_scope=True)


def test_a_scope_survives_json() -> None:
    scope = Scope(
        strategy=ORIGIN,
        params={"n": 1, "s": None},
        prices={"m": (1.0, 2.0)},
        agents={"lead": LEAD, "made": FACTORY},
        budget=2.0,
    )
    text = json.dumps(scope.to_params())
    assert Scope.model_validate(json.loads(text)) == scope


def test_below_an_alias_stand_its_own_sub_agents_only() -> None:
    scope = Scope(agents={"lead": LEAD, "made": FACTORY, "tester": FACTORY}, params={"n": 1})
    below = scope.below("lead")
    assert below.agents == {"tester": LEAF}
    assert below.path == ("lead",)
    assert below.params == {"n": 1}
    assert below.below("tester").agents == {}
    assert below.below("tester").path == ("lead", "tester")


def test_a_registered_agent_is_offered_what_its_parent_is() -> None:
    scope = Scope(agents={"made": FACTORY, "lead": LEAD})
    assert scope.below("made").agents == scope.agents


def test_a_scope_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        LEAF.description = "other"


@pytest.mark.parametrize(
    "data",
    [
        {"agents": {"x": {"description": "d", "kind": "other"}}},
        {"agents": {"x": {"description": "d"}}},
        {"agents": {"x": {"description": "d", "kind": "code", "api_key": "sk"}}},
        {"unknown": 1},
    ],
)
def test_what_does_not_belong_there_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Scope.model_validate(data)


def test_the_default_is_the_parents_model() -> None:
    assert LEAF.llm == ModelChoice(model=None, profile=None)
