"""Bad input of `ohs compare`, which starts nothing and costs no import of the SDK."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import write

TWO = ("--strategies", "./good.py,./other.py")
MODEL = ("--model", "openai/m")


@pytest.fixture
def other(tmp_path: Path, good: Path) -> Path:
    return write(tmp_path / "other.py", good.read_text().replace('"good"', '"other"'))


def refused(done, code: int, name: str) -> str:
    """One error, in two lines; returns them."""
    assert done.code == code, done
    assert done.out == ""
    assert f"[{name}]" in done.err.splitlines()[0], done.err
    assert "Traceback" not in done.err
    return done.err


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([], "usage"),
        (["task"], "usage"),
        ([*TWO], "usage"),
        ([" ", *TWO], "task_empty"),
        (["task", *TWO, "--repeat", "0"], "usage"),
        (["task", *TWO, "--repeat", "many"], "usage"),
        (["task", *TWO, "--jobs", "0"], "usage"),
        (["task", *TWO, "--check-timeout", "0"], "usage"),
        (["task", "--strategies", "./good.py,,./other.py"], "strategies_empty"),
        (["task", "--strategies", "./good.py,./good.py"], "strategy_twice"),
        (["task", "--strategies", "a=./good.py,a=./other.py"], "strategy_twice"),
        (["task", *TWO, "--param", "depth=2"], "param_strategy"),
        (["task", *TWO, "--param", "third.depth=2"], "param_strategy"),
        (["task", *TWO, "--param", "good.depht=2"], "param_unknown"),
        (["task", *TWO, "--param", "good.depth=9"], "param_range"),
        (["task", *TWO, "--param", "good.depth"], "param_format"),
        (["task", *TWO], "model_missing"),
        (["task", *TWO, *MODEL, "--base-url", "nonsense"], "base_url_invalid"),
        (["task", *TWO, *MODEL, "--price", "3"], "price_format"),
        (["task", *TWO, *MODEL, "--max-budget", "0"], "budget_invalid"),
        (["task", *TWO, *MODEL, "--llm-profile", "p"], "usage"),
        (["task", *TWO, *MODEL, "--workspace", "missing"], "workspace_missing"),
        (["task", *TWO, *MODEL, "--workspace", "good.py"], "workspace_missing"),
        (["task", *TWO, *MODEL, "--report", "missing/page.html"], "report_path"),
        (["task", *TWO, *MODEL, "--out", "."], "out_taken"),
        (["task", *TWO, *MODEL, "--out", "good.py/x"], "out_write"),
        (["--resume", "missing"], "compare_unknown"),
        (["--resume", "."], "compare_unknown"),
        (["--resume", ".", "--out", "new"], "usage"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_usage_is_exit_code_2(ohs_here, other: Path, arguments: list[str], name: str) -> None:
    refused(ohs_here("compare", *arguments), 2, name)
    assert sorted(path.name for path in other.parent.iterdir()) == ["good.py", "other.py"]


def test_a_strategy_that_leads_nowhere_is_exit_code_3(ohs_here, other: Path) -> None:
    said = refused(ohs_here("compare", "task", "--strategies", "./good.py,fusoin"), 3,
                   "strategy_unknown")  # fmt: skip
    assert "fusion" in said
    write(other.parent / "syntax.py", "class Bad(:\n")
    refused(ohs_here("compare", "task", "--strategies", "./syntax.py"), 3, "syntax_error")


def test_a_server_that_is_not_there_is_said_once(ohs_here, other: Path, ohs_home: Path) -> None:
    done = ohs_here("compare", "task", *TWO, *MODEL, "--base-url", "http://127.0.0.1:9/v1")
    refused(done, 1, "model_unreachable")
    assert not (ohs_home / "compare").exists()


def test_another_name_makes_room_for_the_same_strategy(ohs_here, other: Path) -> None:
    done = ohs_here(
        "compare", "task", "--strategies", "deep=./good.py,flat=./good.py",
        "--param", "deep.depth=4", "--param", "flat.depth=0", *MODEL,
    )  # fmt: skip
    assert "flat: parameter 'depth' is 0" in refused(done, 2, "param_range")


def test_a_linked_worktree_is_no_workspace(ohs_here, other: Path, tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    write(tmp_path / "repository" / "a", "a")
    for arguments in (
        ["init", "-q"], ["add", "."], ["commit", "-qm", "a"],
        ["worktree", "add", "-q", "../linked"],
    ):  # fmt: skip
        subprocess.run([*git, *arguments], cwd=tmp_path / "repository", check=True)
    done = ohs_here("compare", "task", *TWO, *MODEL, "--workspace", "linked")
    assert "git clone" in refused(done, 2, "workspace_linked")


def test_a_file_of_a_run_that_is_damaged_is_named(ohs_here, other: Path, tmp_path: Path) -> None:
    write(tmp_path / "old" / "compare.json", json.dumps({"version": 1, "task": "x"}))
    refused(ohs_here("compare", "--resume", "old"), 2, "compare_unknown")
    write(tmp_path / "old" / "compare.json", json.dumps({"version": 2}))
    assert "version" in refused(ohs_here("compare", "--resume", "old"), 2, "compare_unknown")


def test_errors_as_json_are_one_document(ohs_here, other: Path) -> None:
    done = ohs_here("compare", "task", *TWO, "--json")
    assert done.code == 2
    assert json.loads(done.out)["error"]["code"] == "model_missing"
    assert done.err == ""


def test_the_sdk_is_not_imported(other: Path) -> None:
    shown = """
import sys
from openhands_strategies.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
import openhands_strategies.cli.compare.html, openhands_strategies.cli.compare.carrying_out
print(code, sorted({name.partition(".")[0] for name in sys.modules} & {"openhands", "litellm"}))
"""
    done = subprocess.run(
        [sys.executable, "-c", shown, "compare", "task", *TWO, *MODEL, "--workspace", "missing"],
        cwd=other.parent,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "2 []", done.stderr
