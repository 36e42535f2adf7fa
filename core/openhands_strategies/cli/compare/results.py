"""The directory of one comparison: the question, the workspace as it was, a file for each run.

    compare.json     what was asked, written last of all before the first run
    runs/            one JSON document for each run that ended
    start/           the workspace as it was; gone when every run was carried out
    .lock            held by the process that works here

All of it is made with mode 0700: answers and outputs are nobody else's.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from openhands_strategies.cli.compare.copies import copy_workspace
from openhands_strategies.cli.compare.question import Question
from openhands_strategies.cli.compare.result import Check, Result
from openhands_strategies.errors import LoadError, RunError, UsageError, describe
from openhands_strategies.project.home import Home
from openhands_strategies.runtime.json_file import write_json
from openhands_strategies.sources.locks import locked

_FILE: Final = "compare.json"
_VERSION: Final = 1


@dataclass(frozen=True)
class Directory:
    """One comparison on disk."""

    path: Path
    question: Question

    @property
    def start(self) -> Path:
        """The workspace as it was; every run copies this."""
        return self.path / "start" / (Path(self.question.workspace).name or "workspace")

    def results(self) -> dict[tuple[str, int], Result]:
        """Every run that left a document, by name and number, in the order asked for.

        Raises:
            RunError: `compare_unreadable`.
        """
        found = {}
        for name, number in self.wanted():
            path = self._file(name, number)
            try:
                data = json.loads(path.read_text(encoding="utf-8"))
                check = data["check"]
                fields = {key: data[key] for key in Result.__dataclass_fields__}
                fields["check"] = None if check is None else Check(**check)
                found[name, number] = Result(**fields)
            except FileNotFoundError:
                continue
            except (OSError, ValueError, TypeError, KeyError) as error:
                raise RunError(
                    "compare_unreadable",
                    f"{path} cannot be read: {describe(error)}",
                    "remove it, and this run is done again",
                ) from error
        return found

    def write(self, result: Result) -> None:
        """Keep the document of one run; never half of it."""
        write_json(self._file(result.strategy, result.number), result.to_json())

    def wanted(self) -> list[tuple[str, int]]:
        """Name and number of every run: the first of each strategy, then the second."""
        return [
            (one.name, number)
            for number in range(1, self.question.repeat + 1)
            for one in self.question.contenders
        ]

    def clear_start(self) -> None:
        """Remove the kept workspace; nothing is left to be copied from it."""
        shutil.rmtree(self.path / "start", ignore_errors=True)

    def kept(self, name: str, number: int) -> Path:
        """Where the copy of one run is kept, when copies are kept."""
        return self.path / "workspaces" / self._called(name, number)

    def _file(self, name: str, number: int) -> Path:
        return self.path / "runs" / f"{self._called(name, number)}.json"

    def _called(self, name: str, number: int) -> str:
        place = [one.name for one in self.question.contenders].index(name) + 1
        return f"{place}-{_plain(name)}-{number}"


def new_directory(question: Question, home: Home, out: str | None) -> Directory:
    """Make the directory of a new comparison, with the workspace as it is now.

    Args:
        question: What is asked.
        home: Holds it, in `compare/`, unless the user names a place.
        out: `--out`; must be missing or empty.

    Raises:
        UsageError: `out_taken`, `out_write` or `workspace_copy`.
    """
    path = _free_place(question, home) if out is None else Path(out).expanduser().absolute()
    if out is not None and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(
            "out_taken",
            f"--out {out} exists and is not empty",
            "name a new directory, or go on with that comparison: --resume DIR",
        )
    if path.resolve() == Path(question.workspace):
        raise UsageError("out_taken", f"--out {out} is the workspace", "name another directory")
    made = not path.exists()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
        (path / "runs").mkdir()
        (path / "start").mkdir()
    except OSError as error:
        raise UsageError(
            "out_write",
            f"{path} cannot be made: {describe(error)}",
            "name another place: --out DIR",
        ) from error
    found = Directory(path.resolve(), question)
    try:
        copy_workspace(Path(question.workspace), found.start, leave_out=found.path)
        write_json(path / _FILE, {"version": _VERSION, **question.to_json()})
    except BaseException:
        for part in ("start", "runs", *(() if not made else (".",))):
            shutil.rmtree(path / part, ignore_errors=True)
        raise
    return found


def open_directory(text: str) -> Directory:
    """Open the directory of an earlier comparison.

    Raises:
        UsageError: `compare_unknown` when it is none, or its file cannot be read.
    """
    path = Path(text).expanduser().absolute()
    try:
        data = json.loads((path / _FILE).read_text(encoding="utf-8"))
        if data.pop("version") != _VERSION:
            raise ValueError("its version is not known here")
        return Directory(path.resolve(), Question.from_json(data))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            "compare_unknown",
            f"--resume {text} holds no comparison that can be read: {describe(error)}",
            "name the directory that the comparison printed",
        ) from error


@contextmanager
def alone(directory: Directory) -> Iterator[None]:
    """Keep other processes out of a comparison while the block lasts.

    Raises:
        UsageError: `compare_running` when another process works on it.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(directory.path / ".lock", seconds=0))
        except LoadError as error:
            raise UsageError(
                "compare_running",
                f"another process works on the comparison {directory.path}",
                "wait for it, or stop it with Ctrl-C",
            ) from error
        yield


def missing(directory: Directory, results: Sequence[Result]) -> list[tuple[str, int]]:
    """Name and number of the runs that are still to be carried out."""
    there = {(one.strategy, one.number) for one in results if one.carried_out}
    return [wanted for wanted in directory.wanted() if wanted not in there]


def _free_place(question: Question, home: Home) -> Path:
    digest = hashlib.sha256(json.dumps(question.to_json()).encode()).hexdigest()[:8]
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return home.path / "compare" / f"{stamp}-{digest}-{secrets.token_hex(3)}"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40] or "strategy"
