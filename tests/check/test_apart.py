"""`ohs check` of a strategy that ends the process, keeps it for ever, or is broken off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from check_corpus import ENDING, build, lay_out

pytestmark = [pytest.mark.e2e, pytest.mark.slow_start]


@pytest.mark.parametrize("mistake", ENDING)
def test_what_ends_or_keeps_the_process_is_a_finding(
    check: Any, tmp_path: Path, mistake: str
) -> None:
    changes, words = ENDING[mistake]
    lay_out(tmp_path / "reviewer", changes)
    allowed = ("--timeout", "40") if words == "no end within" else ()
    code, document = check("./reviewer", *allowed)
    (one,) = [one for one in document["findings"] if one["severity"] == "error"]
    assert (code, one["code"], one["severity"]) == (1, "check_failed", "error")
    assert one["message"].startswith("build: ")
    assert words in one["message"]
    assert (one["file"], one["line"] > 0, one["hint"] != "") == ("strategy.py", True, True)
    states = {row["name"]: row["status"] for row in document["checks"]}
    assert [states[name] for name in ("files", "load", "build", "json", "scripted run")] == [
        *("passed", "passed", "failed", "skipped", "skipped")
    ]


BUSY = "import os; open('begun', 'w').write(str(os.getpid()))\nwhile True: pass"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_child_ends_with_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    lay_out(tmp_path / "reviewer", build(BUSY))
    with subprocess.Popen(
        [sys.executable, "-m", "openhands_strategies", "check", "./reviewer"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:
        child = _begun(tmp_path / "begun")
        parent.send_signal(how)
        out, err = parent.communicate(timeout=60)
        assert parent.returncode == (130 if how is signal.SIGINT else -how)
    assert out == ""
    assert "Traceback" not in err
    if how is signal.SIGINT:
        assert "[interrupted]" in err
    _await(lambda: not _lives(child))


def _begun(file: Path) -> int:
    _await(lambda: file.exists() and file.read_text() != "")
    return int(file.read_text())


def _await(condition: Any) -> None:
    end = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Whoever inherits an orphan may be slow to take note of its end.
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and ") Z " in stat.read_text())
