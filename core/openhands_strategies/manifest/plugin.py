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
from itertools import islice
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
_SKILL_FILE: Final = "skill.md"
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
        name: Where no plugin.json gives one: stands before the names of commands, and is
            that of a skill at the root whose header has none.

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
    _skills_and_commands(root, metadata.get("name") or name or root.name, found)
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
    _skills_and_commands(root, name or root.name, found)
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


def check_shown(root: Path, file: str) -> None:
    """Refuse a Markdown file whose header `read_plugin` could only call broken.

    The SDK reads some of those, and what nobody was shown must not be loaded.

    Raises:
        LoadError: A code of `read_text` or `split_header`.
    """
    split_header(read_text(root, file), file)


def skill_files(root: Path) -> Iterator[str]:
    """Paths of the files of skills: in `skills/`, or a SKILL.md at the root without one.

    What leads out of the tree is left out.

    Raises:
        LoadError: A code of `entries`.
    """
    if not exists(root, "skills"):
        found = root.iterdir() if root.is_dir() else ()
        yield from sorted(one.name for one in found if one.name.lower() == _SKILL_FILE)[:1]
        return
    for name in entries(root, "skills"):
        path = f"skills/{name}"
        if not inside(root, root / path):
            continue
        if (root / path).is_dir():
            below = (one for one in entries(root, path) if one.lower() == _SKILL_FILE)
            yield from (f"{path}/{one}" for one in islice(below, 1))
        elif name.endswith(".md") and name.lower() != "readme.md":
            yield path


def _skills_and_commands(root: Path, plugin: str, found: _Found) -> None:
    links = (f"skills/{name}" for name in entries(root, "skills"))
    found.findings += [_outside(one) for one in links if not inside(root, root / one)]
    for file in skill_files(root):
        path = PurePosixPath(file)
        if path.name.lower() != _SKILL_FILE:
            _skill(root, file, path.stem, found)
            continue
        _skill(root, file, path.parent.name or plugin, found)
        # That of the root is one of `MCP_FILES`.
        if path.parent.name and exists(root, f"{path.parent}/.mcp.json"):
            found.mcp.extend(_servers(root, f"{path.parent}/.mcp.json"))
    for file in markdown_files(root, COMMAND_FOLDERS):
        _command(root, file, plugin, found)


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
    # Which of them counts depends on the SDK's version.
    for key in ("mcp_config", "mcp_servers"):
        if isinstance(header.get(key), dict):
            found.mcp.extend(servers_of(header[key], file))


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
