"""One run of a comparison: a copy, `ohs run` in it, the user's check, one result."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, get_args
from uuid import uuid4

from openhands_strategies.cli.compare.children import Children, Ended, Stopped
from openhands_strategies.cli.compare.copies import copy_workspace
from openhands_strategies.cli.compare.question import Contender, Question
from openhands_strategies.cli.compare.result import Check, Result, Status
from openhands_strategies.cli.compare.results import Directory
from openhands_strategies.cli.processes import VARIABLE, end_marked, marks_with
from openhands_strategies.errors import RunError, StrategyError, describe, one_line

_LINES: Final = 20
_CHARACTERS: Final = 4000
_KEY: Final = "LLM_API_KEY"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """How all runs are carried out.

    Attributes:
        children: Starts and stops their processes.
        base_url: The model's server in full; only the environment of a run has it.
        keep: Whether copies are kept in the directory of the comparison.
    """

    children: Children
    base_url: str | None
    keep: bool


def carry_out(
    directory: Directory, contender: Contender, number: int, settings: Settings, tell: Tell
) -> Result | None:
    """Run one strategy once, in a fresh copy; None when it was stopped before the agents.

    Args:
        directory: Has the question, and the workspace as it was.
        contender: The strategy.
        number: Which of its runs this is, from 1.
        settings: How.
        tell: Told what happens now, in a word.
    """
    question, started = directory.question, time.time()
    mark = uuid4().hex
    # A directory with a random name, for this user alone, far from the results.
    with tempfile.TemporaryDirectory(prefix="ohs-", ignore_cleanup_errors=True) as private:
        copy = Path(private).resolve() / directory.start.name
        try:
            tell("copying")
            copy_workspace(directory.start, copy, go_on=lambda: _go_on(settings.children))
            tell("working")
            result = replace(
                _agents(question, contender, number, copy, settings, mark), started=started
            )
            if result.carried_out and question.check is not None:
                tell("checking")
                with suppress(Stopped):
                    result = replace(result, check=_check(question, copy, settings.children, mark))
        except Stopped:
            return None
        finally:
            end_marked(mark)
        if settings.children.stopped and not (result.carried_out and question.check is None):
            result = replace(result, status="interrupted", check=None)
        if settings.keep:
            result = replace(result, workspace=_keep(directory, contender, number, copy))
    return _without_keys(replace(result, ended=time.time()))


def _go_on(children: Children) -> None:
    if children.stopped:
        raise Stopped


def _agents(
    question: Question,
    contender: Contender,
    number: int,
    copy: Path,
    settings: Settings,
    mark: str,
) -> Result:
    ended = settings.children.run(
        _arguments(question, contender, copy),
        cwd=question.base,
        environ=_environment(settings.base_url, question.profile, copy.parent, mark),
        text=question.task,
        stop_with=signal.SIGINT,
    )
    result = Result(contender.name, number, "error", 0.0, 0.0)
    try:
        document = json.loads(ended.out)
        status: Status = document.get("status", "error")
        error: dict[str, str] | None = document["error"]
        known = status in get_args(Status)
    except (ValueError, AttributeError, KeyError):
        known = False
    if not known:
        return replace(result, error=_died(contender, ended).to_json())
    if status == "error":
        return replace(result, error=error)
    if document["strategy"]["tree"] != contender.tree:
        return replace(result, error=_changed(contender).to_json())
    return replace(result, status=status, report=document, error=error)


def _arguments(question: Question, contender: Contender, copy: Path) -> list[str]:
    """`ohs run` for one copy. The task goes to stdin: it may be longer than arguments may."""
    options = {
        "--model": question.model,
        "--llm-profile": question.profile,
        "--max-budget": None if question.max_budget is None else repr(question.max_budget),
    }
    return [
        *(sys.executable, "-m", "openhands_strategies", "run", "--json"),
        *("--file", "-", "--workspace", str(copy)),
        *(f"{name}={value}" for name, value in options.items() if value is not None),
        *(f"--price={price}" for price in question.prices),
        *(f"--param={name}={value}" for name, value in contender.params.items()),
        *("--", contender.reference),
    ]


def _environment(
    base_url: str | None, profile: str | None, private: Path, mark: str
) -> dict[str, str]:
    """The user's, with a mark, and a tmux server that no other run shares."""
    environ = {**os.environ, VARIABLE: marks_with(mark), "TMUX_TMPDIR": str(private)}
    environ.pop("TMUX", None)
    if profile is None:
        environ.pop("LLM_BASE_URL", None)
        if base_url is not None:
            environ["LLM_BASE_URL"] = base_url
    return environ


def _check(question: Question, copy: Path, children: Children, mark: str) -> Check:
    """The user's own check, without the model's key: it runs what agents wrote."""
    environ = {name: value for name, value in os.environ.items() if name != _KEY}
    environ[VARIABLE] = marks_with(mark)
    ended = children.run(
        question.check or "",
        cwd=str(copy),
        environ=environ,
        seconds=question.check_timeout,
        tail=True,
    )
    output = _tail(ended.out)
    if ended.exit_code is None:
        output = f"{output}\n(ended after {question.check_timeout:g} seconds)".lstrip()
    return Check(ended.exit_code, round(ended.seconds, 3), output)


def _keep(directory: Directory, contender: Contender, number: int, copy: Path) -> str:
    place = directory.kept(contender.name, number)
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(exist_ok=True)
        shutil.move(copy, place)
    except (OSError, shutil.Error) as error:
        raise RunError(
            "workspace_keep", f"{place} cannot be written: {describe(error)}", "leave out --keep"
        ) from error
    return str(place)


def _tail(output: bytes) -> str:
    lines = output.decode(errors="replace").rstrip().splitlines()[-_LINES:]
    return "\n".join(lines)[-_CHARACTERS:]


def _died(contender: Contender, ended: Ended) -> StrategyError:
    last = one_line(_tail(ended.err).rpartition("\n")[2])[:300]
    return RunError(
        "run_died",
        f"the run of {contender.name} ended with exit code {ended.exit_code} and no report"
        + (f": {last}" if last else ""),
        "ohs run with the same options shows more",
    )


def _changed(contender: Contender) -> StrategyError:
    return RunError(
        "strategy_changed",
        f"the code of {contender.name} ({contender.reference}) was changed during the comparison",
        "leave it alone, and start again",
    )


def _without_keys(result: Result) -> Result:
    """Take every key of the environment out of texts that agents and checks wrote."""
    keys = [
        value for name, value in os.environ.items() if name.endswith("API_KEY") and len(value) >= 8
    ]
    check = result.check
    return replace(
        result,
        report=_redacted(result.report, keys),
        error=_redacted(result.error, keys),
        check=None if check is None else replace(check, output=_redacted(check.output, keys)),
    )


def _redacted(value: Any, keys: list[str]) -> Any:
    if isinstance(value, str):
        for key in keys:
            value = value.replace(key, "***")
        return value
    if isinstance(value, Mapping):
        return {name: _redacted(one, keys) for name, one in value.items()}
    if isinstance(value, list):
        return [_redacted(one, keys) for one in value]
    return value
