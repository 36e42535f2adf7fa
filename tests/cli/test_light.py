"""Listing and showing must not pay for the SDK, nor for pydantic, rich and GitPython."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHOWN = """
import sys
from openhands_strategies.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
heavy = {"openhands", "pydantic", "rich", "git", "litellm", "filelock"}
print(code, sorted({name.partition(".")[0] for name in sys.modules} & heavy), file=sys.stderr)
"""
AVOIDED = "import pydantic.main, rich.console, git, pluggy, click"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["list"],
        ["list", "--json"],
        ["show", "fusion"],
        ["show", "fusion", "--json"],
        ["show", "./good.py"],
        ["run", "--help"],
        ["plan", "--help"],
        ["compare", "--help"],
        ["completion", "bash"],
        ["check", "--static", "./good.py"],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(arguments: list[str], good: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOWN, *arguments],
        cwd=good.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines()[-1] == "0 []"
    assert done.stdout


def test_completion_is_light_and_offers_names(good: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "openhands_strategies"],
        env={
            **os.environ,
            "_OHS_COMPLETE": "bash_complete",
            "COMP_WORDS": "ohs show fu",
            "COMP_CWORD": "2",
        },
        cwd=good.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["plain,fusion"]
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"openhands", "openhands.sdk", "pydantic", "rich", "git"}


def test_a_listing_costs_no_more_than_the_imports_that_it_avoids() -> None:
    listing, avoided = ["-m", "openhands_strategies", "list"], ["-c", AVOIDED]
    # In turns, and by the seconds of the processor: other work on the machine hits both.
    times = [(_seconds(listing), _seconds(avoided)) for _ in range(4)]
    # About 0.9 of them; with the SDK it would be thirty times as much.
    assert min(ours for ours, _ in times) < 1.5 * min(theirs for _, theirs in times)


def _seconds(arguments: list[str]) -> float:
    """Seconds of the processor that a new Python takes for this."""
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_utime + used.ru_stime
