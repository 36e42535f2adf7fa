"""One run of a comparison: how it ended, and its document."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Status = Literal["finished", "failed", "limit", "interrupted", "error"]
CARRIED_OUT: Final = ("finished", "failed", "limit")


@dataclass(frozen=True)
class Check:
    """How the user's own check ended.

    Attributes:
        exit_code: Of the shell; negative for a signal, None when it took too long.
        seconds: How long it ran.
        output: The last lines of what it printed.
    """

    exit_code: int | None
    seconds: float
    output: str


@dataclass(frozen=True)
class Result:
    """One run of one strategy.

    Attributes:
        strategy: Name of the contender.
        number: From 1.
        status: As `ohs run` says; `error` when it could not be carried out.
        started: Unix time.
        ended: Unix time, after the check.
        report: The document of `ohs run --json`.
        check: None when no check was asked for, or it was not reached.
        error: `{code, message, hint}` of what went wrong.
        workspace: Where the copy was kept.
    """

    strategy: str
    number: int
    status: Status
    started: float
    ended: float
    report: dict[str, Any] | None = None
    check: Check | None = None
    error: dict[str, str] | None = None
    workspace: str | None = None

    @property
    def carried_out(self) -> bool:
        """Whether agents worked until they ended or a limit stopped them."""
        return self.status in CARRIED_OUT

    @property
    def success(self) -> bool | None:
        """What the check says; None when there is none."""
        return None if self.check is None else self.check.exit_code == 0

    def to_json(self) -> dict[str, Any]:
        """The document of this run."""
        report = self.report or {}
        return {
            **asdict(self),
            "success": self.success,
            "seconds": report.get("seconds"),
            "cost_usd": report.get("cost_usd"),
        }
