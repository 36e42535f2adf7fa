"""What a strategy's code gives its agents, as far as the source says."""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from openhands_strategies.errors import LoadError
from openhands_strategies.manifest.files import printable
from openhands_strategies.manifest.literals import Computed, Reader
from openhands_strategies.manifest.model import COMPUTED, Hook, McpServer
from openhands_strategies.manifest.sdk_names import sdk_tool_name, tool_name
from openhands_strategies.manifest.shapes import EVENTS, servers_of
from openhands_strategies.manifest.source import Scope, Tree
from openhands_strategies.manifest.walk import Walker

_PRESET: Final = re.compile(r"openhands\.tools\..*\bget_(\w+)_(?:tools|agent)")
_MAX_DEPTH: Final = 8


def tools_in(tree: Tree, scopes: Iterable[Scope]) -> tuple[str, ...]:
    """Names of tools: `Tool(name=…)`, `tools=[…]`, and the SDK's presets.

    "computed" stands last when some are known only once the code runs.
    """
    walker = Walker(tree, lambda scope, node: _tool(tree, scope, node))
    names: list[str] = []
    for scope in scopes:
        for call in _calls(scope):
            called = scope.dotted(call.func) or ""
            if _is_tool_spec(called):
                for given in _given(call, "name"):
                    names.extend(walker.element(scope, given))
            elif preset := _PRESET.fullmatch(called):
                names.append(f"{preset[1]} tools")
            for collection in _keyword_or_update(call, "tools"):
                names.extend(walker.collection(scope, collection))
    return _listed(names)


def agents_in(tree: Tree, scopes: Iterable[Scope]) -> tuple[str, ...]:
    """Names of sub-agents: keys of `subagents={…}`, `register_agent(…)`, definitions."""
    walker = Walker(tree, lambda scope, node: None)
    names: list[str] = []
    for scope in scopes:
        for call in _calls(scope):
            called = (scope.dotted(call.func) or "").rpartition(".")[2]
            if called in ("register_agent", "register_agent_if_absent"):
                for given in _given(call, "name"):
                    names.extend(walker.element(scope, given))
            for collection in _keyword_or_update(call, "subagents"):
                names.extend(walker.collection(scope, collection))
    return _listed(names)


def hooks_in(tree: Tree, scopes: Iterable[Scope]) -> tuple[Hook, ...]:
    """Hooks that the code makes, with their commands where those are literals."""
    hooks: list[Hook] = []
    for scope in scopes:
        seen: set[int] = set()
        calls = [(call, _last(scope, call)) for call in _calls(scope)]
        assigned = _assigned_calls(scope)
        for call, called in calls:
            if called != "HookConfig":
                continue
            for keyword in call.keywords:
                event = keyword.arg if keyword.arg in EVENTS else COMPUTED
                made = _hooks_below(tree, scope, keyword.value, event or COMPUTED, assigned)
                seen.update(id(one) for one, _ in made)
                none = isinstance(keyword.value, ast.List | ast.Tuple) and not keyword.value.elts
                hooks.extend(hook for _, hook in made)
                if not made and not none:
                    hooks.append(_computed_hook(scope, event))
        for call, called in calls:
            if called == "HookDefinition" and id(call) not in seen:
                hooks.append(_hook(tree, scope, call, COMPUTED, COMPUTED))
            elif _makes_hooks(scope, call):
                hooks.append(_computed_hook(scope, COMPUTED))
    return tuple(dict.fromkeys(hooks))


def servers_in(tree: Tree, scopes: Iterable[Scope]) -> tuple[McpServer, ...]:
    """MCP servers in `mcp_config=` and `mcp_tools=`."""
    servers: list[McpServer] = []
    for scope in scopes:
        for call in _calls(scope):
            for key in ("mcp_config", "mcp_tools"):
                for node in _keyword_or_update(call, key):
                    data = _plain(Reader(tree), scope, node)
                    if data is None:
                        continue
                    try:
                        servers.extend(servers_of(data, scope.file))
                    except LoadError:
                        # Code may hold shapes that no file has; it is then not readable.
                        servers.append(McpServer(COMPUTED, scope.file, command=COMPUTED))
    return tuple(dict.fromkeys(servers))


def _calls(scope: Scope) -> list[ast.Call]:
    """All calls of a file, in the order in which they stand there."""
    calls = [node for node in ast.walk(scope.module) if isinstance(node, ast.Call)]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _is_tool_spec(called: str) -> bool:
    return called.startswith("openhands.sdk") and called.endswith(".Tool")


def _given(call: ast.Call, name: str) -> list[ast.expr]:
    """The argument `name`, also where it is the first positional one."""
    named = [one.value for one in call.keywords if one.arg == name]
    return named or call.args[:1]


def _keyword_or_update(call: ast.Call, key: str) -> Iterator[ast.expr]:
    """`key=…`, or `update={"key": …}` as in `model_copy`."""
    for keyword in call.keywords:
        if keyword.arg == key:
            yield keyword.value
        elif keyword.arg == "update" and isinstance(keyword.value, ast.Dict):
            for name, value in zip(keyword.value.keys, keyword.value.values, strict=True):
                if isinstance(name, ast.Constant) and name.value == key:
                    yield value


def _tool(tree: Tree, scope: Scope, node: ast.expr) -> list[str] | None:
    """Names behind `TerminalTool.name`, `Tool(…)` and the presets."""
    if isinstance(node, ast.Call):
        called = scope.dotted(node.func) or ""
        # Counted where the call itself is met.
        return [] if _is_tool_spec(called) or _PRESET.fullmatch(called) else None
    if not isinstance(node, ast.Attribute) or node.attr != "name":
        return None
    dotted = scope.dotted(node.value)
    if dotted is not None and dotted.startswith("openhands."):
        name = sdk_tool_name(dotted.rpartition(".")[2])
        return None if name is None else [name]
    if isinstance(node.value, ast.Name):
        found = tree.find(scope, node.value.id)
        if found is not None and isinstance(found.node, ast.ClassDef):
            return [_own_tool(tree, found.scope, found.node)]
    return None


def _own_tool(tree: Tree, scope: Scope, node: ast.ClassDef) -> str:
    for statement in node.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="name")], value=value)
                | ast.AnnAssign(target=ast.Name(id="name"), value=ast.expr() as value)
            ):
                return _literal(tree, scope, value)
            case _:
                pass
    return tool_name(node.name)


def _hooks_below(
    tree: Tree, scope: Scope, node: ast.expr, event: str, assigned: Mapping[str, list[ast.Call]]
) -> list[tuple[ast.Call, Hook]]:
    """Hooks in an expression, also those that it names and the file assigns."""
    found: list[tuple[ast.Call, Hook]] = []
    followed: set[str] = set()
    todo: deque[tuple[ast.AST, str]] = deque([(node, "*")])
    while todo:
        one, matcher = todo.popleft()
        if isinstance(one, ast.Call):
            called = _last(scope, one)
            if called == "HookMatcher":
                given = [word.value for word in one.keywords if word.arg == "matcher"]
                matcher = _literal(tree, scope, given[0]) if given else "*"
            elif called == "HookDefinition":
                found.append((one, _hook(tree, scope, one, event, matcher)))
        elif isinstance(one, ast.Name) and one.id not in followed:
            followed.add(one.id)
            todo.extend((call, matcher) for call in assigned.get(one.id, ()))
        todo.extend((child, matcher) for child in ast.iter_child_nodes(one))
    return found


def _assigned_calls(scope: Scope) -> dict[str, list[ast.Call]]:
    """Names that any statement of the file assigns the result of a call to."""
    found: dict[str, list[ast.Call]] = {}
    for node in ast.walk(scope.module):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return found


def _hook(tree: Tree, scope: Scope, call: ast.Call, event: str, matcher: str) -> Hook:
    given = {word.arg: word.value for word in call.keywords}
    kind = _literal(tree, scope, given["type"]) if "type" in given else "command"
    kind = kind if kind in ("command", "prompt", "agent") else COMPUTED
    text = given.get("command") or given.get("prompt") or given.get("system_prompt")
    command = COMPUTED if text is None else _literal(tree, scope, text)
    return Hook(event, matcher, command, scope.file, kind)


def _computed_hook(scope: Scope, event: str | None) -> Hook:
    return Hook(event or COMPUTED, COMPUTED, COMPUTED, scope.file)


def _makes_hooks(scope: Scope, call: ast.Call) -> bool:
    """`HookConfig.load(…)` and its like."""
    dotted = (scope.dotted(call.func) or "").rpartition(".")
    methods = ("load", "from_dict", "model_validate", "model_validate_json")
    return dotted[0].rpartition(".")[2] == "HookConfig" and dotted[2] in methods


def _last(scope: Scope, call: ast.Call) -> str:
    dotted = scope.dotted(call.func) or ""
    return dotted.rpartition(".")[2] if dotted.startswith("openhands.") else ""


def _literal(tree: Tree, scope: Scope, node: ast.expr) -> str:
    try:
        value = Reader(tree).value(scope, node)
    except Computed:
        return COMPUTED
    return value if isinstance(value, str) else COMPUTED


def _plain(reader: Reader, scope: Scope, node: ast.expr, depth: int = 0) -> Any:
    """A literal with dictionaries; what is no literal stands as "computed"."""
    if depth > _MAX_DEPTH:
        return COMPUTED
    if isinstance(node, ast.Dict):
        return {
            _plain(reader, scope, key, depth + 1): _plain(reader, scope, value, depth + 1)
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant)
        }
    if isinstance(node, ast.List | ast.Tuple):
        return [_plain(reader, scope, one, depth + 1) for one in node.elts]
    try:
        if isinstance(node, ast.Name):
            scope, node = reader.follow(scope, node.id)
            return _plain(reader, scope, node, depth + 1)
        return reader.value(scope, node)
    except Computed:
        return COMPUTED


def _listed(names: list[str]) -> tuple[str, ...]:
    unique = list(dict.fromkeys(printable(name, 200) for name in names if name != COMPUTED))
    return (*unique, COMPUTED) if COMPUTED in names else tuple(unique)
