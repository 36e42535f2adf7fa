"""Listing and showing must not pay for the SDK, nor for pydantic, rich and GitPython."""

from __future__ import annotations

import os
import subprocess
import sys
import time
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


def test_a_listing_is_quick() -> None:
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "openhands_strategies", "list"], capture_output=True, check=True
        )
        times.append(time.perf_counter() - begun)
    # 0.19 s on an idle machine of two cores; the SDK alone would take eight.
    assert min(times) < 0.6
