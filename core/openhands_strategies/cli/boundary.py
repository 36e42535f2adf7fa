"""The one place where errors become two lines, or one JSON document, and an exit code."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, Final

import click

from openhands_strategies.cli.frame import Frame, asked_for
from openhands_strategies.cli.text import error_lines, say
from openhands_strategies.errors import RunError, StrategyError, UsageError, describe

INTERRUPTED: Final = 130


def guarded(frame: Frame, arguments: list[str], command: Callable[[], int | None]) -> int:
    """Run a command and return its exit code; whatever it raises is shown.

    Args:
        frame: The invocation.
        arguments: What the user typed; read only when it could not be parsed.
        command: Returns an exit code, or None for 0.
    """
    try:
        code = command() or 0
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        return reader_gone()
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        frame.json = frame.json or asked_for("--json", arguments)
        return _failed(frame, _as_usage(error), error)
    except StrategyError as error:
        return _failed(frame, error, error)
    except (KeyboardInterrupt, click.Abort) as error:
        _failed(frame, RunError("interrupted", "interrupted"), error)
        return INTERRUPTED
    # SystemExit too: only foreign code ends the process from within a command.
    except (Exception, SystemExit) as error:  # noqa: BLE001 - shown, and the process ends
        # rich ends the process itself when its reader has gone.
        if isinstance(error, SystemExit) and isinstance(error.__context__, BrokenPipeError):
            return reader_gone()
        problem = RunError("internal", f"unexpected {describe(error)}", "--debug shows where")
        return _failed(frame, problem, error)


def print_json(document: Any) -> None:
    """Print one document; ASCII, so that no stream's encoding can refuse it."""
    print(json.dumps(document, indent=2), flush=True)


def _as_usage(error: click.ClickException) -> StrategyError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "ohs"
    return UsageError("usage", error.format_message(), f"{path} --help shows how")


def _failed(frame: Frame, error: StrategyError, cause: BaseException) -> int:
    if frame.debug:
        say("".join(traceback.format_exception(cause)).rstrip())
    try:
        if frame.json:
            print_json({"error": error.to_json()})
        else:
            for line in error_lines(error):
                say(line)
    except BrokenPipeError:
        reader_gone()
    return error.exit_code


def reader_gone() -> int:
    """Nobody reads stdout any more: no word about it, not even when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
