"""Every first-party plugin directory is also a plain plugin of the SDK."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

PLUGINS = sorted((Path(__file__).resolve().parents[2] / "plugins").glob("*/pyproject.toml"))


# Names of skills; nothing else of theirs is there without their strategy.py.
SKILLS = {
    "adversarial-review": [],
    "best-of-n": ["choosing-an-attempt"],
    "budget": [],
    "fusion": ["cutting-work"],
    "guardrails": [],
    "plan-execute": [],
    "single": [],
    "waterfall": [],
}


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.parent.name)
def test_the_sdk_loads_it(path: Path) -> None:
    from openhands.sdk.plugin import Plugin

    plugin = Plugin.load(path.parent)
    assert plugin.manifest.name == path.parent.name
    # Hooks are attached by strategy.py, which the SDK does not read: in a hooks.json, a guard
    # without our `${PLUGIN_ROOT}` would refuse every tool call.
    brought = {
        "skills": [one.name for one in plugin.skills],
        "commands": [one.name for one in plugin.commands],
        "agents": [one.name for one in plugin.agents],
        "hooks": plugin.hooks,
        "mcp": plugin.mcp_config or None,
    }
    only_skills = {"commands": [], "agents": [], "hooks": None, "mcp": None}
    assert brought == {"skills": SKILLS[path.parent.name], **only_skills}


def test_these_are_all() -> None:
    assert [path.parent.name for path in PLUGINS] == list(SKILLS)
