"""Whether a new strategy may have a name, and what follows from it."""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openhands_strategies.errors import StrategyError, UsageError
from openhands_strategies.labels import kebab
from openhands_strategies.sources.reference import is_name

LONGEST: Final = 48
"""Characters of a name: a skill is named after it, and its names end at 64."""

_PREFIX: Final = "openhands-strategy-"
# `openhands` and `tests` would hide packages from whoever works in the directory above;
# the others are paths of the REST interface.
_RESERVED: Final = frozenset(
    {"openhands", "ohs", "strategies", "openhands-strategies", "tests", "runs", "reload"}
)
# What this program and the tests of a strategy install and import: a directory of that name
# would hide it from whoever works in the directory above.
_NEEDED: Final = frozenset(
    {
        *("build", "click", "copier", "filelock", "git", "gitpython", "httpx", "hypothesis"),
        *("importlib-metadata", "litellm", "mypy", "openhands-agent-server", "openhands-sdk"),
        *("openhands-tools", "packaging", "pip", "pluggy", "pydantic", "pytest", "pyyaml"),
        *("rich", "ruff", "setuptools", "tomlkit", "uv", "yaml"),
    }
)
# What the generated module imports or defines itself.
_USED: Final = frozenset(
    {
        *("Agent", "AgentContext", "AgentSpec", "Blueprint", "BuildContext", "ClassVar"),
        *("FileEditorTool", "LLM", "Limits", "Sequence", "Strategy", "StrategyParam"),
        *("SubAgent", "TerminalTool", "Tool"),
    }
)


@dataclass(frozen=True)
class Names:
    """A strategy's name in all its forms.

    Attributes:
        name: What users type, in kebab-case.
        distribution: What pip installs.
        package: What Python imports.
        class_name: The strategy's class.
    """

    name: str
    distribution: str
    package: str
    class_name: str


def names_of(name: str) -> Names:
    """All forms of a name.

    Raises:
        UsageError: `name_invalid` or `name_reserved`.
    """
    _check_form(name)
    _check_reserved(name)
    module = name.replace("-", "_")
    return Names(name, f"{_PREFIX}{name}", f"openhands_strategy_{module}", _class_name(name))


def check_free(name: str, *, base: Path, warn: Callable[[StrategyError], None]) -> None:
    """Refuse a name that the project, an installed distribution or an index has.

    Args:
        name: The name.
        base: Directory that the user works in.
        warn: Takes an error for each index that cannot be read.

    Raises:
        UsageError: `name_taken`.
    """
    from openhands_strategies.project.home import find_home
    from openhands_strategies.project.indexes import offers_of, open_indexes
    from openhands_strategies.registry.catalog import list_all

    taken = [str(one.source) for one in list_all(base=base).named(name)]
    taken += [str(one.source) for one in offers_of(name, open_indexes(find_home(), warn))]
    if taken:
        raise UsageError(
            "name_taken",
            f"the name {name!r} is taken: {taken[0]}",
            "choose another one, or pass --allow-taken if this is to take its place",
        )


def _check_form(name: str) -> None:
    short = name.removeprefix(_PREFIX).removeprefix(_PREFIX.replace("-", "_"))
    if short != name:
        hint = f"the prefix comes by itself: ohs new {kebab(short)}"
    elif len(name) > LONGEST:
        hint = f"it has {len(name)} characters, and {LONGEST} are the most"
    elif not is_name(name) or not name[0].isalpha():
        near = re.sub(r"^[0-9-]+", "", kebab(name))[:LONGEST].strip("-") if name.strip() else ""
        hint = "names are kebab-case: lower-case letters, digits, single hyphens, a letter first"
        hint += f"; did you mean {near}?" if is_name(near) and near != "part" else ""
    else:
        return
    shown = name if len(name) <= 80 else f"{name[:79]}…"
    raise UsageError("name_invalid", f"{shown!r} is no name for a strategy", hint)


def _check_reserved(name: str) -> None:
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or keyword.issoftkeyword(module):
        what = "a word of the Python language"
    elif module in sys.stdlib_module_names:
        what = "a module of Python, which the directory would hide from its neighbours"
    elif name in _NEEDED:
        what = "a package that ohs or a strategy's tests use"
    elif name in _RESERVED:
        what = "used by OpenHands or by ohs itself"
    else:
        return
    raise UsageError(
        "name_reserved", f"{name!r} is {what}", f"choose another one: ohs new {name}-strategy"
    )


def _class_name(name: str) -> str:
    camel = "".join(piece.capitalize() for piece in name.split("-"))
    free = camel not in _USED and not keyword.iskeyword(camel) and not hasattr(builtins, camel)
    return camel if free else f"{camel}Strategy"
