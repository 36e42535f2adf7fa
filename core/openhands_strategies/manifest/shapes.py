"""Hook and MCP configurations, in the shapes that the SDK accepts.

The same functions read JSON files, frontmatter and literals in code.
"""

from __future__ import annotations

import re
import shlex
from typing import Any, Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.files import printable
from openhands_strategies.manifest.model import COMPUTED, Hook, McpServer

EVENTS: Final = frozenset(
    {
        "pre_tool_use",
        "post_tool_use",
        "user_prompt_submit",
        "session_start",
        "session_end",
        "stop",
    }
)
_MAX_HOOKS: Final = 500
HOOK_TYPES: Final = frozenset({"command", "prompt", "agent"})


def hooks_of(data: Any, file: str) -> tuple[Hook, ...]:
    """Read a hook configuration: bare or in `{"hooks": …}`, PascalCase or snake_case.

    Raises:
        LoadError: `hooks_json_invalid`. The SDK drops such a file with a log line; a
            safety hook that silently does not run is worse than an error.
    """
    if isinstance(data, dict) and "hooks" in data:
        data = data["hooks"]
    if not isinstance(data, dict):
        raise _bad_hooks(file, "it holds no object of events")
    hooks: list[Hook] = []
    seen: set[str] = set()
    for key, matchers in data.items():
        event = re.sub(r"(?<!^)(?=[A-Z])", "_", str(key)).lower()
        if event not in EVENTS:
            known = ", ".join(sorted(EVENTS))
            raise _bad_hooks(file, f"{printable(str(key), 60)!r} is no event", f"events: {known}")
        if event in seen:
            raise _bad_hooks(file, f"event {event} stands in it twice")
        seen.add(event)
        if not isinstance(matchers, list):
            raise _bad_hooks(file, f"{event} holds no list")
        for matcher in matchers:
            hooks.extend(_matcher(matcher, event, file))
            if len(hooks) > _MAX_HOOKS:
                raise _bad_hooks(file, f"more than {_MAX_HOOKS} hooks")
    return tuple(hooks)


def _matcher(data: Any, event: str, file: str) -> list[Hook]:
    matcher = data.get("matcher", "*") if isinstance(data, dict) else None
    definitions = data.get("hooks", []) if isinstance(data, dict) else None
    if not isinstance(matcher, str) or not isinstance(definitions, list):
        raise _bad_hooks(file, f"{event} needs entries of a matcher and a list of hooks")
    hooks: list[Hook] = []
    for one in definitions:
        kind = one.get("type", "command") if isinstance(one, dict) else None
        if kind not in HOOK_TYPES:
            raise _bad_hooks(file, f"{event} has a hook of an unknown type")
        texts = [one.get(key) for key in ("command", "prompt", "system_prompt")]
        text = texts[0] if kind == "command" else texts[1] or texts[2] or ""
        if not isinstance(text, str) or (kind != "agent" and not text):
            raise _bad_hooks(file, f"{event} has a hook without its {kind}")
        hooks.append(Hook(event, matcher or "*", text, file, kind))
        if len(hooks) > _MAX_HOOKS:
            break
    return hooks


def _bad_hooks(file: str, what: str, hint: str = "correct the file") -> LoadError:
    return LoadError("hooks_json_invalid", f"{file}: {what}", hint)


def servers_of(data: Any, file: str) -> tuple[McpServer, ...]:
    """Read a map of MCP servers by name, with or without `mcpServers` around it.

    Raises:
        LoadError: `mcp_json_invalid`.
    """
    if isinstance(data, dict) and "mcpServers" in data:
        data = data["mcpServers"]
    if not isinstance(data, dict):
        raise _bad_mcp(file, "it holds no object of servers")
    servers: list[McpServer] = []
    for name, entry in data.items():
        if entry == COMPUTED:
            servers.append(McpServer(str(name), file, command=COMPUTED))
            continue
        shown = printable(str(name), 60)
        if not isinstance(entry, dict):
            raise _bad_mcp(file, f"server {shown!r} is no object")
        command, url, args = entry.get("command"), entry.get("url"), entry.get("args", [])
        if isinstance(command, str) and command and args == COMPUTED:
            servers.append(McpServer(str(name), file, command=f"{command} {COMPUTED}"))
        elif isinstance(command, str) and command and _plain(args):
            line = shlex.join([command, *map(str, args)])
            servers.append(McpServer(str(name), file, command=line))
        elif isinstance(url, str) and url:
            servers.append(McpServer(str(name), file, url=url))
        else:
            raise _bad_mcp(file, f"server {shown!r} has neither command nor url")
    return tuple(servers)


def _plain(args: Any) -> bool:
    """A list of scalars; the text of anything else could be of any size."""
    return isinstance(args, list) and all(isinstance(one, str | int | float) for one in args)


def _bad_mcp(file: str, what: str) -> LoadError:
    return LoadError("mcp_json_invalid", f"{file}: {what}", "correct the file")
