"""One thing that is wrong, where it stands, and what to do."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from openhands_strategies.errors import StrategyError, one_line
from openhands_strategies.manifest.checks.rules import RULES, Severity
from openhands_strategies.manifest.files import exists, printable
from openhands_strategies.manifest.model import Finding

_PLACE: Final = re.compile(r"(?P<file>[\w./-]+\.(?:py|json|md|toml))(?::(?P<line>\d+))?")
_LINE: Final = re.compile(r"\bline (\d+)\b")
_NAMES: Final = frozenset({"name_form", "name_mismatch"})


@dataclass(frozen=True)
class Problem:
    """A finding of `ohs check`.

    Attributes:
        code: Stable identifier; see `RULES`.
        severity: An error keeps the strategy from being published; the rest does not.
        message: One line.
        hint: What to do, one line.
        file: Relative to the strategy's directory; empty when it is about no file.
        line: From 1; 0 when it is about no line.
    """

    code: str
    severity: Severity
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def make(
    code: str,
    message: str,
    hint: str = "",
    file: str = "",
    line: int = 0,
    *,
    severity: Severity | None = None,
) -> Problem:
    """Return a problem with the severity of its rule, unless another one is given."""
    rule = RULES.get(code)
    level = severity or (rule.severity if rule else "error")
    place = line or (1 if file else 0)
    return Problem(code, level, one_line(message), one_line(hint), printable(file), place)


def of_error(error: StrategyError, root: Path, default: str = "") -> Problem:
    """Return what an error says as a problem, with the place that its message names.

    Args:
        error: From reading, loading or building.
        root: The strategy's directory; what is not in it is no place.
        default: The file that it is about when its message names none.
    """
    file, line = default, 0
    for found in _PLACE.finditer(error.message):
        if exists(root, found["file"]) and not found["file"].startswith(("/", "..")):
            file, line = found["file"], int(found["line"] or 0)
            break
    number = _LINE.search(error.message)
    if not line and number is not None:
        line = int(number[1])
    return make(error.code, error.message, error.hint, file, line)


def of_finding(finding: Finding, file: str, line: int) -> Problem:
    """Return a manifest's finding as a problem; `file` and `line` are the definition's."""
    if finding.code in _NAMES and not finding.file:
        return make(finding.code, finding.message, finding.hint, file, line)
    where = finding.file or ("pyproject.toml" if finding.code == "version_mismatch" else file)
    return make(finding.code, finding.message, finding.hint, where, finding.line)
