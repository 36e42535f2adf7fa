"""Capabilities that are known only once the code runs: the trust prompt cannot show them."""

from __future__ import annotations

from collections.abc import Iterator

from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.model import COMPUTED


def problems(subject: Subject) -> Iterator[Problem]:
    if subject.manifest is None or subject.manifest.parts != {}:
        # What a composition brings is what its parts bring.
        return
    can, (file, line) = subject.manifest.capabilities, subject.place
    if COMPUTED in can.tools:
        yield make("tools_computed", "some tools are known only once the code runs",
                   "name them in tools=[Tool(name=…)], so that they can be shown before",
                   file, line)  # fmt: skip
    if COMPUTED in can.agents:
        yield make("agents_computed", "some sub-agents are known only once the code runs",
                   'name them as subagents={"name": …}, so that they can be shown before',
                   file, line)  # fmt: skip
    for hook in can.hooks:
        if COMPUTED in (hook.command, hook.event):
            yield make("hook_computed", f"a hook in {hook.file} is known only once the code runs",
                       "write its command as one text, so that it can be shown before",
                       hook.file)  # fmt: skip
    for server in can.mcp:
        if COMPUTED in (server.command or "").split():
            yield make("mcp_computed", "an MCP server's command is known only once the code runs",
                       "write it as plain texts, so that it can be shown before",
                       server.file)  # fmt: skip
