"""SDK subclasses, removed parts of the SDK, and the published example of the RFC."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest import SdkClass, read_manifest
from openhands_strategies.params import StrategyParam

type Write = Callable[[dict[str, str | bytes]], Path]

ONE = "class One:\n    name = 'one'\n    def build(self, context): ...\n"

RFC_EXAMPLE = '''\
# waterfall.py
from openhands.sdk.strategy import Strategy, StrategyParam
from openhands.sdk import Agent, AgentContext, LLM
from openhands.sdk.context import Skill
from openhands.sdk.tool import Tool
from openhands.tools.delegate import DelegateTool, register_agent
from openhands.tools.preset.default import get_default_tools


def _designer(llm: LLM) -> Agent:
    return Agent(llm=llm, tools=[], agent_context=AgentContext(
        system_message_suffix="You are a system architect. Output a design doc."))


def _coder(llm: LLM) -> Agent:
    return Agent(llm=llm, tools=get_default_tools())


class Waterfall(Strategy):
    name = "waterfall"
    description = "Design → Code → Test pipeline"
    params = [StrategyParam(name="max_turns", type="integer", default=8,
                            description="Max turns per phase")]

    def setup(self):
        register_agent("designer", _designer, "System architect")
        register_agent("coder", _coder, "Implementation engineer")

    def build_agent(self, llm, params=None):
        max_turns = (params or {}).get("max_turns", 8)
        return Agent(
            llm=llm,
            tools=[Tool(name="DelegateTool"), *get_default_tools()],
            agent_context=AgentContext(system_message_suffix=f"""
            Orchestrate a waterfall process:
            1. Delegate to 'designer' for architecture ({max_turns} turns max)
            2. Delegate to 'coder' to implement the design
            3. Verify the result
            """))
'''


def test_the_rfc_example_as_published(write: Write) -> None:
    manifest = read_manifest(write({"waterfall.py": RFC_EXAMPLE}), "waterfall.py")

    assert manifest.name == "waterfall"
    assert manifest.description == "Design → Code → Test pipeline"
    assert manifest.params == (StrategyParam("max_turns", "Max turns per phase", "integer", 8),)
    assert manifest.capabilities.agents == ("designer", "coder")
    assert set(manifest.capabilities.tools) == {"DelegateTool", "default tools"}
    imports, tool = manifest.removed_imports
    assert (imports.line, imports.file) == (6, "waterfall.py")
    assert imports.name == (
        "openhands.tools.delegate.DelegateTool and openhands.tools.delegate.register_agent"
    )
    assert imports.replacement == (
        "TaskToolSet from openhands.tools.task, and register_agent from openhands.sdk"
    )
    assert tool.name == 'Tool(name="DelegateTool")'
    assert "TaskToolSet" in tool.replacement


@pytest.mark.parametrize(
    ("source", "removed"),
    [
        ("from openhands.tools.delegate import DelegateTool as D\n", True),
        ("from openhands.tools.delegate.definition import DelegateTool\n", True),
        ("import openhands.tools.delegate as d\nx = d.DelegateTool\n", True),
        ("import openhands.tools.delegate\nx = openhands.tools.delegate.DelegateTool\n", True),
        ("def f():\n    from openhands.tools.delegate import register_agent\n", True),
        ("from openhands.tools.delegate import DelegationVisualizer\n", False),
        ("from openhands.sdk import register_agent\n", False),
        ("from mine import DelegateTool\n", False),
        (
            (
                "try:\n    from openhands.tools.delegate import DelegateTool\n"
                "except ImportError:\n    DelegateTool = None\n"
            ),
            False,
        ),
        (
            (
                "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
                "    from openhands.tools.delegate import DelegateTool\n"
            ),
            False,
        ),
    ],
)
def test_removed_parts_of_the_sdk(write: Write, source: str, removed: bool) -> None:
    manifest = read_manifest(write({"one.py": source + ONE}), "one.py")

    assert bool(manifest.removed_imports) is removed


def test_sdk_subclasses_are_found_under_any_name(write: Write) -> None:
    source = f"""\
from openhands.sdk.critic import CriticBase as CB
import openhands.sdk as s
from openhands.sdk.tool import ToolDefinition, Action
from openhands.sdk.context.condenser.base import CondenserBase
from pydantic import BaseModel
from .shared import Shared
class Critic(CB): ...
class Own(s.Agent): ...
class Act(Action): ...
class Definition(ToolDefinition[Act, s.Observation]): ...
class Below(Critic): ...
class Child(Shared): ...
class Plain(BaseModel): ...
class Outer:
    class Inner(CondenserBase): ...
def make():
    class Local(CB): ...
{ONE}"""
    shared = "from openhands.sdk.event import Event\nclass Shared(Event): ...\n"
    manifest = read_manifest(write({"strategy.py": source, "shared.py": shared}), "strategy.py")

    assert manifest.sdk_classes == (
        SdkClass("Critic", ("CriticBase",), 7, "strategy.py"),
        SdkClass("Own", ("AgentBase",), 8, "strategy.py"),
        SdkClass("Act", ("Schema",), 9, "strategy.py"),
        SdkClass("Definition", ("ToolDefinition",), 10, "strategy.py"),
        SdkClass("Below", ("CriticBase",), 11, "strategy.py"),
        SdkClass("Child", ("Event",), 12, "strategy.py"),
        SdkClass("Inner", ("CondenserBase",), 15, "strategy.py"),
        SdkClass("Local", ("CriticBase",), 17, "strategy.py", nested=True),
        SdkClass("Shared", ("Event",), 2, "shared.py"),
    )
    assert [finding.code for finding in manifest.findings] == ["class_local"]


def test_two_files_with_one_class_name_are_refused(write: Write) -> None:
    critic = "from openhands.sdk.critic import CriticBase\nclass Review(CriticBase): ...\n"
    root = write({"strategy.py": f"from . import a, b\n{ONE}", "a.py": critic, "b.py": critic})

    with pytest.raises(LoadError) as caught:
        read_manifest(root, "strategy.py")

    assert caught.value.code == "class_name_taken"
    assert "a.py:2" in caught.value.message
    assert "b.py:2" in caught.value.message


def test_branches_of_one_file_may_define_a_class_twice(write: Write) -> None:
    source = (
        "from openhands.sdk.critic import CriticBase\n"
        "if new:\n    class Review(CriticBase): ...\nelse:\n    class Review(CriticBase): ...\n"
    )
    assert len(read_manifest(write({"one.py": source + ONE}), "one.py").sdk_classes) == 2
