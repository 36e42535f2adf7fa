"""Tools, sub-agents, hooks and MCP servers that the code names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from openhands_strategies.manifest import Capabilities, Hook, McpServer, read_manifest

type Write = Callable[[dict[str, str | bytes]], Path]

HEAD = """
from openhands.sdk import Agent, AgentDefinition, Tool, register_agent
from openhands.sdk.hooks import HookConfig
from openhands.sdk.hooks.config import HookDefinition, HookMatcher
from openhands.sdk.tool import ToolDefinition
from openhands.tools.preset.default import get_default_tools
from openhands.tools.file_editor import FileEditorTool
from openhands.tools.task import TaskToolSet
from openhands.tools.terminal import TerminalTool
from openhands.tools import grep
from openhands_strategies import AgentSpec, Blueprint, SubAgent

NAMES = ("terminal", "grep")

class One:
    name = "one"
    TOOLS = ("glob",)
    def build(self, context):
"""


def of(write: Write, body: str, more: str = "") -> Capabilities:
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    root = write({"one.py": f"{HEAD}{lines}\n{more}"})
    return read_manifest(root, "one.py").capabilities


@pytest.mark.parametrize(
    ("body", "tools"),
    [
        ("Tool(name='terminal')", ("terminal",)),
        ("Tool('terminal')", ("terminal",)),
        (
            "[Tool(name=TerminalTool.name), Tool(name=FileEditorTool.name)]",
            ("terminal", "file_editor"),
        ),
        ("Tool(name=TaskToolSet.name)", ("task_tool_set",)),
        ("Tool(name=grep.GrepTool.name)", ("grep",)),
        ("Agent(tools=get_default_tools(enable_browser=False))", ("default tools",)),
        ("Agent(tools=[*get_default_tools(), Tool(name='x')])", ("default tools", "x")),
        ("AgentSpec(tools=['terminal', {'name': 'grep', 'params': {}}])", ("terminal", "grep")),
        ("AgentSpec(tools=('a',) if context else ('b',))", ("a", "b")),
        ("AgentSpec(tools=NAMES + self.TOOLS)", ("terminal", "grep", "glob")),
        ("Agent(tools=[Tool(name=n) for n in NAMES])", ("terminal", "grep")),
        (
            "tools = ['a']\ntools.append('b')\ntools += ['c']\nAgentSpec(tools=tools)",
            ("a", "b", "c"),
        ),
        ("AgentSpec(tools=_tools())", ("from_helper",)),
        ("agent.model_copy(update={'tools': [Tool(name='x')]})", ("x",)),
        ("Tool(name=MineTool.name)", ("mine",)),
        ("Tool(name=Named.name)", ("my_name",)),
        ("AgentSpec(tools=context.params['tools'])", ("computed",)),
        ("Agent(tools=[Tool(name='a'), context.tool])", ("a", "computed")),
        ("Tool(name=context.params['x'])", ("computed",)),
        ("AgentSpec(tools=[f'{context}'])", ("computed",)),
        ("AgentSpec(tools=elsewhere(context))", ("computed",)),
        ("Agent(tools=[])", ()),
        ("Other(name='terminal')", ()),
    ],
)
def test_tools(write: Write, body: str, tools: tuple[str, ...]) -> None:
    more = (
        "def _tools():\n    return ['from_helper']\n"
        "class MineTool(ToolDefinition): ...\n"
        "class Named(ToolDefinition):\n    name = 'my_name'\n"
    )
    assert of(write, body, more).tools == tools


@pytest.mark.parametrize(
    ("body", "agents"),
    [
        (
            "Blueprint(agent=a, subagents={'helper': SubAgent(), 'critic': SubAgent()})",
            ("helper", "critic"),
        ),
        ("found = {}\nfound['a'] = SubAgent()\nBlueprint(agent=a, subagents=found)", ("a",)),
        ("Blueprint(agent=a, subagents={n: SubAgent() for n in NAMES})", ("terminal", "grep")),
        ("register_agent('designer', make, 'd')", ("designer",)),
        ("register_agent(name='coder', factory_func=make, description='d')", ("coder",)),
        ("register_agent(context.name, make, 'd')", ("computed",)),
        ("Blueprint(agent=a, subagents=make())", ("computed",)),
        ("Blueprint(agent=a, subagents={'a': 1, **more})", ("a", "computed")),
    ],
)
def test_agents(write: Write, body: str, agents: tuple[str, ...]) -> None:
    assert of(write, body).agents == agents


def test_hooks_in_code(write: Write) -> None:
    body = (
        "guard = HookDefinition(command='guard ' + 'it')\n"
        "HookConfig(pre_tool_use=[HookMatcher(matcher='terminal', hooks=[guard])],\n"
        "  stop=[HookMatcher(hooks=[HookDefinition(command=context.x)])], session_end=[])\n"
    )
    assert of(write, body).hooks == (
        Hook("pre_tool_use", "terminal", "guard it", "one.py"),
        Hook("stop", "*", "computed", "one.py"),
    )


@pytest.mark.parametrize(
    "body",
    [
        "HookConfig.load('hooks.json')",
        "HookConfig.from_dict(context)",
        "HookConfig(**context)",
    ],
)
def test_hooks_that_code_makes_are_computed(write: Write, body: str) -> None:
    assert of(write, body).hooks == (Hook("computed", "computed", "computed", "one.py"),)


def test_a_hook_outside_a_configuration_is_shown(write: Write) -> None:
    assert of(write, "HookDefinition(type='prompt', prompt='ok?')").hooks == (
        Hook("computed", "computed", "ok?", "one.py", "prompt"),
    )


def test_mcp_servers_in_code(write: Write) -> None:
    body = (
        "Agent(mcp_config={'mcpServers': {'files': {'command': 'mcp', 'args': ['a b', 'c']},\n"
        "  'web': {'url': 'https://example.org/mcp'}}})\n"
        "Agent(mcp_config={'own': {'command': context.x}, 'other': context})\n"
        "Agent(mcp_config=context.params)\n"
        "Agent(mcp_config=None)"
    )
    assert of(write, body).mcp == (
        McpServer("files", "one.py", command="mcp 'a b' c"),
        McpServer("web", "one.py", url="https://example.org/mcp"),
        McpServer("own", "one.py", command="computed"),
        McpServer("other", "one.py", command="computed"),
        McpServer("computed", "one.py", command="computed"),
    )


def test_files_that_the_entry_imports_count_too(write: Write) -> None:
    root = write(
        {
            "strategy.py": "from . import roles\nfrom .deep import more\n"
            "class One:\n    name = 'one'\n    def build(self, c):\n        from .lazy import x\n",
            "roles.py": "from openhands_strategies import AgentSpec\nAgentSpec(tools=['a'])\n",
            "deep/__init__.py": "from .more import thing\n",
            "deep/more.py": "from openhands_strategies import AgentSpec\nAgentSpec(tools=['b'])\n",
            "lazy.py": "from openhands_strategies import AgentSpec\nAgentSpec(tools=['c'])\n",
            "unused.py": "from openhands_strategies import AgentSpec\nAgentSpec(tools=['d'])\n",
        }
    )
    assert sorted(read_manifest(root, "strategy.py").capabilities.tools) == ["a", "b", "c"]


def test_capabilities_are_plain_json(write: Write) -> None:
    capabilities = of(write, "Tool(name='a')\nHookDefinition(command='c')")

    data = json.loads(json.dumps(capabilities.to_json()))

    assert set(data) == {"hooks", "mcp", "tools", "skills", "agents", "dependencies"}
    assert data["hooks"][0]["command"] == "c"
