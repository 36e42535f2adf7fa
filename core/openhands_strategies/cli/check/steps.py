"""The checks one after the other: how each went, how long it took, what it found."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from openhands_strategies.cli.text import say
from openhands_strategies.errors import StrategyError, TrustError, describe
from openhands_strategies.manifest.checks import Problem, make, of_error


def nothing(_: object) -> None:
    """Where nobody wants to be told."""


Status = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Row:
    """One check; `seconds` is 0 for one that was not done."""

    name: str
    status: Status
    seconds: float
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "detail": self.detail,
        }


@dataclass
class Steps:
    """Collects.

    Attributes:
        root: The strategy's directory; what errors name is looked for in it.
        default: The file that an error is about when it names none.
        progress: Takes a line about what is being done.
        note: Takes each beginning, problem and row at once, as JSON; the process may end
            before the next.
        foreign: What a check may raise without an end to the others.
        debug: Whether what is raised is shown as it is, on stderr.
    """

    root: Path
    default: str
    progress: Callable[[str], None]
    note: Callable[[dict[str, Any]], None] = nothing
    foreign: tuple[type[BaseException], ...] = (Exception,)
    debug: bool = False
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def run[T](self, name: str, check: Callable[[], T], detail: str = "") -> T | None:
        """Do one check; what it raises is a problem, and None is returned.

        Raises:
            TrustError: The user has not agreed to run it.
        """
        self.progress(f"checking: {name}")
        self.note({"step": name})
        before, begun = self._errors(), time.monotonic()
        result: T | None = None
        try:
            result = check()
        except TrustError:
            raise
        except StrategyError as error:
            self.show(error)
            self.add([of_error(error, self.root, self.default)])
        # The strategy's code runs here, and may raise anything.
        except self.foreign as error:
            self.show(error)
            text = f"{name}: {describe(error)}"
            self.add([make("check_failed", text, "see --debug", self.default)])
        status: Status = "failed" if self._errors() > before else "passed"
        self.end([Row(name, status, time.monotonic() - begun, detail)])
        return result

    def collect(self, name: str, check: Callable[[], Iterable[Problem]], detail: str = "") -> bool:
        """Do one check that yields problems; return whether there was no error."""

        def keep() -> None:
            for problem in check():
                self.add([problem])

        self.run(name, keep, detail)
        return self.rows[-1].status == "passed"

    def skip(self, names: Iterable[str], why: str) -> None:
        """Note that checks were not done."""
        self.end(Row(name, "skipped", 0.0, why) for name in names)

    def end(self, rows: Iterable[Row]) -> None:
        """Keep how checks went."""
        for row in rows:
            self.rows.append(row)
            self.note({"row": row.to_json()})

    def add(self, problems: Iterable[Problem]) -> None:
        """Keep problems; one that is known from an earlier check is not told twice."""
        for one in problems:
            if not any(_same(one, other) for other in self.problems):
                self.problems.append(one)
                self.note({"problem": one.to_json()})

    def show(self, error: BaseException) -> None:
        """With `debug`, show where it was raised."""
        if self.debug:
            say("".join(traceback.format_exception(error)).rstrip())

    def _errors(self) -> int:
        return sum(one.severity == "error" for one in self.problems)


def _same(one: Problem, other: Problem) -> bool:
    if (one.code, one.file) != (other.code, other.file):
        return False
    # An error of the loader names the strategy first, and sometimes no line.
    ends = one.message.endswith(other.message) or other.message.endswith(one.message)
    return ends or (one.line == other.line and one.code in ("import_removed", "hook_missing",
                    "hook_not_executable", "skill_clash", "tool_unknown"))  # fmt: skip
