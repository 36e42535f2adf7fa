"""Tool registry and the stock task tool's shapes, on which our own tool set stands."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest

from openhands_strategies.runtime.entries import TASK_TOOL_SET, Entry, Scope
from openhands_strategies.runtime.equip import STOCK_TASK_TOOLS
from openhands_strategies.runtime.task_tools import register_task_tools

pytestmark = pytest.mark.contract


@pytest.fixture
def llm() -> Any:
    from openhands.sdk import LLM

    return LLM(model="openai/main", api_key="sk-test-4711")


def test_the_arguments_that_a_model_gives_a_task() -> None:
    # task_tools.py reads exactly these four; the default name is nobody's alias.
    from openhands.tools.task.definition import TaskAction

    action = TaskAction(prompt="look")
    assert (action.prompt, action.subagent_type) == ("look", "general-purpose")
    assert (action.description, action.resume) == (None, None)


def test_what_the_observation_shows_to_the_model() -> None:
    # Fusion's texts and the scripted model read "Task ID:" and "Status:".
    from openhands.tools.task.definition import TaskObservation

    observation = TaskObservation.from_text(
        text="It broke.", task_id="task_00000001", subagent="helper", status="limit", is_error=True
    )
    text = "\n".join(getattr(part, "text", "") for part in observation.to_llm_content)
    assert "Task ID: task_00000001" in text
    assert "Subagent: helper" in text
    assert "Status: limit" in text
    assert "It broke." in text
    assert observation.is_error


def test_the_task_tool_takes_our_executor_and_our_description() -> None:
    # StrategyTaskToolSet.create makes the stock tool with both.
    from openhands.sdk.tool import ToolExecutor
    from openhands.tools.task.definition import TaskTool

    class Executor(ToolExecutor[Any, Any]):
        def __call__(self, action: Any, conversation: Any = None) -> Any:
            raise NotImplementedError

    (tool,) = TaskTool.create(executor=Executor(), description="Ours.")  # type: ignore[arg-type]
    assert (tool.name, tool.description) == ("task", "Ours.")
    assert isinstance(tool.executor, Executor)


def test_task_calls_may_run_at_the_same_time() -> None:
    # Declared resources without keys mean no lock; an undeclared tool is serialised.
    from openhands.tools.task.definition import TaskAction, TaskTool

    resources = TaskTool.declared_resources(object(), TaskAction(prompt="x"))  # type: ignore[arg-type]
    assert resources.declared is True
    assert tuple(resources.keys) == ()


def test_an_agent_runs_one_tool_at_a_time_unless_it_says_otherwise(llm: Any) -> None:
    # The strategy sets the bound of parallel delegation.
    from openhands.sdk import Agent

    assert Agent(llm=llm, tools=[]).tool_concurrency_limit == 1
    assert Agent(llm=llm, tools=[], tool_concurrency_limit=4).tool_concurrency_limit == 4


def test_the_stock_tool_set_is_registered_under_a_name_that_we_replace() -> None:
    from openhands.tools.task import TaskToolSet

    assert TaskToolSet.name in STOCK_TASK_TOOLS


def test_a_tool_set_gets_its_parameters_as_json_keywords(llm: Any) -> None:
    # The scope stands in `Tool.params` and survives the agent's JSON, keys not included.
    from openhands.sdk import Agent, Tool

    register_task_tools()
    scope = Scope(
        agents={"helper": Entry(description="helps", kind="declared", budget=0.5)},
        params={"n": None, "ü": [1]},
        prices={"m": (1.0, 2.0)},
    )
    agent = Agent(llm=llm, tools=[Tool(name=TASK_TOOL_SET, params=scope.to_params())])
    restored = Agent.model_validate(json.loads(agent.model_dump_json()))
    assert Scope.model_validate(restored.tools[0].params) == scope
    assert restored.tool_concurrency_limit == agent.tool_concurrency_limit


def test_the_registry_of_tools_can_be_asked_and_added_to() -> None:
    # register_task_tools registers once; require_tools asks before it imports.
    from openhands.sdk.tool import register_tool
    from openhands.sdk.tool.builtins import BUILT_IN_TOOL_CLASSES
    from openhands.sdk.tool.registry import list_registered_tools

    register_task_tools()
    register_task_tools()
    assert list(list_registered_tools()).count(TASK_TOOL_SET) == 1
    assert list(inspect.signature(register_tool).parameters)[:2] == ["name", "factory"]
    assert {"FinishTool", "ThinkTool"} <= set(BUILT_IN_TOOL_CLASSES)


def test_copying_an_agent_with_other_tools_leaves_the_first_alone(llm: Any) -> None:
    # equip.py and spawn.py use model_copy throughout; agents are frozen.
    from openhands.sdk import Agent, Tool

    first = Agent(llm=llm, tools=[])
    second = first.model_copy(update={"tools": [Tool(name="terminal")]})
    assert (len(first.tools), len(second.tools)) == (0, 1)
    with pytest.raises(ValueError, match="frozen"):
        first.tools = []


def test_all_llms_of_an_agent_are_listed(llm: Any) -> None:
    # Prices are looked up for each; a condenser has an LLM of its own.
    from openhands.sdk import Agent
    from openhands.sdk.context.condenser import LLMSummarizingCondenser

    other = llm.model_copy(update={"usage_id": "condenser"})
    condenser = LLMSummarizingCondenser(llm=other, max_size=240, keep_first=2)
    agent = Agent(llm=llm, tools=[], condenser=condenser)
    assert {one.usage_id for one in agent.get_all_llms()} == {llm.usage_id, "condenser"}
