"""`ohs demo`: fusion repairs a sample repository; only the model is scripted."""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openhands_strategies.cli.boundary import print_json
from openhands_strategies.cli.completion.values import complete_directory
from openhands_strategies.cli.frame import Frame, current_frame, debug_option, json_option
from openhands_strategies.cli.text import many_lines, say
from openhands_strategies.errors import ResolveError, StrategyError, UsageError

if TYPE_CHECKING:
    from openhands_strategies.runtime.report import Report
    from openhands_strategies.testing import TestRun

STRATEGY = "fusion"


@click.command("demo")
@click.option(
    "--keep",
    metavar="DIR",
    shell_complete=complete_directory,
    help="Work in DIR, which is new or empty, and leave it.",
)
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, keep: str | None) -> int:
    """Watch fusion work on a sample repository, with a scripted model.

    No key and no network are needed: the model is a small program on this machine that
    answers from a script. Strategy, sub-agents, tools, edits, tests and counting are real.
    """
    frame = current_frame(context)
    _check_installed()
    with tempfile.TemporaryDirectory(prefix="ohs-demo-", ignore_cleanup_errors=True) as scratch:
        workspace = _copy(Path(scratch) / "shop" if keep is None else Path(keep))
        with _environment(Path(scratch) / "home"):
            return _show(workspace, frame, kept=keep is not None)


def _check_installed() -> None:
    from openhands_strategies.registry.catalog import resolve

    try:
        resolve(STRATEGY, warn=lambda _: None)
    except StrategyError as error:
        # The second code: an index names the distribution that would bring it.
        if error.code not in ("strategy_unknown", "distribution_missing"):
            raise
        raise ResolveError(
            "plugins_missing",
            f"the demo runs the strategy {STRATEGY!r}, which is not installed",
            "pip install 'openhands-strategies[plugins]'",
        ) from error


def _copy(target: Path) -> Path:
    from openhands_strategies.testing import copy_sample

    try:
        return copy_sample(target)
    except OSError as error:
        raise UsageError(
            "keep_directory",
            f"the sample cannot be copied to {target}: {error}",
            "name a new or an empty directory: --keep DIR",
        ) from error


@contextmanager
def _environment(home: Path) -> Iterator[None]:
    """The demo's own home and model: no run, key, price or proxy of the user's takes part."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("LLM_")]:
        del os.environ[name]
    os.environ["OHS_HOME"] = str(home)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _show(workspace: Path, frame: Frame, *, kept: bool) -> int:
    from openhands_strategies.cli.running import show_result
    from openhands_strategies.testing import run_sample_tests

    tell = (lambda _="": None) if frame.json else say
    tell(
        "The model of this demo is scripted: it answers from a script, on this machine, free of"
        " charge."
    )
    tell("All else is real: strategy, sub-agents, commands, edits, tests and counting.")
    tell(f"Sample repository: {workspace}")
    tell(f"Its tests now:     {_last_line(run_sample_tests(workspace))}")
    tell()
    report = _run(workspace, frame)
    tests = run_sample_tests(workspace)
    good = report.status == "finished" and tests.passed
    if frame.json:
        print_json({**report.to_json(), "tests_passed": tests.passed, "workspace": str(workspace)})
        return 0 if good else _code(report)
    tell()
    code = show_result(report, frame, resumable=False)
    if report.status == "interrupted":
        return code
    _show_changes(workspace, tests)
    if kept:
        tell(f"It is left in {workspace}.")
    tell("With a real model, on your own repository:")
    tell("  export LLM_MODEL=anthropic/claude-sonnet-4-5 LLM_API_KEY=…")
    tell("  ohs run fusion --task 'what is to be done' --workspace DIR --max-budget 2")
    return 0 if good else _code(report)


def _code(report: Report) -> int:
    from openhands_strategies.cli.boundary import INTERRUPTED

    return INTERRUPTED if report.status == "interrupted" else 1


def _run(workspace: Path, frame: Frame) -> Report:
    """The same way as `ohs run`, with the address of the scripted model."""
    from openhands_strategies.cli.starting import Request
    from openhands_strategies.cli.working import run_request
    from openhands_strategies.runtime.usage import Price
    from openhands_strategies.testing import (
        DEMO_LATENCY,
        DEMO_PRICES,
        DEMO_TASK,
        MAIN_MODEL,
        SIDEKICK_MODEL,
        ScriptedModel,
        demo_script,
    )

    prices = {f"openai/{name}": Price(one.input, one.output) for name, one in DEMO_PRICES.items()}
    script = demo_script(workspace, sys.executable, DEMO_LATENCY)
    with ScriptedModel(script, prices=DEMO_PRICES) as model:
        return run_request(
            Request(
                reference=STRATEGY,
                task=DEMO_TASK,
                params={"sidekick_model": f"openai/{SIDEKICK_MODEL}"},
                workspace=str(workspace),
                model=f"openai/{MAIN_MODEL}",
                base_url=model.base_url,
                prices=prices,
            ),
            frame,
        )


def _last_line(tests: TestRun) -> str:
    lines = [line for line in tests.output.splitlines() if line.strip()]
    ran = next((line for line in lines if line.startswith("Ran ")), "").partition(" in ")[0]
    return many_lines(f"{ran}: {lines[-1]}" if lines else "no output")


def _show_changes(workspace: Path, tests: TestRun) -> None:
    say()
    say("What was changed:")
    with as_file(files("openhands_strategies.testing") / "sample") as sample:
        for path in sorted(sample.rglob("*.py")):
            name = path.relative_to(sample)
            for line in _changed_lines(path, workspace / name, name.as_posix()):
                say(f"  {many_lines(line)}")
    say(f"Its tests, run by the demo itself: {_last_line(tests)}")
    say()


def _changed_lines(before: Path, after: Path, name: str) -> list[str]:
    new = after.read_text().splitlines() if after.is_file() else []
    found = difflib.unified_diff(before.read_text().splitlines(), new, name, name, n=0, lineterm="")
    return [line for line in found if not line.startswith(("---", "@@"))]
