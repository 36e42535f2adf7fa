"""One comparison from its options to its document; what people read on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openhands_strategies.cli.compare.all_runs import run_all
from openhands_strategies.cli.compare.asking import Asked, ask_again, new_question, same_question
from openhands_strategies.cli.compare.question import Question
from openhands_strategies.cli.compare.results import (
    Directory,
    alone,
    missing,
    new_directory,
    open_directory,
)
from openhands_strategies.cli.compare.screen import (
    Lines,
    LiveTable,
    Screen,
    Silent,
    final_table,
    role_lines,
)
from openhands_strategies.cli.compare.totals import document
from openhands_strategies.cli.frame import Frame
from openhands_strategies.cli.stopping import certain_interrupt
from openhands_strategies.cli.text import aligned, error_lines, printable, say
from openhands_strategies.errors import RunError, StrategyError, describe
from openhands_strategies.project.home import find_home


def compare(
    asked: Asked, frame: Frame, *, jobs: int, keep: bool, out: str | None, resume: str | None
) -> dict[str, Any]:
    """Carry out a new comparison, or what is missing in an earlier one.

    Returns:
        The document of `ohs compare --json`.

    Raises:
        StrategyError: Nothing was started, or the results cannot be written.
    """
    with certain_interrupt():
        if resume is None:
            question, url = new_question(asked, frame)
            directory = new_directory(question, find_home(), out)
        else:
            directory = open_directory(resume)
            same_question(asked, directory.question)
    with alone(directory):
        wanted = missing(directory, list(directory.results().values()))
        if resume is not None and wanted:
            with certain_interrupt():
                url = ask_again(asked, directory.question, frame)
        done = True
        if wanted:
            if not frame.json:
                _preamble(directory, len(wanted), jobs)
            done = run_all(directory, wanted, _screen(frame), base_url=url, jobs=jobs, keep=keep)
        found = document(directory, interrupted=not done)
        if found["status"] == "finished":
            directory.clear_start()
    return found


def finish(found: dict[str, Any], page: Path | None) -> None:
    """Write the page, if one was asked for.

    Raises:
        RunError: `report_write`; the results themselves are kept.
    """
    if page is None:
        return
    from openhands_strategies.cli.compare.html import html_page

    try:
        page.write_text(html_page(found), encoding="utf-8")
    except OSError as error:
        raise RunError(
            "report_write",
            f"--report {page} cannot be written: {describe(error)}",
            f"the results are kept: ohs compare --resume {found['directory']} --report FILE",
        ) from error


def print_result(found: dict[str, Any]) -> None:
    """Print the table on stdout; what went wrong, and how to go on, on stderr."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 120
    console.print(final_table(found))
    for line in role_lines(found):
        console.print(line, soft_wrap=True)
    for row in found["results"]:
        for error in row["errors"]:
            times = f" ({error['count']} runs)" if error["count"] > 1 else ""
            problem = StrategyError(
                error["code"], f"{row['name']}{times}: {error['message']}", error["hint"]
            )
            for line in error_lines(problem):
                say(line)
    say(f"results: {printable(found['directory'], 500)}")
    if found["status"] != "finished":
        word = "stopped" if found["status"] == "interrupted" else "some runs are missing"
        say(f"{word}; go on with: ohs compare --resume {printable(found['directory'], 500)}")


def _preamble(directory: Directory, runs: int, jobs: int) -> None:
    question = directory.question
    rows = [
        *(
            ("strategies" if place == 0 else "", f"{one.name}: {one.reference}")
            for place, one in enumerate(question.contenders)
        ),
        ("workspace", f"{question.workspace}, each run in a copy of its own"),
        ("model", question.model or f"LLM profile {question.profile}"),
        ("check", question.check or "none, so nothing tells success (--check COMMAND)"),
        ("runs", f"{runs}, {min(jobs, runs)} at a time{_bound(question)}"),
        ("results", str(directory.path)),
        ("confirmed", "nothing: agents run commands in the copies without asking"),
    ]
    for line in aligned([(what, printable(text, 500)) for what, text in rows]):
        say(line)


def _bound(question: Question) -> str:
    return "" if question.max_budget is None else f", at most ${question.max_budget:g} each"


def _screen(frame: Frame) -> Screen:
    if frame.json:
        return Silent()
    from openhands_strategies.cli.working import stderr_console

    console = stderr_console()
    if not console.is_terminal or console.is_dumb_terminal or frame.debug:
        return Lines()
    return LiveTable(console)
