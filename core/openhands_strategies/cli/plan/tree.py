"""A plan as people read it: a tree of roles, and dim beside each item who brought it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from openhands_strategies.cli.text import many_lines, printable

Plan = Mapping[str, Any]
Item = Mapping[str, Any]

_WIDTH: Final = 80
_LABEL: Final = 6
_LONG: Final = 2000
_GENERAL: Final = "No model is chosen: prompts and tools that depend on it are the general ones."


def plan_console() -> Console:
    """A console on stdout; a pipe or a file gets lines of 80 columns."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH
    return console


def print_plan(plan: Plan, *, prompts: bool) -> None:
    """Print a plan on stdout; with `prompts`, what each role is told after it."""
    console = plan_console()
    with console.capture() as shown:
        console.print(plan_tree(plan))
        console.print(Text(f"Tokens are {plan['estimate']}.", style="dim"))
        if any(item["placeholder"] for item in plan["roles"]):
            console.print(Text(_GENERAL, style="dim"))
    # Cells of a table are filled up with spaces.
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in shown.get().splitlines()))
    if prompts:
        for line in prompt_lines(plan):
            # Not through the console: texts are shown as they are, not folded.
            sys.stdout.write(f"{line}\n")


def plan_tree(plan: Plan) -> Tree:
    """The tree of a plan."""
    strategy = plan["strategy"]
    root = Tree(_headline(strategy), guide_style="dim")
    params = [f"{name}={value}" for name, value in strategy["params"].items() if value is not None]
    if params:
        root.add(_line("params", ", ".join(params)))
    unset = [name for name, value in strategy["params"].items() if value is None]
    if unset:
        root.add(_line("unset", ", ".join(unset)))
    for part in strategy["parts"]:
        _add_part(root, part)
    nodes = {"": root}
    parents = {item["path"]: item["role"] for item in plan["subagents"]}
    for role in plan["roles"]:
        path = str(role["role"])
        parent = nodes[parents.get(path, "")]
        nodes[path] = node = parent.add(_role_line(role, plan))
        for line in _role_lines(role, plan):
            node.add(line)
    return root


def _headline(strategy: Item) -> Text:
    line = Text(printable(str(strategy["name"]), 60), style="bold")
    return line.append(f"  {_place(strategy)}", style="dim not bold")


def _place(part: Item) -> str:
    at = f" at {part['commit'][:12]}" if part["commit"] else ""
    tree = str(part["tree"]).removeprefix("sha256:")[:12]
    return printable(f"{part['reference']}{at}, tree {tree}", _LONG)


def _add_part(node: Tree, part: Item) -> None:
    below = node.add(_line("part", f"{part['label']}", _place(part)))
    for inner in part["parts"]:
        _add_part(below, inner)


def _line(label: str, text: str, dim: str = "") -> Table:
    """A label and a text that is folded below itself."""
    line = Text(printable(text, _LONG))
    if dim:
        line.append(f"  {printable(dim, _LONG)}", style="dim")
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=_LABEL, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(label, style="cyan"), line)
    return grid


def _by(item: Item) -> str:
    origin = item["from"]
    commit = f"@{origin['commit'][:12]}" if origin["commit"] else ""
    return f"{origin['part']}{commit}"


def _role_line(role: Item, plan: Plan) -> Text:
    path = str(role["role"])
    line = Text(printable(path.rpartition("/")[2], 60), style="bold green")
    model = "model not chosen" if role["placeholder"] else str(role["model"])
    profile = f", profile {role['profile']}" if role["profile"] else ""
    line.append(f"  {printable(model + profile, 100)}", style="yellow not bold")
    return line.append(f"  {printable(_by(role), 100)}", style="dim not bold")


def _role_lines(role: Item, plan: Plan) -> Iterator[Table]:
    path = role["role"]
    for item in plan["subagents"]:
        if item["path"] == path:
            yield _line("does", printable(str(item["description"]), 300))
    terms = ", ".join(_terms(role))
    if terms:
        yield _line("works", terms)
    if role["first_message"] != "{task}":
        yield _line("told", printable(str(role["first_message"]), 200))
    yield from _grouped("limits", _of(plan, "limits", path), _limit)
    yield from _grouped("tools", _of(plan, "tools", path), lambda item: str(item["name"]))
    yield from _grouped("skills", _of(plan, "skills", path), _skill)
    if role["suffix"]:
        marks = dict.fromkeys(_by({"from": mark}) for mark in role["suffix"])
        yield _line("prompt", "adds to the system prompt", ", ".join(marks))
    for hook in _of(plan, "hooks", path):
        yield _line("hook", f"{hook['event']} {hook['matcher']}: {hook['written']}", _by(hook))
    for server in _of(plan, "mcp", path):
        yield _line("MCP", _server(server), _by(server))
    for count in _of(plan, "prompt_tokens", path):
        yield _line("tokens", _tokens(count))


def _of(plan: Plan, plural: str, role: str) -> list[Item]:
    return [item for item in plan[plural] if item["role"] == role]


def _grouped(label: str, items: Iterable[Item], show: Any) -> Iterator[Table]:
    """One line for each part that brought some of the items."""
    groups: dict[str, list[str]] = {}
    for item in items:
        groups.setdefault(_by(item), []).append(printable(show(item), 300))
    for part, texts in groups.items():
        yield _line(label, ", ".join(texts), part)


def _terms(role: Item) -> Iterator[str]:
    if role["after"]:
        yield f"after {', '.join(role['after'])}"
    if role["stops"]:
        yield "a task that fails ends the whole"
    if role["worktree"]:
        yield "in a git worktree for each task"
    if role["check"]:
        yield f"judged by {role['check']}"
    if role["workspace"]:
        yield f"in {role['workspace']}"
    if role["concurrency"] > 1:
        yield f"up to {role['concurrency']} calls at a time"
    if role["confirmation"] != "never":
        yield f"confirmation {role['confirmation']}"
    if role["critic"]:
        yield f"critic {role['critic']}"


def _limit(item: Item) -> str:
    value = item["value"]
    return {
        "iterations": f"{value} steps",
        "budget": f"${value:g}" + (" in all" if item["role"] == "main" else " a task"),
        "steps": f"{value} model calls with all below",
        "warn_at": f"a warning at {value:.0%} of the budget",
        "rounds": "asked once" if value == 1 else f"asked up to {value} times",
    }[item["name"]]


def _skill(item: Item) -> str:
    words = f": {', '.join(item['triggers'])}" if item["triggers"] else ""
    return f"{item['name']} ({item['when']}{words})"


def _server(item: Item) -> str:
    what = shlex.join(item["written"]) if item["written"] else str(item["url"])
    secret = [*item["env"], *item["headers"]]
    return f"{item['name']}: {what}" + (f" (with {', '.join(secret)})" if secret else "")


def _tokens(count: Item) -> str:
    text = (
        f"about {count['total']:,} a turn: {count['system_prompt']:,} system prompt,"
        f" {count['tools']:,} tools"
    )
    if count["first_message"]:
        text += f", {count['first_message']:,} first message"
    if count["not_counted"]:
        text += f"; not counted: {', '.join(count['not_counted'])}"
    return text


def prompt_lines(plan: Plan) -> Iterator[str]:
    """System prompt, first message and tools of every role, in full."""
    for role in plan["roles"]:
        path = printable(str(role["role"]), 200)
        yield f"\n=== {path}: system prompt ===\n"
        yield many_lines(str(role["system_prompt"]))
        yield f"\n=== {path}: first message ===\n"
        yield many_lines(str(role["first_message"]))
        for tool in _of(plan, "tools", role["role"]):
            yield f"\n=== {path}: tool {printable(str(tool['name']), 100)} ===\n"
            known = tool["description"]
            yield many_lines(known) if known is not None else "(known only when it runs)"
            yield from _arguments(tool["parameters"] or {})


def _arguments(schema: Mapping[str, Any]) -> Iterator[str]:
    required: Sequence[str] = schema.get("required", ())
    for name, field in (schema.get("properties") or {}).items():
        kind = field.get("type", "any") if isinstance(field, Mapping) else "any"
        must = ", required" if name in required else ""
        text = field.get("description", "") if isinstance(field, Mapping) else ""
        yield printable(f"- {name} ({kind}{must}): {text}", _LONG)
