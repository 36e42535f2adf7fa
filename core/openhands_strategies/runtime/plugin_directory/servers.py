"""MCP servers of a plugin directory: `.mcp.json`, and `mcp.json` of Agent Plugins 1.0."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from openhands_strategies.errors import LoadError, describe
from openhands_strategies.manifest.files import exists, printable, read_json
from openhands_strategies.manifest.plugin import MCP_FILES, PORTABLE_MCP_FILE
from openhands_strategies.project.home import find_home
from openhands_strategies.runtime.loaded import Loaded

_VARIABLE: Final = re.compile(r"\$\{((?:CLAUDE_)?PLUGIN_ROOT|SKILL_ROOT|PLUGIN_DATA)\}")
_STDIO: Final = ("stdio", None)
# Agent Plugins names the transport `type`; the SDK names it `transport`.
_KEYS: Final = {"type": "transport"}


def plugin_servers(root: Path, loaded: Loaded, others: Mapping[str, Any]) -> dict[str, Any]:
    """The servers of both files by name, as an agent's `mcp_config` holds them.

    `${PLUGIN_ROOT}` (and `${CLAUDE_PLUGIN_ROOT}`, `${SKILL_ROOT}`) becomes the tree's path,
    `${PLUGIN_DATA}` a directory of this strategy that outlives its versions. Every other
    `${NAME}` is left to the SDK, which knows the conversation's secrets.

    Args:
        root: The directory.
        loaded: The strategy.
        others: Servers that the directory's agents name.

    Raises:
        LoadError: `mcp_json_invalid`, or `mcp_clash` for two servers of one name.
    """
    found: dict[str, Any] = {}
    for file in MCP_FILES:
        if not exists(root, file):
            continue
        given = read_json(root, file, "mcp_json_invalid").get("mcpServers", {})
        if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
            raise _invalid(file, loaded.where, "mcpServers is no map of servers")
        if file == PORTABLE_MCP_FILE:
            given = {name: _portable(one, root) for name, one in given.items()}
        plain = {name: expanded(one, root, _data(loaded, one)) for name, one in given.items()}
        for name, server in checked_servers(plain, file, loaded.where).items():
            if {**others, **found}.get(name, server) != server:
                raise LoadError(
                    "mcp_clash",
                    f"{loaded.where}: two MCP servers are called {printable(name, 60)!r}",
                    "rename one of them",
                )
            found[name] = server
    return found


def checked_servers(servers: Mapping[str, Any], file: str, where: str) -> dict[str, Any]:
    """Servers as the SDK in use holds them: its own model, or plain dictionaries on 1.21.

    Raises:
        LoadError: `mcp_json_invalid`.
    """
    from fastmcp.mcp_config import MCPConfig

    try:
        MCPConfig.model_validate({"mcpServers": dict(servers)})
        try:
            from openhands.sdk.mcp.config import coerce_mcp_config
        except ImportError:
            return dict(servers)
        return dict(coerce_mcp_config(dict(servers)))
    except ValueError as error:
        raise _invalid(file, where, describe(error)) from error


def expanded(value: Any, root: Path, data: Path | None = None) -> Any:
    """`value` with the path variables in all its texts replaced, each once."""
    if isinstance(value, str):
        return _VARIABLE.sub(
            lambda found: (
                (str(data) if data else found[0]) if found[1] == "PLUGIN_DATA" else str(root)
            ),
            value,
        )
    if isinstance(value, dict):
        return {key: expanded(one, root, data) for key, one in value.items()}
    if isinstance(value, list):
        return [expanded(one, root, data) for one in value]
    return value


def _portable(entry: dict[str, Any], root: Path) -> dict[str, Any]:
    """An entry of Agent Plugins 1.0 in the SDK's words: it starts in the tree."""
    server = {_KEYS.get(key, key): value for key, value in entry.items()}
    if server.get("transport") not in _STDIO or "command" not in server:
        return server
    command, cwd = str(server["command"]), str(server.get("cwd") or "./")
    if command.startswith("./"):
        server["command"] = str(root / command)
    server["cwd"] = str(root / cwd) if cwd.startswith("./") else cwd
    server["env"] = {
        **server.get("env", {}),
        "PLUGIN_ROOT": "${PLUGIN_ROOT}",
        "PLUGIN_DATA": "${PLUGIN_DATA}",
    }
    return server


def _data(loaded: Loaded, entry: dict[str, Any]) -> Path | None:
    """Where a server keeps what outlives a version; made when one asks for it."""
    if "${PLUGIN_DATA}" not in json.dumps(entry):
        return None
    source = {key: loaded.origin.source.get(key) for key in ("type", "path", "url", "subdirectory")}
    digest = hashlib.sha256(json.dumps(source, sort_keys=True).encode()).hexdigest()[:12]
    path = find_home().path / "plugin-data" / f"{loaded.name}-{digest}"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LoadError(
            "plugin_data", f"{loaded.where}: {path} cannot be made: {describe(error)}", ""
        ) from error
    return path


def _invalid(file: str, where: str, what: str) -> LoadError:
    return LoadError("mcp_json_invalid", f"{where}: {file}: {what}", "correct the file")
