"""The tables of SDK names against the SDK that is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from openhands_strategies.manifest.sdk_names import FAMILY_OF, sdk_tool_name
from openhands_strategies.manifest.shapes import EVENTS, hooks_of

# In a process of its own: every module of the SDK is imported.
PROBE = """
import importlib, json, pkgutil
import openhands.sdk, openhands.tools
for package in (openhands.sdk, openhands.tools):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ImportError:
                pass
from openhands.sdk.hooks.config import HOOK_EVENT_FIELDS
from openhands.sdk.utils.models import DiscriminatedUnionMixin
families, tools = {}, {}
def walk(cls, family):
    if "[" not in cls.__name__:
        families[cls.__name__] = family
        if family == "ToolDefinition" and isinstance(cls.__dict__.get("name"), str):
            tools[cls.__name__] = cls.name
    for sub in cls.__subclasses__():
        walk(sub, family)
for base in DiscriminatedUnionMixin.__subclasses__():
    walk(base, base.__name__)
import openhands.sdk.subagent, openhands.tools.delegate, openhands.tools.task
print(json.dumps({
    "families": families,
    "tools": tools,
    "events": sorted(HOOK_EVENT_FIELDS),
    "replacements": [
        hasattr(openhands.tools.task, "TaskToolSet"), hasattr(openhands.sdk, "register_agent")
    ],
    "never_there": hasattr(openhands.tools.delegate, "register_agent"),
}))
"""


@pytest.fixture(scope="module")
def sdk() -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.contract
@pytest.mark.slow_start
def test_every_sdk_class_is_in_the_table(sdk: dict[str, Any]) -> None:
    assert {name: FAMILY_OF.get(name) for name in sdk["families"]} == sdk["families"]


@pytest.mark.contract
@pytest.mark.slow_start
def test_tools_have_the_names_that_the_table_says(sdk: dict[str, Any]) -> None:
    named = {name: tool for name, tool in sdk["tools"].items() if tool and name != "ToolDefinition"}
    unnamed = {"ClientTool", "MCPToolDefinition"}

    assert {name: sdk_tool_name(name) for name in named if name not in unnamed} == {
        name: tool for name, tool in named.items() if name not in unnamed
    }


@pytest.mark.contract
@pytest.mark.slow_start
def test_hook_events_and_replacements_exist(sdk: dict[str, Any]) -> None:
    assert set(sdk["events"]) == EVENTS
    assert sdk["replacements"] == [True, True]
    assert sdk["never_there"] is False


@pytest.mark.contract
@pytest.mark.slow_start
def test_the_sdk_accepts_the_hooks_that_we_accept() -> None:
    from openhands.sdk.hooks import HookConfig

    data = {"hooks": {"PreToolUse": [{"matcher": "terminal", "hooks": [{"command": "a"}]}]}}
    (hook,) = hooks_of(data, "f")
    config = HookConfig.from_dict(data)

    found = config.get_hooks_for_event(_event("PreToolUse"), "terminal")
    assert [one.command for one in found] == [hook.command]
    assert config.pre_tool_use[0].matcher == hook.matcher


def _event(name: str) -> Any:
    from openhands.sdk.hooks.types import HookEventType

    return HookEventType(name)
