"""Class names that are global to the process: why `class_name_taken` exists."""

from __future__ import annotations

import copy
import gc
import types
from typing import Any

import pytest

pytestmark = pytest.mark.contract

CRITIC = """
from openhands.sdk.critic.base import CriticBase, CriticResult

class ContractTwinCritic(CriticBase):
    def evaluate(self, events, git_patch=None):
        return CriticResult(score=1.0, message="")
"""


def module(text: str) -> types.ModuleType:
    made = types.ModuleType("contract_twin")
    exec(text, made.__dict__)
    return made


def dumped(llm: Any) -> dict[str, Any]:
    from openhands.sdk import Agent
    from openhands.sdk.critic import PassCritic

    agent = Agent(llm=llm, tools=[], critic=PassCritic())
    return agent.model_dump(mode="json", context={"expose_secrets": True})


def failure(agent_class: Any, data: dict[str, Any]) -> str:
    """The text only: the exception's traceback would keep the classes alive."""
    try:
        agent_class.model_validate(copy.deepcopy(data))  # 1.21 takes `kind` out of it
    except ValueError as error:
        return str(error)
    return ""


def test_two_classes_of_one_name_break_every_agent_with_such_a_part() -> None:
    # sdk_classes.py refuses the second one before its module runs.
    from openhands.sdk import LLM, Agent
    from openhands.sdk.utils import models

    data = dumped(LLM(model="openai/main", api_key="sk-test-4711"))
    twins = [module(CRITIC), module(CRITIC)]
    problem = failure(Agent, data)
    assert "Duplicate class definition" in problem
    assert "ContractTwinCritic" in problem
    # Once they are collected, all is well again: check_class_names helps a corrected file so.
    twins.clear()
    if (clear := getattr(models, "clear_subclass_cache", None)) is not None:
        clear()
    gc.collect()
    assert type(Agent.model_validate(data).critic).__name__ == "PassCritic"


def test_all_such_classes_are_found_below_one_base() -> None:
    # sdk_classes.py walks `__subclasses__` from here.
    from openhands.sdk.critic import PassCritic
    from openhands.sdk.tool.builtins import FinishTool
    from openhands.sdk.utils.models import DiscriminatedUnionMixin

    for one, family in ((PassCritic, "CriticBase"), (FinishTool, "ToolDefinition")):
        names = [base.__name__ for base in one.__mro__]
        assert family in names
        assert names.index(family) < names.index(DiscriminatedUnionMixin.__name__)
