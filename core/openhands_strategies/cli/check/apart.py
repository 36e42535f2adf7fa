"""A process of its own for a strategy's code: it may end it, or never come back."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from openhands_strategies.cli.check.journal import Request, read_journal, write_request
from openhands_strategies.cli.check.live import LIVE
from openhands_strategies.cli.check.steps import Row, Steps
from openhands_strategies.errors import LoadError, RunError, StrategyError, TrustError, UsageError
from openhands_strategies.manifest.checks import Problem, make

_GRACE_SECONDS: Final = 5.0
_CHILD: Final = "openhands_strategies.cli.check.child"
# By the exit code of the process that met the error.
_KINDS: Final[dict[int, type[StrategyError]]] = {2: UsageError, 3: LoadError, 4: TrustError}


def told_elsewhere(told: dict[str, Any], exit_code: int) -> StrategyError:
    """The error that another process has told as JSON."""
    kind = _KINDS.get(exit_code, RunError)
    return kind(told["code"], told["message"], told["hint"])


def check_apart(request: Request, steps: Steps, place: tuple[str, int], *, seconds: float) -> None:
    """Run the checks of `live` in a process of their own.

    Args:
        request: What is to be checked.
        steps: Takes what is found; a process that does not come to its end is a finding.
        place: File and line that such a finding is about.
        seconds: How long the process may take.

    Raises:
        StrategyError: What that process could not go on with: a parameter that does not
            fit, or a part that is not trusted.
    """
    with tempfile.TemporaryDirectory(prefix="ohs-check-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        write_request(directory, request)
        begun = time.monotonic()
        code = _run(directory, seconds)
        took = time.monotonic() - begun
        entries = list(read_journal(directory))
    at, ended = LIVE[0], False
    for entry in entries:
        match entry:
            case {"error": told}:
                raise told_elsewhere(told, entry["exit_code"])
            case {"end": _}:
                ended = True
            case {"step": name}:
                at = name
            case {"problem": problem}:
                steps.add([Problem(**problem)])
            case {"row": row}:
                steps.end([Row(**row)])
    if not ended:
        _broken_off(steps, at, took, _how(code, seconds), place)


def _broken_off(
    steps: Steps, at: str, took: float, how: tuple[str, str], place: tuple[str, int]
) -> None:
    what, hint = how
    steps.add([make("check_failed", f"{at}: {what}", hint, *place)])
    done = {row.name for row in steps.rows}
    before = sum(row.seconds for row in steps.rows if row.name in LIVE)
    steps.end([Row(at, "failed", max(0.0, took - before))])
    steps.skip([name for name in LIVE if name not in {*done, at}], f"{at} did not end")


def _how(code: int | None, seconds: float) -> tuple[str, str]:
    """What came instead of the end, and what to do."""
    if code is None:
        return (
            f"there was no end within {seconds:g} seconds",
            "look for a loop or for something that is waited for; --timeout allows more",
        )
    if code < 0:
        with suppress(ValueError):
            return (
                f"the process was ended by {signal.Signals(-code).name}",
                "what it said above may tell why",
            )
    return (
        f"the strategy's code ended the process, with exit code {code}",
        "raise an error instead: whoever runs the strategy has the process",
    )


def _run(directory: Path, seconds: float) -> int | None:
    """Run the child to its end; its exit code, or None where there was none in time."""
    command = [sys.executable, "-P", "-m", _CHILD, str(directory)]
    # It ends when this pipe does, so that it never outlives this process.
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the child close what it has opened, but not for long."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    finally:
        process.kill()
