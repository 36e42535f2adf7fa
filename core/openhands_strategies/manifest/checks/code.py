"""SDK subclasses, whose names are global, and work that is done while importing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from openhands_strategies.manifest.checks.problem import Problem, make
from openhands_strategies.manifest.checks.subject import Subject
from openhands_strategies.manifest.sdk_classes import sdk_classes
from openhands_strategies.manifest.sdk_names import FAMILY_OF
from openhands_strategies.manifest.syntax import top_level

_WORK: Final = frozenset({"print", "input", "exit", "quit", "breakpoint"})
_WORKING_MODULES: Final = frozenset({"subprocess", "requests", "httpx", "socket", "shutil"})
_WORKING: Final = frozenset({"os.system", "os.chdir", "sys.exit", "time.sleep", "os.popen"})


def problems(subject: Subject) -> Iterator[Problem]:
    prefix = "".join(word.capitalize() for word in (subject.name or "").split("-"))
    for one in sdk_classes(subject.tree, subject.scopes):
        own = one.name.lstrip("_")
        if FAMILY_OF.get(own) in one.bases:
            yield make(
                "class_name_taken",
                f"{one.name} is the name of a {one.bases[0]} of the SDK's own",
                f"rename it, for example {prefix or 'My'}{own}",
                one.file,
                one.line,
            )
        elif prefix and not own.startswith(prefix):
            yield make(
                "class_name_common",
                f"{one.name} derives from {one.bases[0]}, whose subclasses need names that are"
                " unique in the process",
                f"put the strategy's name before it: {prefix}{own}",
                one.file,
                one.line,
            )
    for scope in subject.scopes:
        for statement in top_level(scope.module.body):
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                called = _called(scope.dotted(statement.value.func), statement.value.func)
                if called is not None:
                    yield make(
                        "import_works",
                        f"{called} runs whenever the file is imported",
                        "move it into setup() or build()",
                        scope.file,
                        statement.lineno,
                    )


def _called(dotted: str | None, func: ast.expr) -> str | None:
    if isinstance(func, ast.Name) and func.id in _WORK:
        return f"{func.id}()"
    if dotted is None:
        return None
    works = dotted in _WORKING or dotted.partition(".")[0] in _WORKING_MODULES
    return f"{dotted}()" if works else None
