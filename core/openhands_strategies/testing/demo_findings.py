"""What the demo's scripted models read out of tool output, and how they report it.

This stands in for a model's understanding: `REMEDIES` knows three kinds of mistakes by
their looks. Where they are, whether they are there at all and which tests fail is read
from what the terminal really printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ESCALATION = "ESCALATE_TO_MAIN:"

_NUMBERED = re.compile(r"^ *(\d+)[ \t]+(\S.*?)\s*$", re.MULTILINE)
_FAILING = re.compile(r"^(?:FAIL|ERROR): (\w+)", re.MULTILINE)
_LOCATION = re.compile(r'File "[^"]*?(tests/\w+\.py)", line (\d+)')
_RAN = re.compile(r"^Ran (\d+) tests? in", re.MULTILINE)
_PROPOSAL = re.compile(r"^- (\S+\.py):(\d+) replace `(.+)` with `(.+)` \((.+)\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Remedy:
    """A mistake, known by its line of code, and what to write instead."""

    pattern: str
    replacement: str
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of one line."""

    file: str
    line: int
    old: str
    new: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} replace `{self.old}` with `{self.new}` ({self.why})"


REMEDIES = (
    Remedy(
        r"if quantity >= (self\.free\(\w+\)):",
        r"if quantity > \1:",
        "the last free piece could not be reserved",
    ),
    Remedy(
        r"return day\.weekday\(\) != _SATURDAY and (.+)",
        r"return day.weekday() < _SATURDAY and \1",
        "Sunday was taken for a working day",
    ),
    Remedy(
        r"return round\((\w+)\)",
        r"return (\1 + Fraction(1, 2)) // 1",
        "half a cent was rounded to the even cent instead of up",
    ),
)


def numbered_lines(output: str) -> dict[int, str]:
    """Line numbers and stripped code from what `cat -n` printed."""
    return {int(number): code for number, code in _NUMBERED.findall(output)}


def propose(file: str, output: str) -> Proposal | None:
    """The change that the source of `file`, as `cat -n` printed it, is in need of."""
    for number, code in numbered_lines(output).items():
        for remedy in REMEDIES:
            if found := re.fullmatch(remedy.pattern, code):
                return Proposal(file, number, code, found.expand(remedy.replacement), remedy.why)
    return None


def read_proposals(report: str) -> list[Proposal]:
    """The changes that a sidekick's report proposes."""
    return [
        Proposal(file, int(line), old, new, why)
        for file, line, old, new, why in _PROPOSAL.findall(report)
    ]


def escalation_reason(report: str) -> str | None:
    """Why a sidekick gave its task back, None if it did not."""
    for line in report.splitlines():
        if line.startswith(ESCALATION):
            return line.removeprefix(ESCALATION).strip()
    return None


def policy_line(output: str) -> int | None:
    """The line of a source that says something is a policy, not the programmer's choice."""
    lines = numbered_lines(output).items()
    return next((number for number, code in lines if re.search(r"\bpolicy\b", code)), None)


def failing_tests(output: str) -> list[str]:
    """Names of the tests that unittest reports as failed."""
    return _FAILING.findall(output)


def failure_location(output: str) -> tuple[str, int] | None:
    """File and line in `tests/` of the first traceback."""
    found = _LOCATION.search(output)
    return (found[1], int(found[2])) if found else None


def tests_run(output: str) -> int | None:
    """How many tests unittest ran, None if it did not come to that."""
    found = _RAN.search(output)
    return int(found[1]) if found else None


def tests_passed(output: str) -> bool:
    """Whether unittest ran and was content."""
    return bool(tests_run(output)) and re.search(r"^OK\b", output, re.MULTILINE) is not None
