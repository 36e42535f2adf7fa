"""What differs between two plans, as lines with + and -."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import Any, Final

from rich.text import Text

from openhands_strategies.cli.plan.tree import plan_console
from openhands_strategies.cli.text import many_lines, printable

Change = Mapping[str, Any]

_STYLES: Final = {"+": "green", "-": "red"}
_TEXTS: Final = frozenset({"system_prompt", "first_message", "description"})
_LONG: Final = 2000


def print_changes(a: Mapping[str, Any], b: Mapping[str, Any], changes: Sequence[Change]) -> None:
    """Print the differences between two plans on stdout."""
    console = plan_console()
    for line in change_lines(a["strategy"], b["strategy"], changes):
        style = _STYLES.get(line.lstrip()[:1], "")
        console.print(Text(line, style="bold" if line[:3] in ("---", "+++") else style))


def change_lines(
    a: Mapping[str, Any], b: Mapping[str, Any], changes: Sequence[Change]
) -> Iterator[str]:
    """Lines for people, safe to show.

    Args:
        a: `strategy` of the first plan.
        b: `strategy` of the second.
        changes: As `plan_changes` gives them.
    """
    yield f"--- {_place(a)}"
    yield f"+++ {_place(b)}"
    if not changes:
        same = a["tree"] == b["tree"]
        yield "no difference" if same else "the files differ, the plans do not"
    role = None
    for change in changes:
        if change["role"] != role:
            role = change["role"]
            yield ""
            yield printable(role, 200) if role else "parameters"
        yield from _lines(change)


def _place(strategy: Mapping[str, Any]) -> str:
    at = f" at {strategy['commit'][:12]}" if strategy["commit"] else ""
    tree = str(strategy["tree"]).removeprefix("sha256:")[:12]
    return printable(f"{strategy['name']}  {strategy['reference']}{at}, tree {tree}", _LONG)


def _lines(change: Change) -> Iterator[str]:
    kind, name, a, b = change["kind"], change["name"], change["a"], change["b"]
    if kind == "role" and name == change["role"]:
        yield f"  {'+' if a is None else '-'} role {printable(_role(a or b), _LONG)}"
    elif kind == "role" and name in _TEXTS and isinstance(a, str) and isinstance(b, str):
        yield f"  {name.replace('_', ' ')}"
        yield from _text(a, b)
    elif isinstance(a, Mapping) and isinstance(b, Mapping):
        for field in a:
            if a[field] != b.get(field):
                yield from _field(f"{kind} {name}: {field}", a[field], b.get(field))
    else:
        label = name.replace("_", " ") if kind == "role" else f"{kind} {name}"
        yield from _field(label, a, b)


def _field(label: str, a: Any, b: Any) -> Iterator[str]:
    if isinstance(a, str) and isinstance(b, str) and "\n" in a + b:
        yield f"  {printable(label, _LONG)}"
        yield from _text(a, b)
        return
    for sign, value in (("-", a), ("+", b)):
        if value is not None:
            yield f"  {sign} {printable(f'{label} {_value(value)}'.rstrip(), _LONG)}"


def _value(value: Any) -> str:
    """What is worth showing of an item that came or went whole."""
    if isinstance(value, Mapping):
        shown = value.get("value", value.get("written") or value.get("url"))
        return "" if shown is None else _value(shown)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _role(told: Mapping[str, Any]) -> str:
    return f"({told['kind']}, model {told['model']})"


def _text(a: str, b: str) -> Iterator[str]:
    """Changed lines of a text, with one line around them."""
    found = unified_diff(a.splitlines(), b.splitlines(), lineterm="", n=1)
    for line in list(found)[2:]:
        yield f"    {many_lines(line)}" if not line.startswith("@@") else "    …"
