"""The manifest of a plugin directory without Python code: an overlay."""

from __future__ import annotations

from pathlib import Path

from openhands_strategies.labels import kebab
from openhands_strategies.manifest.dependencies import read_project
from openhands_strategies.manifest.model import Capabilities, Finding, Manifest
from openhands_strategies.manifest.plugin import PluginFiles, read_plugin


def read_directory(root: Path, name: str | None) -> Manifest:
    """Read what a directory of skills, commands, agents, hooks and MCP servers says.

    Args:
        root: The directory.
        name: What it is called where no plugin.json says it.

    Raises:
        LoadError: What `read_plugin` raises.
    """
    name = kebab(name or root.name)
    plugin = read_plugin(root, name)
    known = kebab(plugin.name) if plugin.name else name
    findings = list(plugin.findings)
    if plugin.name and plugin.name != known:
        findings.append(
            Finding(
                "name_form",
                f"{plugin.metadata_file} says {plugin.name!r}, which is no name; it is {known!r}",
                "a name is made of lower-case letters, digits and single hyphens",
                plugin.metadata_file or "",
            )
        )
    project = read_project(root)
    return Manifest(
        name=known,
        description=plugin.description or _about(plugin),
        version=plugin.version or project.version,
        params=(),
        attribute="",
        kind="directory",
        line=0,
        file=plugin.metadata_file or "",
        capabilities=Capabilities(
            hooks=plugin.hooks,
            mcp=plugin.mcp,
            tools=plugin.tools,
            skills=plugin.skills,
            agents=plugin.agents,
        ),
        findings=tuple(findings),
        overlay=True,
    )


def _about(plugin: PluginFiles) -> str:
    counted = {
        "skill": plugin.skills,
        "agent": plugin.agents,
        "hook": plugin.hooks,
        "MCP server": plugin.mcp,
    }
    told = [f"{len(all_)} {word}{'s' * (len(all_) != 1)}" for word, all_ in counted.items() if all_]
    return f"Plugin directory with {', '.join(told) or 'nothing in it'}"
