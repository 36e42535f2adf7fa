"""The demo's script: a main model and its sidekicks repair the sample repository.

The two roles are told apart by the model's name. Main hands each module to a sidekick,
all in one message, looks itself into what came back escalated or without a result,
edits, runs all tests, and says what came of it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from openhands_strategies.testing.demo_findings import (
    Proposal,
    escalation_reason,
    failing_tests,
    propose,
    read_proposals,
    tests_passed,
    tests_run,
)
from openhands_strategies.testing.demo_sidekick import (
    first_useful,
    modules_named,
    sidekick_script,
)
from openhands_strategies.testing.replies import Call, Reply
from openhands_strategies.testing.scripts import Script, by_model, delayed
from openhands_strategies.testing.tokens import Price
from openhands_strategies.testing.turns import Turn

MAIN_MODEL = "scripted-main"
SIDEKICK_MODEL = "scripted-sidekick"
DEMO_PRICES: Mapping[str, Price] = MappingProxyType(
    {MAIN_MODEL: Price(input=3.0, output=15.0), SIDEKICK_MODEL: Price(input=0.25, output=1.0)}
)
DEMO_LATENCY = 0.45
DEMO_TASK = (
    "Tests of this repository fail in three independent areas: shop/pricing.py, "
    "shop/inventory.py and shop/delivery.py. Find out why and repair the code. The tests "
    "are right. At the end all of them must pass."
)


def demo_script(workspace: Path, python: str, latency: float = 0.0) -> Script:
    """The script for `MAIN_MODEL` and `SIDEKICK_MODEL` on a copy of the sample.

    `workspace` is the copy's absolute path, `python` the interpreter that runs its
    tests. `latency` is in seconds: main takes a third more, a sidekick a third less;
    0 leaves the pace to the server.
    """
    main, sidekick = _main_script(workspace, python), sidekick_script(python)
    if latency:
        main, sidekick = delayed(main, latency * 4 / 3), delayed(sidekick, latency * 2 / 3)
    return by_model({MAIN_MODEL: main, SIDEKICK_MODEL: sidekick})


def _main_script(workspace: Path, python: str) -> Script:
    interpreter = shlex.quote(python)
    all_tests = f"{interpreter} -B -m unittest discover -s tests"

    def script(turn: Turn) -> Reply:
        modules = modules_named("\n".join(turn.user)) or modules_named(DEMO_TASK)
        if turn.offers("task") and not turn.results_of("task"):
            return _delegate(modules, workspace, interpreter)
        reports = _reports(turn)
        unsettled = [m for m in modules if not _is_settled(reports.get(m, ""))]
        sources = _sources_read(turn)
        if (unread := [m for m in unsettled if m not in sources]) and turn.offers("file_editor"):
            return _read(unread, reports, workspace)
        changes = [p for report in reports.values() for p in read_proposals(report)]
        changes += [p for m in unsettled if (p := propose(f"shop/{m}.py", sources.get(m, "")))]
        if changes and not _edited(turn) and turn.offers("file_editor"):
            return _edit(changes, workspace)
        output, again = first_useful(turn, all_tests, tests_run)
        if again:
            return _with_text("Now all tests.", Call("terminal", {"command": all_tests}))
        return _conclude(output or "", changes, reports)

    return script


def _delegate(modules: list[str], workspace: Path, interpreter: str) -> Reply:
    def task(module: str) -> Call:
        prompt = (
            f"Repository: {workspace}\n"
            f"The tests of shop/{module}.py fail. Run them from the repository's root with\n"
            f"    {interpreter} -B -m unittest tests.test_{module}\n"
            "find the cause, and propose the smallest change, with file and line. Edit nothing."
        )
        arguments = {
            "subagent_type": "sidekick",
            "description": f"Look into {module}",
            "prompt": prompt,
        }
        return Call("task", arguments)

    return Reply(
        text=f"The {len(modules)} areas are independent: one sidekick looks into each.",
        calls=tuple(task(module) for module in modules),
    )


def _reports(turn: Turn) -> dict[str, str]:
    """The newest report on each module."""
    reports: dict[str, str] = {}
    for result in turn.results_of("task"):
        for module in modules_named(str(result.arguments.get("prompt", "")))[:1]:
            reports[module] = result.text
    return reports


def _is_settled(report: str) -> bool:
    # A sidekick that was stopped by a limit, or by the end of a process, reports nothing.
    return "FINDINGS:" in report and escalation_reason(report) is None


def _sources_read(turn: Turn) -> dict[str, str]:
    return {
        module: result.text
        for result in turn.results_of("file_editor")
        if result.arguments.get("command") == "view"
        for module in modules_named(str(result.arguments.get("path", "")))
    }


def _edited(turn: Turn) -> bool:
    edits = turn.results_of("file_editor")
    return any(result.arguments.get("command") == "str_replace" for result in edits)


def _read(modules: list[str], reports: Mapping[str, str], workspace: Path) -> Reply:
    reasons = [
        f"{module}: {escalation_reason(reports.get(module, '')) or 'no result from a sidekick'}"
        for module in modules
    ]
    # What the rules of the shop are stands in its README.
    files = [*(f"shop/{module}.py" for module in modules), "README.md"]
    return _with_text(
        "I look into this myself. " + "; ".join(reasons),
        *(Call("file_editor", {"command": "view", "path": str(workspace / f)}) for f in files),
    )


def _edit(changes: list[Proposal], workspace: Path) -> Reply:
    calls = [
        Call(
            "file_editor",
            {
                "command": "str_replace",
                "path": str(workspace / change.file),
                "old_str": change.old,
                "new_str": change.new,
            },
        )
        for change in changes
    ]
    return _with_text("\n".join(f"- {change}" for change in changes), *calls)


def _conclude(output: str, changes: list[Proposal], reports: Mapping[str, str]) -> Reply:
    done = "\n".join(f"- {c.file}:{c.line}: {c.why}" for c in changes) or "- nothing was changed"
    escalated = [
        f"- {module} was escalated: {reason}"
        for module, report in reports.items()
        if (reason := escalation_reason(report))
    ]
    if tests_passed(output):
        head = f"All {tests_run(output)} tests pass. Repaired:"
    else:
        failing = ", ".join(failing_tests(output)) or "the tests could not be run"
        head = f"Not done, still failing: {failing}. Changed so far:"
    return Reply(calls=(Call("finish", {"message": "\n".join([head, done, *escalated])}),))


def _with_text(text: str, *calls: Call) -> Reply:
    return Reply(text=text, calls=calls)
