"""Bad input that costs no SDK import: one line, a hint, an exit code, no traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import write

TASK = ("--task", "do it")


def one_error(done, code: int, name: str) -> None:
    """Exactly two lines on stderr, nothing on stdout."""
    assert done.code == code, done
    assert done.out == ""
    lines = done.err.splitlines()
    assert len(lines) == 2, done.err
    assert lines[0].startswith("error: ")
    assert lines[0].endswith(f"[{name}]")
    assert lines[1].startswith("hint: ")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["nonsense"], "usage"),
        (["list", "--nonsense"], "usage"),
        (["show"], "usage"),
        (["run"], "usage"),
        (["run", "fusion"], "usage"),
        (["run", "fusion", "--resume", "abc"], "usage"),
        (["run", "fusion", *TASK, "--confirm", "perhaps"], "usage"),
        (["run", "fusion", *TASK, "--max-budget", "much"], "usage"),
        (["run", "fusion", *TASK, "--llm-profile", "p", "--model", "m"], "usage"),
        (["run", "fusion", *TASK, "--max-budget", "0"], "budget_invalid"),
        (["run", "fusion", *TASK, "--max-budget", "nan"], "budget_invalid"),
        (["run", "fusion", *TASK, "--price", "3"], "price_format"),
        (["run", "fusion", *TASK, "--param", "sidekicks"], "param_format"),
        (["run", "fusion", *TASK, "--file", "task.md"], "task_twice"),
        (["run", "fusion", "--file", "missing.md"], "task_file"),
        (["run", "fusion", "--task", " "], "task_empty"),
        (["run", "fusion", *TASK, "--report", "missing/report.json"], "report_path"),
        (["run", "--resume", "0" * 32], "run_unknown"),
        (["run", "--resume", "../../etc"], "run_unknown"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_usage_is_exit_code_2(ohs, arguments: list[str], name: str) -> None:
    one_error(ohs(*arguments), 2, name)


@pytest.mark.parametrize(
    ("reference", "name", "hint"),
    [
        ("fusoin", "strategy_unknown", "fusion"),
        ("./god.py", "path_missing", "good.py"),
        ("./empty", "strategy_file_missing", "strategy.py"),
        ("./syntax.py", "syntax_error", "correct"),
        ("./none.py", "no_strategy", ""),
        ("./several.py", "several_strategies", "several.py:"),
        ("git+ftp://example.org/acme/x", "reference_scheme", "https"),
    ],
)
def test_a_strategy_that_leads_nowhere_is_exit_code_3(
    ohs, good: Path, tmp_path: Path, reference: str, name: str, hint: str
) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "syntax.py", "class Bad(:\n")
    write(tmp_path / "none.py", "x = 1\n")
    twice = good.read_text().replace("class Good", "class Other").replace('"good"', '"other"')
    write(tmp_path / "several.py", good.read_text() + twice)
    done = ohs("run", reference, *TASK)
    one_error(done, 3, name)
    assert hint in done.err
    assert not list(tmp_path.glob("**/run.json"))


def test_errors_as_json_are_one_document(ohs) -> None:
    for arguments, code in (
        (["nonsense", "--json"], 2),
        (["run", "--json"], 2),
        (["run", "fusoin", *TASK, "--json"], 3),
        (["show", "fusoin", "--json"], 3),
    ):
        done = ohs(*arguments)
        assert done.code == code
        assert done.err == ""
        document = json.loads(done.out)
        assert set(document) == {"error"}
        assert set(document["error"]) == {"code", "message", "hint"}


def test_a_word_after_the_options_end_is_no_option(ohs) -> None:
    done = ohs("nonsense", "--", "--json")
    assert done.out == ""
    assert done.code == 2


def test_debug_shows_the_traceback_before_or_after_the_command(ohs) -> None:
    for arguments in (["--debug", "show", "fusoin"], ["show", "fusoin", "--debug"]):
        done = ohs(*arguments)
        assert done.code == 3
        assert "Traceback" in done.err
        assert "[strategy_unknown]" in done.err
    assert "Traceback" not in ohs("show", "fusoin").err


def test_help_and_version(ohs) -> None:
    bare = ohs()
    assert bare.code == 0
    assert bare.out == ohs("--help").out
    for command in ("list", "show", "run", "demo", "doctor"):
        assert f"  {command}" in bare.out
        assert ohs(command, "--help").code == 0
    assert ohs("--version").out.startswith("ohs ")


def test_the_table_of_help_lines_agrees_with_the_commands(ohs) -> None:
    from openhands_strategies.cli.main import COMMANDS

    for name, (_, line) in COMMANDS.items():
        assert line in " ".join(ohs(name, "--help").out.split())


def test_a_reader_that_has_gone_is_no_error(tmp_path: Path) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m openhands_strategies show fusion --json | head -c 1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "{"
    assert done.stderr == ""


def test_a_name_that_is_no_utf_8_is_an_error_like_others(ohs) -> None:
    one_error(ohs("show", "./\udcff.py"), 3, "path_missing")
