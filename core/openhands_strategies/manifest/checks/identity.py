"""Name and description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.classes import ClassInfo, attribute
from openhands_strategies.manifest.literals import Computed

_LONG: Final = 160
_RESERVED: Final = frozenset({"runs", "reload"})


def problems(subject: Subject) -> Iterator[Problem]:
    info, (file, line) = subject.info, subject.place
    if subject.name in _RESERVED:
        yield make(
            "name_reserved",
            f"the name {subject.name!r} is taken by the server's own paths",
            "choose another name",
            file,
            line,
        )
    if info is None:
        return
    name = _text(subject, info, "name")
    if name is None:
        yield make("name_computed", "the name is not written as a text in the class",
                   'write name = "my-strategy" in the class', file, line)  # fmt: skip
    elif not name[0]:
        yield make("name_missing", f"class {info.name} has no name",
                   'write name = "my-strategy" in the class', file, line)  # fmt: skip
    yield from _description(subject, info, file, line)


def _description(subject: Subject, info: ClassInfo, file: str, line: int) -> Iterator[Problem]:
    found = _text(subject, info, "description")
    if found is None:
        yield make(
            "description_computed",
            "the description is not written as a text in the class",
            "write it as one text, so that it can be listed without running the code",
            file,
            line,
        )
        return
    text, where, at = found
    if not text.strip():
        yield make("description_missing", f"class {info.name} has no description",
                   "say in one line what the strategy does", where or file, at or line)  # fmt: skip
    elif "\n" in text.strip():
        yield make("description_lines", "the description has more than one line",
                   "keep one line here and put the rest into the docstring", where, at)  # fmt: skip
    elif len(text) > _LONG:
        yield make(
            "description_long",
            f"the description has {len(text)} characters; lists show about {_LONG}",
            "shorten it",
            where,
            at,
        )


def _text(subject: Subject, info: ClassInfo, field: str) -> tuple[str, str, int] | None:
    """A text of the class with its file and line; None when it is computed."""
    try:
        found = attribute(subject.tree, info, field)
        if found is None:
            return "", "", 0
        reader, scope, node = found
        value = reader.value(scope, node)
    except Computed:
        return None
    return (value, scope.file, node.lineno) if isinstance(value, str) else None
