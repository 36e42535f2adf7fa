"""A strategy directory's plugin files: metadata, skills, commands, hooks, agents, MCP servers.

Both layouts that the SDK reads are known. Agent Plugins 1.0 has a `plugin.json` with
`$schema` at the root, `mcp.json`, and hooks, agents and commands below `dev.openhands/`; the
older one has `.plugin/plugin.json` (or `.claude-plugin/`), `.mcp.json`, `hooks/`, `agents/`,
`commands/`. A strategy may use the places of both at once; everything found counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.files import (
    entries,
    exists,
    inside,
    printable,
    read_json,
    read_text,
)
from openhands_strategies.manifest.frontmatter import split_header
from openhands_strategies.manifest.model import Finding, Hook, McpServer, Skill
from openhands_strategies.manifest.shapes import hooks_of, servers_of

AGENT_PLUGINS_SCHEMA: Final = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"
EXTENSION_FOLDER: Final = "dev.openhands"
_METADATA: Final = ("plugin.json", ".plugin/plugin.json", ".claude-plugin/plugin.json")
HOOK_FILES: Final = ("hooks/hooks.json", f"{EXTENSION_FOLDER}/hooks/hooks.json")
PORTABLE_MCP_FILE: Final = "mcp.json"
MCP_FILES: Final = (".mcp.json", PORTABLE_MCP_FILE)
AGENT_FOLDERS: Final = ("agents", f"{EXTENSION_FOLDER}/agents")
COMMAND_FOLDERS: Final = ("commands", f"{EXTENSION_FOLDER}/commands")
# What the SDK runs when it renders a skill; fenced, escaped and quoted code is skipped.
_INLINE_COMMAND: Final = re.compile(
    r"```[\s\S]*?(?:```|\Z)|\\!`[^`]+`|(?<!!)`[^`]+`|!`(?P<command>[^`]+)`"
)


@dataclass(frozen=True)
class PluginFiles:
    """What a directory holds beside its Python code.

    Attributes:
        metadata_file: The plugin.json that counts; None when there is none.
        name: Its name.
        version: Its version; None when it gives none.
        description: Its description; None when it gives none.
        skills: Skills, and commands, which the SDK makes skills of.
        agents: Names of Markdown agents.
        tools: Names of the tools that these have.
        findings: What cannot be read.
    """

    metadata_file: str | None = None
    name: str | None = None
    version: str | None = None
    description: str | None = None
    hooks: tuple[Hook, ...] = ()
    skills: tuple[Skill, ...] = ()
    agents: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    mcp: tuple[McpServer, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass
class _Found:
    """Collects while the folders are read."""

    hooks: list[Hook] = field(default_factory=list)
    skills: list[Skill] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    mcp: list[McpServer] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_plugin(root: Path, name: str | None = None) -> PluginFiles:
    """Read a directory's plugin files; all of them are optional.

    Args:
        root: The directory.
        name: Stands before the names of commands where no plugin.json gives one.

    Raises:
        LoadError: `plugin_json_invalid`, `hooks_json_invalid`, `mcp_json_invalid`,
            `link_outside`, or a code of `read_text`. A skill, command or agent whose
            header is broken is a finding here, and an error when the strategy is built.
    """
    found = _Found()
    metadata_file, metadata = _metadata(root)
    for file in HOOK_FILES:
        if exists(root, file):
            found.hooks.extend(hooks_of(read_json(root, file, "hooks_json_invalid"), file))
    for file in MCP_FILES:
        if exists(root, file):
            found.mcp.extend(_servers(root, file))
    _skills(root, found)
    for file in markdown_files(root, COMMAND_FOLDERS):
        _command(root, file, metadata.get("name") or name or root.name, found)
    for file in markdown_files(root, AGENT_FOLDERS):
        _agent(root, file, found)
    return PluginFiles(
        metadata_file,
        metadata.get("name"),
        metadata.get("version"),
        metadata.get("description"),
        tuple(found.hooks),
        tuple(found.skills),
        tuple(dict.fromkeys(found.agents)),
        tuple(dict.fromkeys(found.tools)),
        tuple(found.mcp),
        tuple(found.findings),
    )


def read_skills(root: Path, name: str | None = None) -> tuple[Skill, ...]:
    """The skills and commands alone, whatever is wrong with the files beside them.

    Raises:
        LoadError: As `read_plugin`, for these files.
    """
    found = _Found()
    _skills(root, found)
    for file in markdown_files(root, COMMAND_FOLDERS):
        _command(root, file, name or root.name, found)
    return tuple(found.skills)


def plugin_name(root: Path) -> str | None:
    """The name that a plugin.json gives, if there is one.

    Raises:
        LoadError: `plugin_json_invalid`, or a code of `read_text`.
    """
    return _metadata(root)[1].get("name")


def _metadata(root: Path) -> tuple[str | None, dict[str, str]]:
    file = next((one for one in _METADATA if exists(root, one)), None)
    if file is None:
        return None, {}
    data = read_json(root, file, "plugin_json_invalid")
    if file == "plugin.json" and "$schema" not in data:
        # Other tools put a file of this name there, too; the SDK passes it over.
        nested = next((one for one in _METADATA[1:] if exists(root, one)), None)
        if nested is not None:
            file, data = nested, read_json(root, nested, "plugin_json_invalid")
    if file == "plugin.json" and data.get("$schema", AGENT_PLUGINS_SCHEMA) != AGENT_PLUGINS_SCHEMA:
        raise LoadError(
            "plugin_json_invalid",
            f"{file}: its $schema is not that of Agent Plugins 1.0",
            f'write "$schema": "{AGENT_PLUGINS_SCHEMA}"',
        )
    texts: dict[str, str] = {}
    for key in ("name", "version", "description"):
        value = data.get(key)
        if value is None and key != "name":
            continue
        if not isinstance(value, str) or (key == "name" and not value):
            raise LoadError(
                "plugin_json_invalid", f"{file}: {key} must be a text", "correct the file"
            )
        texts[key] = printable(value)
    return file, texts


def markdown_files(root: Path, folders: Sequence[str]) -> Iterator[str]:
    """Paths of the Markdown files in folders of the tree, read-me files left out."""
    for folder in folders:
        for name in entries(root, folder):
            if name.lower().endswith(".md") and name.lower() != "readme.md":
                yield f"{folder}/{name}"


def _skills(root: Path, found: _Found) -> None:
    if not exists(root, "skills"):
        file = next((one for one in ("SKILL.md", "skill.md") if exists(root, one)), None)
        if file is not None:
            _skill(root, file, root.name, found)
        return
    for name in entries(root, "skills"):
        path = f"skills/{name}"
        if not inside(root, root / path):
            found.findings.append(_outside(path))
        elif (root / path).is_dir():
            file = _skill_file(root, path)
            if file is not None:
                _skill(root, file, name, found)
                if exists(root, f"{path}/.mcp.json"):
                    found.mcp.extend(_servers(root, f"{path}/.mcp.json"))
        elif name.endswith(".md") and name.lower() != "readme.md":
            _skill(root, path, name.removesuffix(".md"), found)


def _skill_file(root: Path, folder: str) -> str | None:
    return next(
        (f"{folder}/{name}" for name in entries(root, folder) if name.lower() == "skill.md"), None
    )


def _skill(root: Path, file: str, default: str, found: _Found) -> None:
    read = _markdown(root, file, found)
    if read is None:
        return
    header, body = read
    commands = (one["command"] for one in _INLINE_COMMAND.finditer(body))
    found.skills.append(
        Skill(
            _text(header, "name") or default,
            _text(header, "description"),
            file,
            tuple(one for one in commands if one),
        )
    )
    if isinstance(header.get("mcp_tools"), dict):
        found.mcp.extend(servers_of(header["mcp_tools"], file))


def _command(root: Path, file: str, plugin: str, found: _Found) -> None:
    read = _markdown(root, file, found)
    if read is None:
        return
    header, body = read
    commands = (one["command"] for one in _INLINE_COMMAND.finditer(body))
    name = f"{plugin}:{PurePosixPath(file).stem}"
    about = _text(header, "description") or f"Command /{name}"
    found.skills.append(Skill(name, about, file, tuple(one for one in commands if one)))


def _agent(root: Path, file: str, found: _Found) -> None:
    read = _markdown(root, file, found)
    if read is None:
        return
    header, _ = read
    found.agents.append(_text(header, "name") or PurePosixPath(file).stem)
    tools = header.get("tools")
    found.tools += [
        printable(one, 200)
        for one in (tools if isinstance(tools, list) else [tools])
        if isinstance(one, str)
    ]
    if isinstance(header.get("hooks"), dict):
        found.hooks.extend(hooks_of(header["hooks"], file))
    servers = header.get("mcp_config", header.get("mcp_servers"))
    if isinstance(servers, dict):
        found.mcp.extend(servers_of(servers, file))


def _markdown(root: Path, file: str, found: _Found) -> tuple[dict[str, Any], str] | None:
    if not inside(root, root / file):
        found.findings.append(_outside(file))
        return None
    try:
        return split_header(read_text(root, file), file)
    except LoadError as error:
        if error.code not in ("frontmatter_invalid", "file_encoding"):
            raise
        found.findings.append(Finding(error.code, error.message, error.hint, file))
        return None


def _text(header: dict[str, Any], key: str) -> str:
    value = header.get(key)
    return printable(value) if isinstance(value, str) else ""


def _servers(root: Path, file: str) -> Iterator[McpServer]:
    data = read_json(root, file, "mcp_json_invalid")
    yield from servers_of(data.get("mcpServers", {}), file)


def _outside(file: str) -> Finding:
    return Finding(
        "link_outside",
        f"{file} leads out of the strategy's directory and is left out",
        "put the file itself there instead of a link",
        file,
    )
