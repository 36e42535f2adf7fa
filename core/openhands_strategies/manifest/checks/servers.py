"""MCP servers: what they start is there, and what they call is not in clear."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from openhands_strategies.manifest.checks.places import line_of
from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.model import COMPUTED, McpServer
from openhands_strategies.manifest.plugin import read_plugin

_OWN: Final = re.compile(r"\$\{(?:CLAUDE_)?PLUGIN_ROOT\}/(?P<path>[\w./-]+)")
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def problems(subject: Subject) -> Iterator[Problem]:
    if subject.manifest is not None:
        servers: tuple[McpServer, ...] = subject.manifest.capabilities.mcp
    else:
        servers = read_plugin(subject.root, subject.name).mcp if subject.directory else ()
    for server in servers:
        line = line_of(subject.root, server.file, f'"{server.name}"', server.name)
        if server.command is not None and COMPUTED not in server.command:
            yield from _command(server, server.command, subject, line)
        if server.url is not None:
            yield from _url(server, server.url, line)


def _command(server: McpServer, text: str, subject: Subject, line: int) -> Iterator[Problem]:
    what = f"the MCP server {server.name!r}"
    for found in _OWN.finditer(text):
        if not (subject.root / found["path"]).exists():
            yield make("mcp_command_missing",
                       f"{what} starts {found['path']}, which does not exist",
                       "add the file, or correct the command", server.file, line)  # fmt: skip
    words = shlex.split(text)
    program = words[0] if words else ""
    if "${" in program or "/" in program:
        return
    if shutil.which(program) is None:
        yield make("mcp_command_absent", f"{what} starts {program}, which is not on this machine",
                   f"say in the README that {program} is needed", server.file, line)  # fmt: skip


def _url(server: McpServer, url: str, line: int) -> Iterator[Problem]:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") and "${" not in url:
        yield make("mcp_url", f"the URL of the MCP server {server.name!r} is no http(s) URL",
                   "write https://…", server.file, line)  # fmt: skip
    elif parts.scheme == "http" and parts.hostname not in _LOCAL:
        yield make("mcp_url_plain", f"the MCP server {server.name!r} is called in clear",
                   "write https://…", server.file, line)  # fmt: skip
