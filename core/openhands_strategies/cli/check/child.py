"""The process that runs a strategy's code for `ohs check`: `python -m … DIRECTORY`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Final

from openhands_strategies.cli.check.journal import read_request, writer
from openhands_strategies.cli.check.live import check_live
from openhands_strategies.cli.check.steps import Steps, nothing
from openhands_strategies.cli.sdk import import_sdk, stdout_reserved
from openhands_strategies.cli.text import say
from openhands_strategies.errors import RunError, StrategyError, describe

_GRACE_SECONDS: Final = 5.0


class _Stopped(BaseException):
    """Who asked for the check does not want it any more.

    No KeyboardInterrupt: one of those comes from the strategy's code, and is a finding.
    """


def main(directory: Path) -> int:
    """Carry out the request in a directory and write the journal."""
    signal.signal(signal.SIGINT, _stop)
    _end_with_parent()
    request, note = read_request(directory), writer(directory)
    located = request.located
    progress = nothing if request.quiet else say
    foreign = (Exception, SystemExit, KeyboardInterrupt)
    steps = Steps(
        located.root, located.module, progress, note=note, foreign=foreign, debug=request.debug
    )
    work = directory / "work"
    work.mkdir()
    try:
        with stdout_reserved():
            progress("loading the SDK, this takes some seconds…")
            import_sdk(debug=request.debug)
            check_live(located, request.given, steps, work)
    except _Stopped:
        return 130
    except StrategyError as error:
        note({"error": error.to_json(), "exit_code": error.exit_code})
        return error.exit_code
    # SystemExit and KeyboardInterrupt too: only foreign code raises them here.
    except foreign as error:
        steps.show(error)
        problem = RunError("internal", f"unexpected {describe(error)}", "--debug shows where")
        note({"error": problem.to_json(), "exit_code": problem.exit_code})
        return problem.exit_code
    note({"end": True})
    return 0


def _stop(*_: object) -> None:
    # Once: what is closed meanwhile is closed in peace.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise _Stopped


def _end_with_parent() -> None:
    """Let this process end when stdin does, which the parent holds open as long as it lives.

    A strategy reads nothing there.
    """
    held = os.dup(0)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)

    def watch() -> None:
        os.read(held, 1)
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(_GRACE_SECONDS)
        os._exit(130)

    threading.Thread(target=watch, name="ohs-check-parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
