"""Values of the options of `ohs run`: texts in, checked values out."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from openhands_strategies.errors import UsageError, describe
from openhands_strategies.runtime.usage import Price


def params_of(texts: Sequence[str]) -> dict[str, str]:
    """`k=v` texts as a dictionary.

    Raises:
        UsageError: `param_format` or `param_twice`.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(
                "param_format",
                f"--param {text!r} has no name and value",
                "write --param name=value",
            )
        if name.strip() in found:
            raise UsageError(
                "param_twice", f"--param {name.strip()} is given twice", "give it once"
            )
        found[name.strip()] = value
    return found


def prices_of(texts: Sequence[str]) -> tuple[Price | None, dict[str, Price]]:
    """The main model's price, and those of other models by name.

    Args:
        texts: `IN,OUT` or `MODEL=IN,OUT`, dollars for a million tokens.

    Raises:
        UsageError: `price_format` or `price_twice`.
    """
    main: Price | None = None
    others: dict[str, Price] = {}
    for text in texts:
        model, equals, numbers = text.rpartition("=")
        price = _price(text, numbers)
        if (equals and model in others) or (not equals and main is not None):
            raise UsageError("price_twice", f"--price {text}: given before", "give one price each")
        if equals:
            others[model] = price
        else:
            main = price
    return main, others


def _price(text: str, numbers: str) -> Price:
    try:
        values = [float(number) for number in numbers.split(",")]
    except ValueError:
        values = []
    if len(values) != 2 or not all(math.isfinite(value) and value >= 0 for value in values):
        raise UsageError(
            "price_format",
            f"--price {text!r} is no price",
            "write IN,OUT or MODEL=IN,OUT in dollars for a million tokens: --price 3,15",
        )
    return Price(*values)


def budget_of(dollars: float | None) -> float | None:
    """A budget, if one is given.

    Raises:
        UsageError: `budget_invalid` unless it is a finite amount above 0.
    """
    if dollars is not None and not (math.isfinite(dollars) and dollars > 0):
        raise UsageError(
            "budget_invalid", f"--max-budget {dollars:g} is no amount", "give dollars above 0"
        )
    return dollars


def task_of(text: str | None, file: str | None) -> str | None:
    """The task from `--task` or `--file` (`-` reads stdin); None when neither is given.

    Raises:
        UsageError: `task_twice`, `task_file` or `task_empty`.
    """
    if text is not None and file is not None:
        raise UsageError("task_twice", "--task and --file exclude each other", "give one of them")
    if text is None and file is None:
        return None
    try:
        if file is not None:
            raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "task_file", f"--file {file}: {describe(error)}", "name a text file in UTF-8"
        ) from error
    if text is None or not text.strip():
        raise UsageError("task_empty", "the task is empty", "say what is to be done: --task TEXT")
    # A byte of the command line that is no UTF-8 can be sent to no model.
    return text.encode(errors="replace").decode()


def report_path(text: str | None) -> Path | None:
    """Where the report goes, checked before a run starts.

    Raises:
        UsageError: `report_path`.
    """
    return None if text is None else writable_path(Path(text), f"--report {text}", "report_path")


def writable_path(path: Path, given: str, code: str) -> Path:
    """A file that is written at the end, looked at before the work that takes its time.

    Args:
        path: The file, which need not exist.
        given: The option as it was typed, for the message.
        code: Of the error.

    Raises:
        UsageError: With this code.
    """
    path = path.absolute()
    reason = None
    if not path.parent.is_dir():
        reason = f"{path.parent} is no directory"
    elif path.is_dir():
        reason = "it is a directory"
    elif not os.access(path.parent, os.W_OK):
        reason = f"{path.parent} cannot be written"
    if reason is not None:
        raise UsageError(code, f"{given}: {reason}", "name a file in a directory that exists")
    return path


def workspace_of(text: str | None) -> Path:
    """The directory that agents work in; the current one by default.

    Raises:
        UsageError: `workspace_missing`.
    """
    path = (Path.cwd() if text is None else Path(text).expanduser()).absolute()
    if not path.is_dir():
        what = "is no directory" if path.exists() else "does not exist"
        raise UsageError(
            "workspace_missing", f"the workspace {path} {what}", "name a directory: --workspace DIR"
        )
    return path.resolve()
