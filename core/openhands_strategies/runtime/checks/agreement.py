"""Whether the code does what its files show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from openhands_strategies.manifest.checks import Problem, Severity, make
from openhands_strategies.manifest.model import COMPUTED, Capabilities
from openhands_strategies.params import param_json
from openhands_strategies.runtime.entries import TASK_TOOL_SET
from openhands_strategies.runtime.equip import STOCK_TASK_TOOLS
from openhands_strategies.runtime.loaded import Loaded
from openhands_strategies.runtime.plan import plan
from openhands_strategies.runtime.plan.roles import roles_of
from openhands_strategies.runtime.prepare import Prepared
from openhands_strategies.runtime.values import declared_params

_CODE: Final = "manifest_disagrees"
_PLAIN: Final = "write it as a plain value in the class, and do not change it when it runs"


def identity_problems(loaded: Loaded) -> Iterator[Problem]:
    """Name, description and parameters are those that the files show."""
    manifest, strategy = loaded.manifest, loaded.strategy
    if manifest.kind == "directory":
        return
    for field in ("name", "description"):
        shown, is_ = getattr(manifest, field), getattr(strategy, field, None)
        folded = " ".join(str(is_ or "").split())
        if shown is not None and folded != " ".join(shown.split()):
            yield _differs(loaded, f"its {field} is {folded!r}, the files say {shown!r}")
    if manifest.params is None or loaded.parts:
        return
    shown_params = {param.name: param_json(param) for param in manifest.params}
    live = {param.name: param_json(param) for param in declared_params(loaded)}
    for name in sorted({*shown_params, *live}):
        if name not in shown_params:
            yield _differs(loaded, f"it takes the parameter {name!r}, which the files do not show")
        elif name not in live:
            yield _differs(loaded, f"it takes no parameter {name!r}, which the files show")
        elif live[name] != shown_params[name]:
            yield _differs(loaded, f"the parameter {name!r} is another one than the files show")


def _differs(loaded: Loaded, what: str) -> Problem:
    return make(_CODE, what, _PLAIN, loaded.manifest.file, loaded.manifest.line)


def capability_problems(loaded: Loaded, prepared: Prepared) -> Iterator[Problem]:
    """Tools, sub-agents, hooks, skills and MCP servers are among those that the files show.

    Args:
        loaded: The strategy that is checked.
        prepared: It, or a bare agent with it laid over, ready to start.
    """
    all_ = list(_capabilities(prepared.loaded))
    made: dict[str, Any] = plan(prepared)
    labels = set(_labels(prepared.loaded))
    tools = {tool.name for role in roles_of(prepared) for tool in role.agent.tools}
    shown_tools = {name for can in all_ for name in can.tools}
    if not any(name.endswith(" tools") for name in shown_tools):
        stock = {TASK_TOOL_SET, *STOCK_TASK_TOOLS}
        yield from _extra(loaded, "tool", tools - stock, shown_tools, "name it in tools=[…]")
    yield from _extra(
        loaded,
        "sub-agent",
        {item["alias"].rpartition(".")[2] for item in made["subagents"]} - labels,
        {name for can in all_ for name in can.agents},
        'name it as subagents={"name": …}',
    )
    yield from _extra(
        loaded,
        "hook",
        {item["written"] for item in made["hooks"] if item["type"] == "command"},
        {_braced(hook.command) for can in all_ for hook in can.hooks},
        "write its command as one text in hooks.json or in the code",
    )
    yield from _extra(
        loaded,
        "MCP server",
        {item["name"] for item in made["mcp"]},
        {COMPUTED if COMPUTED in one.name else one.name for can in all_ for one in can.mcp},
        "write it in .mcp.json, or as mcp_config={…} with plain texts",
    )
    # Skills made by the code are texts that its author may want to compute.
    yield from _extra(
        loaded,
        "skill",
        {item["name"] for item in made["skills"]},
        {skill.name for can in all_ for skill in can.skills},
        "put it into skills/, where it can be read before it is trusted",
        severity="warning",
    )


def _capabilities(loaded: Loaded) -> Iterator[Capabilities]:
    yield loaded.manifest.capabilities
    for part in loaded.parts.values():
        yield from _capabilities(part)


def _labels(loaded: Loaded) -> Iterator[str]:
    for label, part in loaded.parts.items():
        yield label
        yield from _labels(part)


def _braced(command: str) -> str:
    return command.replace("${CLAUDE_PLUGIN_ROOT}", "${PLUGIN_ROOT}")


def _extra(
    loaded: Loaded,
    kind: str,
    live: Iterable[str],
    shown: set[str],
    hint: str,
    *,
    severity: Severity | None = None,
) -> Iterator[Problem]:
    """A problem for each thing that the files do not show; what is computed may be anything."""
    if COMPUTED in shown:
        return
    for name in sorted(set(live) - shown):
        yield make(
            _CODE,
            f"the code brings the {kind} {name!r}, which the files do not show",
            hint,
            loaded.manifest.file,
            loaded.manifest.line,
            severity=severity,
        )
