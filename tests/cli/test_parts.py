"""The small parts of the command line, one by one."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from openhands_strategies.cli.boundary import guarded
from openhands_strategies.cli.confirming import Questions
from openhands_strategies.cli.frame import Frame
from openhands_strategies.cli.live import LiveTable
from openhands_strategies.cli.options import params_of, prices_of, task_of
from openhands_strategies.cli.reach import check_reachable
from openhands_strategies.cli.screen import Lines, cost_of
from openhands_strategies.cli.summary import comparison, print_summary
from openhands_strategies.cli.text import aligned, many_lines
from openhands_strategies.errors import RunError, UsageError
from openhands_strategies.runtime.report import Report, RoleRow
from openhands_strategies.runtime.roles import RoleView
from openhands_strategies.runtime.usage import Price, Usage


def test_params_keep_what_follows_the_first_equals_sign() -> None:
    assert params_of(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for wrong in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(UsageError):
            params_of(wrong)


def test_prices_of_the_main_and_of_other_models() -> None:
    main, others = prices_of(["3,15", "openai/gpt=5=0.25,1"])
    assert main == Price(3, 15)
    assert others == {"openai/gpt=5": Price(0.25, 1)}
    assert prices_of([]) == (None, {})
    for wrong in ("3", "3,4,5", "-1,2", "nan,1", "1,inf", "a,b", "m=1"):
        with pytest.raises(UsageError, match="no price"):
            prices_of([wrong])
    with pytest.raises(UsageError, match="given before"):
        prices_of(["1,2", "3,4"])


def test_a_task_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "task.md").write_bytes("\ufeffmend it\n".encode())
    assert task_of(None, str(tmp_path / "task.md")) == "mend it\n"
    assert task_of("a \udcff b", None) == "a ? b"
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UnicodeDecodeError"):
        task_of(None, str(tmp_path / "binary"))


def test_aligned_columns() -> None:
    assert aligned([("a", "bb", "c"), ("aaa", "b", "cc")]) == ["a    bb  c", "aaa  b   cc"]
    assert aligned([]) == []


def test_text_of_several_lines_without_control_characters() -> None:
    assert many_lines("a\x1b[31mb\r\nc\td\x07\re") == "a\\x1b[31mb\nc\td\\x07\\re"


def test_the_boundary_turns_everything_into_an_exit_code(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def ends_with(problem: BaseException, *, as_json: bool = False) -> tuple[int, str, str]:
        def command() -> int:
            raise problem

        code = guarded(Frame(json=as_json), [], command)
        return code, *capfd.readouterr()

    assert ends_with(UsageError("x", "m", "h")) == (2, "", "error: m [x]\nhint: h\n")
    assert ends_with(RunError("x", "m")) == (1, "", "error: m [x]\n")
    code, out, err = ends_with(TypeError("a\nb"))
    assert (code, out) == (1, "")
    assert err == "error: unexpected TypeError: a b [internal]\nhint: --debug shows where\n"
    assert ends_with(SystemExit(0))[0] == 1
    assert ends_with(KeyboardInterrupt())[0] == 130
    code, out, err = ends_with(TypeError("a"), as_json=True)
    assert (code, err) == (1, "")
    assert json.loads(out)["error"]["code"] == "internal"


def _view(**changes: object) -> RoleView:
    fields = {"key": "task_00000001", "role": "helper", "label": "look", "model": "m", **changes}
    return RoleView(**fields)  # type: ignore[arg-type]


def test_lines_tell_each_start_and_each_end_once(capfd: pytest.CaptureFixture[str]) -> None:
    lines = Lines(earlier=[_view(key="task_00000009", state="completed", seconds=2.0)])
    used = (Usage(model="m", calls=2, input_tokens=10, output_tokens=3, priced=False),)
    for view in (
        _view(),
        _view(activity="terminal ls"),
        _view(state="completed", seconds=1.5, usage=used),
        _view(state="completed", seconds=1.5, usage=used),
        _view(seconds=1.6),
        _view(state="limit", seconds=3.0),
    ):
        lines.update([_view(key="task_00000009", state="completed", seconds=2.0), view])
    told = capfd.readouterr().err.splitlines()
    assert [line.split(")")[1].split()[0].rstrip(":") for line in told] == [
        "started", "done", "started", "limit",
    ]  # fmt: skip
    assert "2 calls, 10 + 3 tokens, unknown" in told[1]


def test_the_live_table_shows_texts_as_they_are_and_unknown_prices() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=150, height=20, color_system=None)
    used = (Usage(model="m", calls=1, input_tokens=12_345, priced=False),)
    with LiveTable(console) as table:
        table.update([_view(label="[bold]x[/bold]\x1b[2J", activity="rm -rf [red]", usage=used)])
        with table.paused():
            console.print("a question")
    shown = stream.getvalue()
    assert "[bold]x[/bold]\\x1b[2J" in shown
    assert "rm -rf [red]" in shown
    assert "12.3k" in shown
    assert "unknown" in shown
    assert shown.index("a question") < shown.rindex("total")


def test_a_small_screen_shows_main_and_the_newest_tasks() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, height=8, color_system=None)
    views = [_view(key="main", role="main"), *(_view(key=f"t{n}", role=f"h{n}") for n in range(9))]
    with LiveTable(console) as table:
        table.update(views)
    shown = stream.getvalue()
    assert "main" in shown
    assert "h8" in shown
    assert "h0" not in shown
    assert "5 more" in shown


def test_costs_are_unknown_as_soon_as_one_price_is() -> None:
    known = _view(usage=(Usage(model="a", calls=1, cost_usd=0.5, priced=True),))
    unknown = _view(usage=(Usage(model="b", calls=1, priced=False),))
    assert cost_of([known]) == 0.5
    assert cost_of([known, unknown]) is None
    assert cost_of([]) == 0


def _row(role: str, cost: float | None, at_main: float | None) -> RoleRow:
    return RoleRow(role, f"model-{role}", 1, 2, 100, 10, 0, 1.0, cost, at_main)


def test_the_summary_compares_with_the_main_models_price() -> None:
    rows = [_row("main", 1.0, None), _row("helper", 0.1, 0.4)]
    (line,) = comparison(rows)
    assert line.startswith("The sub-agents' tokens cost $0.1000; at the main model's price")
    assert line.endswith(" $0.4000: $0.3000 (75%) saved.")
    assert "(25%) more." in comparison([rows[0], _row("helper", 0.5, 0.4)])[0]
    assert comparison([rows[0], _row("helper", 0.4, 0.4)])[0].endswith("been $0.4000.")
    assert comparison(rows[:1]) == []


@pytest.mark.parametrize(("cost", "at_main"), [(None, 0.4), (0.1, None), (None, None)])
def test_an_unknown_price_is_never_zero(cost: float | None, at_main: float | None) -> None:
    rows = [_row("main", None, None), _row("helper", cost, at_main)]
    assert "unknown" in comparison(rows)[0]
    stream = io.StringIO()
    report = Report("finished", "0" * 32, {}, {}, "", rows, 2.0)
    print_summary(report, Console(file=stream, width=120))
    main_line = next(line for line in stream.getvalue().splitlines() if "model-main" in line)
    assert main_line.split()[-1] == "unknown"
    assert "$0.0000" not in stream.getvalue()


def test_questions_come_one_by_one_and_are_refused_after_closing() -> None:
    questions = Questions()
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda: answers.append(questions.ask("helper", [])))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    while not questions.pending:
        time.sleep(0.01)
    assert answers == []
    questions.close()
    for thread in threads:
        thread.join(timeout=5)
    assert answers == [False, False, False]


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    check_reachable(None, "LLM_BASE_URL")
    begun = time.monotonic()
    with pytest.raises(RunError, match=r"127\.0\.0\.1:9 ") as caught:
        check_reachable("http://127.0.0.1:9/v1", "LLM_BASE_URL")
    assert caught.value.code == "model_unreachable"
    assert time.monotonic() - begun < 3
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    check_reachable("http://127.0.0.1:9/v1", "LLM_BASE_URL")


STARTS = """
import subprocess, sys, time, os
from openhands_strategies.cli.processes import mark_children, started_since
mark = mark_children()
subprocess.Popen(["sleep", "60"])
subprocess.run(["sh", "-c", "(setsid nohup sleep 60 >/dev/null 2>&1 &)"])
time.sleep(0.3)
print(mark, *started_since(mark), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a process that left is found by /proc only")
def test_processes_that_left_are_found_and_ended() -> None:
    from openhands_strategies.cli.processes import end, started_since

    with subprocess.Popen([sys.executable, "-c", STARTS], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        mark, *pids = process.stdout.readline().split()
        found = {int(pid) for pid in pids}
        assert len(found) == 2
        assert os.getpid() not in found
        end(found, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while found & started_since(mark.decode()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not found & started_since(mark.decode())
        process.kill()
