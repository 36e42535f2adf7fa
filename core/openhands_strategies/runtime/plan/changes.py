"""What differs between two plans, item by item."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Plan = Mapping[str, Any]
Item = Mapping[str, Any]
Change = dict[str, Any]

_ROLE_FIELDS: Final = (
    "kind",
    "model",
    "profile",
    "concurrency",
    "workspace",
    "after",
    "stops",
    "worktree",
    "check",
    "escalation",
    "confirmation",
    "condenser",
    "critic",
    "first_message",
    "system_prompt",
)
# Kind, list in the plan, what names an item within its role, what else it has.
_LISTS: Final = (
    ("tool", "tools", "name", ("params", "description", "parameters")),
    ("subagent", "subagents", "alias", ("description",)),
    ("skill", "skills", "name", ("description", "when", "triggers", "digest")),
    ("mcp", "mcp", "name", ("written", "url", "env", "headers")),
    ("limit", "limits", "name", ("value",)),
)
_NOW: Final = re.compile(r"<CURRENT_DATETIME>.*?</CURRENT_DATETIME>", re.DOTALL)


def plan_changes(a: Plan, b: Plan) -> list[Change]:
    """Return what was added, removed or changed on the way from one plan to another.

    Both plans are made with prompts. Where the code lies and at which commit is no change;
    nor is the time of day in a system prompt.

    Returns:
        `{role, kind, name, change: "added"|"removed"|"changed", a, b}`, by role in the
        order of the plans; parameters of the strategy have the role `""`.
    """
    roots = (_tree_paths(a["strategy"]), _tree_paths(b["strategy"]))
    found = [*_params(a, b)]
    roles = dict.fromkeys([*_names(a), *_names(b)])
    for role in roles:
        found += _role(role, _of(a, "roles", role), _of(b, "roles", role), roots)
        for kind, plural, key, fields in _LISTS:
            one, two = (_table(plan, plural, role, key, fields) for plan in (a, b))
            found += _tables(role, kind, one, two)
        found += _hooks(role, _of(a, "hooks", role), _of(b, "hooks", role))
    return found


def _change(role: str, kind: str, name: str, one: Any, two: Any) -> Change:
    what = "added" if one is None else "removed" if two is None else "changed"
    return {
        "role": role,
        "kind": kind,
        "name": name,
        "change": what,
        "a": one,
        "b": two,
    }


def _names(plan: Plan) -> list[str]:
    return [str(item["role"]) for item in plan["roles"]]


def _of(plan: Plan, plural: str, role: str) -> list[Item]:
    return [item for item in plan[plural] if item["role"] == role]


def _params(a: Plan, b: Plan) -> Iterator[Change]:
    one, two = a["strategy"]["params"], b["strategy"]["params"]
    yield from _tables("", "param", _present(one), _present(two))


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _tables(
    role: str, kind: str, one: Mapping[str, Any], two: Mapping[str, Any]
) -> Iterator[Change]:
    for name in dict.fromkeys([*one, *two]):
        if one.get(name) != two.get(name):
            yield _change(role, kind, name, one.get(name), two.get(name))


def _table(
    plan: Plan, plural: str, role: str, key: str, fields: Sequence[str]
) -> dict[str, dict[str, Any]]:
    return {
        str(item[key]): {field: item.get(field) for field in fields}
        for item in _of(plan, plural, role)
    }


def _role(
    role: str, one: list[Item], two: list[Item], roots: tuple[re.Pattern[str], re.Pattern[str]]
) -> Iterator[Change]:
    if not one or not two:
        given = [_told(item) if item else None for item in (one, two)]
        yield _change(role, "role", role, *given)
        return
    for field in _ROLE_FIELDS:
        before, after = (
            _plain(items[0].get(field), root) for items, root in zip((one, two), roots, strict=True)
        )
        if before != after:
            yield {**_change(role, "role", field, before, after), "change": "changed"}


def _told(items: list[Item]) -> dict[str, Any]:
    return {field: items[0].get(field) for field in _ROLE_FIELDS}


def _plain(value: Any, root: re.Pattern[str]) -> Any:
    """A text without the time of day, and with the same path for every tree."""
    if not isinstance(value, str):
        return value
    return root.sub("${PLUGIN_ROOT}", _NOW.sub("", value))


def _tree_paths(strategy: Item) -> re.Pattern[str]:
    """Matches the paths of a strategy's trees in the store, which end in their hashes."""
    hashes = "|".join(re.escape(tree) for tree in sorted(set(_trees(strategy))))
    return re.compile(rf"[^\s'\"<>]*/(?:{hashes})\b")


def _trees(part: Item) -> Iterator[str]:
    yield str(part["tree"]).removeprefix("sha256:")
    for below in part["parts"]:
        yield from _trees(below)


def _hooks(role: str, one: list[Item], two: list[Item]) -> Iterator[Change]:
    """Hooks go by what they run and when; a script's content shows in the tree's hash."""
    before, after = [_hook(item) for item in one], [_hook(item) for item in two]
    gone, new = Counter(before) - Counter(after), Counter(after) - Counter(before)
    for hook in gone.elements():
        yield _change(role, "hook", hook, _timeout(one, hook), None)
    for hook in new.elements():
        yield _change(role, "hook", hook, None, _timeout(two, hook))
    if not gone and not new and before != after:
        yield _change(role, "hook", "order", before, after)


def _hook(item: Item) -> str:
    return f"{item['event']} {item['matcher']}: {item['written']}"


def _timeout(items: list[Item], hook: str) -> dict[str, Any]:
    found = next(item for item in items if _hook(item) == hook)
    return {"type": found["type"], "timeout": found["timeout"]}
