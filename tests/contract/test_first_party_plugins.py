"""Every first-party plugin directory is also a plain plugin of the SDK."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.contract

PLUGINS = sorted((Path(__file__).resolve().parents[2] / "plugins").glob("*/pyproject.toml"))


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.parent.name)
def test_the_sdk_loads_it(path: Path) -> None:
    from openhands.sdk.plugin import Plugin

    plugin = Plugin.load(path.parent)
    assert plugin.manifest.name == path.parent.name
    assert {skill.name for skill in plugin.skills} == {
        file.parent.name for file in path.parent.glob("skills/*/SKILL.md")
    }
    # What needs our `${PLUGIN_ROOT}` is attached by strategy.py: read as a plain plugin, a
    # guard without its path would refuse everything.
    assert plugin.hooks is None or "${PLUGIN_ROOT}" not in plugin.hooks.model_dump_json()
