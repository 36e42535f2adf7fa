"""Parts of `ohs compare` that need no agent: copies, processes, numbers, plots, the screen."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from openhands_strategies.cli.compare.children import Children, Stopped
from openhands_strategies.cli.compare.copies import copy_workspace, links_out
from openhands_strategies.cli.compare.html import html_page
from openhands_strategies.cli.compare.question import named_references
from openhands_strategies.cli.compare.result import Check, Result
from openhands_strategies.cli.compare.screen import LiveTable, Row, final_table
from openhands_strategies.cli.compare.svg import against_success, ticks, times
from openhands_strategies.cli.compare.totals import spread
from openhands_strategies.cli.processes import VARIABLE, end_marked
from openhands_strategies.errors import UsageError
from support import write

HOSTILE = "</title></style><script>alert(1)</script>"


def run(number: int, *, status: str = "finished", success: bool | None = None) -> dict[str, Any]:
    return {
        "number": number,
        "status": status,
        "success": success,
        "seconds": 10.0 * number,
        "cost_usd": 0.01 * number,
        "report": {"answer": HOSTILE},
        "check": None,
        "error": None,
    }


def row(name: str, mean: float | None, rate: float | None = None) -> dict[str, Any]:
    """A strategy with two runs."""
    cost = {"mean": mean, "min": mean, "max": mean, "total": mean and 2 * mean}
    tokens = {"mean": 1000.0, "min": 900, "max": 1100, "total": 2000}
    main = {"role": "main", "model": HOSTILE, "tasks": 1.0, "calls": 2.0, "input_tokens": 1000.0,
            "output_tokens": 10.0, "cached_tokens": 500.0, "cost_usd": mean}  # fmt: skip
    return {
        "name": name, "reference": name, "carried_out": 2, "finished": 2,
        "checked": 2 if rate else 0,
        "succeeded": 1, "success_rate": rate, "cost_usd": cost, "cost_per_success_usd": mean,
        "input_tokens": tokens, "output_tokens": tokens, "cached_tokens": tokens,
        "cached_share": 0.5, "seconds": {"mean": 15.0, "min": 10.0, "max": 20.0, "total": 30.0},
        "roles": [main], "statuses": {"finished": 2}, "errors": [],
        "runs": [run(1, success=None if rate is None else True), run(2, success=False)],
    }  # fmt: skip


def document(*rows: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": "finished", "directory": "/d", "task": HOSTILE, "check": HOSTILE,
        "model": HOSTILE, "llm_profile": None, "repeat": 2, "max_budget": None,
        "results": list(rows),
    }  # fmt: skip


def test_references_may_have_another_name() -> None:
    git = "git+https://example.org/a/b@v1#subdirectory=plugins/x"
    assert named_references([f"a, old={git}", git]) == [(None, "a"), ("old", git), (None, git)]


def test_a_copy_leads_nowhere_into_the_original(tmp_path: Path) -> None:
    place, copy = tmp_path / "place", tmp_path / "other" / "place"
    write(place / "code" / "a.txt", "a")
    write(tmp_path / "outside.txt", "shared")
    write(place / "results" / "old", "left out")
    (place / "relative").symlink_to("code/a.txt")
    (place / "absolute").symlink_to(place / "code" / "a.txt")
    (place / "code" / "directory").symlink_to(place / "code")
    (place / "out").symlink_to(tmp_path / "outside.txt")
    (place / "nowhere").symlink_to("missing")
    os.mkfifo(place / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        before = Path.cwd()
        os.chdir(place)  # a socket's path must be short
        one.bind("socket")
        os.chdir(before)
    copy.parent.mkdir()
    copy_workspace(place, copy, leave_out=place / "results")
    assert sorted(path.name for path in copy.iterdir()) == [
        "absolute", "code", "nowhere", "out", "relative",
    ]  # fmt: skip
    (copy / "absolute").write_text("changed")
    assert (copy / "code" / "a.txt").read_text() == "changed"
    assert (copy / "relative").read_text() == "changed"
    assert (copy / "code" / "directory").resolve() == copy / "code"
    assert (place / "code" / "a.txt").read_text() == "a"
    # Kept as a link, never followed, and told.
    assert (copy / "out").readlink() == tmp_path / "outside.txt"
    assert links_out(place) == ["out"]


def test_what_cannot_be_copied_is_named(tmp_path: Path) -> None:
    place = tmp_path / "place"
    write(place / "a", "a")
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match="cannot be copied") as error:
        copy_workspace(place, tmp_path / "taken")
    assert error.value.code == "workspace_copy"


def test_a_process_is_ended_with_what_it_started_when_it_takes_too_long(watched) -> None:
    begun = time.monotonic()
    ended = Children().run(
        "echo early; sleep 62 & sleep 62", cwd="/", environ=dict(os.environ), seconds=0.5, tail=True
    )
    assert time.monotonic() - begun < 5
    assert ended.exit_code is None
    assert ended.out == b"early\n"
    watched.wait_for_none()


def test_only_the_end_of_a_long_output_is_kept() -> None:
    ended = Children().run("yes | head -c 9000000; echo end", cwd="/", environ={}, tail=True)
    assert ended.exit_code == 0
    assert len(ended.out) == 64 * 1024
    assert ended.out.endswith(b"y\nend\n")


def test_stopping_ends_what_runs_and_starts_nothing_more(watched) -> None:
    children, codes = Children(), []

    def work() -> None:
        codes.append(children.run("sleep 62", cwd="/", environ=dict(os.environ)).exit_code)

    thread = threading.Thread(target=work)
    thread.start()
    watched.wait_for("sleep 62")
    children.stop()
    thread.join(5)
    assert codes == [-signal.SIGTERM]
    with pytest.raises(Stopped):
        children.run("true", cwd="/", environ={})


def test_what_left_its_group_is_found_by_its_mark(watched) -> None:
    environ = {**os.environ, VARIABLE: "another one-of-this-run"}
    Children().run("setsid sleep 63 > /dev/null 2>&1 & sleep 0.5", cwd="/", environ=environ)
    watched.wait_for("sleep 63")
    end_marked("one-of-another-run")
    assert watched.processes()
    end_marked("one-of-this-run")
    watched.wait_for_none()


def test_an_unknown_number_makes_the_mean_unknown() -> None:
    assert spread([]) == spread([1.0, None]) == dict.fromkeys(("mean", "min", "max", "total"))
    assert spread([0.0, 3.0]) == {"mean": 1.5, "min": 0.0, "max": 3.0, "total": 3.0}


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        (0.0, [0, 1]),
        (1.0, [0, 0.25, 0.5, 0.75, 1]),
        (0.013, [0, 0.005, 0.01, 0.015]),
        (97.0, [0, 25, 50, 75, 100]),
    ],
)
def test_an_axis_has_round_numbers(high: float, expected: list[float]) -> None:
    assert ticks(high) == pytest.approx(expected)


def test_plots_place_what_they_show(tmp_path: Path) -> None:
    rows = [row("cheap", 0.25, 0.5), row("dear", 1.0, 1.0), row("unpriced", None, 1.0)]
    svg = against_success(rows, "{:.2f}".format)
    assert svg is not None
    cheap, dear = [one for one in svg if one.tag == "circle"]
    # The dollars of the second are four times those of the first, its share twice.
    left, right = float(cheap.get("cx", "0")), float(dear.get("cx", "0"))
    assert (right - 64) / (left - 64) == pytest.approx(4, abs=0.01)
    assert float(cheap.get("cy", "0")) - float(dear.get("cy", "0")) == pytest.approx(123)
    assert "cheap: 50% for 0.25" in (svg.findtext("desc") or "")
    spans = times(rows, "{:.0f}".format)
    assert spans is not None
    assert sum(one.get("class") == "cross" for one in spans.iter("path")) == 3
    assert against_success([row("unchecked", 1.0)], str) is None


def test_names_of_equal_strategies_do_not_cover_each_other() -> None:
    svg = against_success([row(f"strategy-{n}", 0.5, 1.0) for n in range(5)], str)
    assert svg is not None
    places = [float(one.get("y", "0")) for one in svg.iter("text") if one.get("class") == "name"]
    assert len({round(place) for place in places}) == 5
    assert all(abs(a - b) >= 16 for a in places for b in places if a != b)


def test_a_hostile_page_is_text_everywhere() -> None:
    found = document(row(HOSTILE, 0.5, 1.0), row("\x1b[31mred", None))
    page = html_page(found)
    assert "<script" not in page
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 8
    # Well-formed apart from the elements that HTML never closes.
    body = re.sub(r"<meta[^>]*>", "", page.removeprefix("<!doctype html>"))
    root = ET.fromstring(body)  # our own page
    assert [one.get("role") for one in root.iter("svg")] == ["img"] * 3
    assert {one.text for one in root.iter("script")} == set()
    (style,) = root.iter("style")
    assert "prefers-color-scheme: dark" in (style.text or "")
    assert "@import" not in page
    assert "url(" not in page


def test_the_live_table_shows_every_run() -> None:
    stream = StringIO()
    console = Console(file=stream, force_terminal=True, width=100, height=20, _environ={})
    report = {"seconds": 12.3, "cost_usd": 0.5}
    result = Result("[bold]single", 1, "finished", 0, 1, report, Check(1, 2.0, ""))
    with LiveTable(console) as live:
        live.update([Row("[bold]single", 1, "finished", 0.0, result), Row("fusion", 1)])
    shown = stream.getvalue()
    for text in ("[bold]single", "finished", "failed (1)", "12.3", "$0.5000", "waiting",
                 "1 of 2 ended"):  # fmt: skip
        assert text in shown


def test_the_last_table_has_a_line_for_each_strategy() -> None:
    stream = StringIO()
    failed = {**row("[red]broken", None), "carried_out": 0, "finished": 0, "roles": [],
              "cached_share": None, "statuses": {"error": 2}}  # fmt: skip
    failed |= {key: spread([]) for key in ("seconds", "input_tokens", "output_tokens", "cost_usd")}
    Console(file=stream, width=80, markup=False).print(
        final_table(document(row("single", 0.5, 0.5), failed))
    )
    lines = [line.strip() for line in stream.getvalue().splitlines()]
    single = next(line for line in lines if line.startswith("single"))
    assert single.split() == [
        "single", "1/2", "$0.5000", "15.0", "1,000", "50%", "1,000", "2", "finished",
    ]  # fmt: skip
    broken = next(line for line in lines if line.startswith("[red]broken"))
    assert broken.split() == ["[red]broken", *"------", "2", "error"]
    # It fits a terminal of 80 columns, names and all.
    assert max(map(len, lines)) <= 80
