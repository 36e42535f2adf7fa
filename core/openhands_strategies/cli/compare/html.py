"""The page of `ohs compare --report`: one file with plots and the same numbers as tables.

It loads nothing and runs nothing. Every text comes through an element tree, which escapes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

from openhands_strategies.cli.compare.screen import money, percent, whole
from openhands_strategies.cli.compare.style import STYLE
from openhands_strategies.cli.compare.svg import ROLE_COLOURS, against_success, by_role, times
from openhands_strategies.cli.html import add, add_table, new_page, page_text
from openhands_strategies.cli.text import many_lines, printable

_ANSWER: Final = 4000
_TEXTS: Final = ("strategy", "role", "model", "states")


def html_page(found: dict[str, Any]) -> str:
    """The page of one comparison.

    Args:
        found: The document of `ohs compare --json`.
    """
    rows = _shown(found["results"])
    title = f"Comparison: {', '.join(row['name'] for row in rows)}"
    html, main = new_page(title, STYLE)
    add(main, "h1", "Strategies compared")
    _facts(main, found)
    _plots(main, rows)
    add(main, "h2", "Strategies")
    _strategies(main, rows)
    add(main, "h2", "Roles")
    add(main, "p", "Means of one run.", "note")
    _roles(main, rows)
    add(main, "h2", "Runs")
    _runs(main, rows)
    return page_text(html)


def _shown(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, with names and roles that hold no control characters."""
    return [
        {
            **row,
            "name": printable(row["name"], 60),
            "roles": [{**one, "role": printable(one["role"], 40)} for one in row["roles"]],
        }
        for row in results
    ]


def _facts(main: ET.Element, found: dict[str, Any]) -> None:
    add(main, "blockquote", many_lines(found["task"]))
    facts = ET.SubElement(main, "dl")
    bound = found["max_budget"]
    for name, text in (
        ("check", found["check"] or "none, so nothing tells success"),
        ("model", found["model"] or f"LLM profile {found['llm_profile']}"),
        ("runs", f"{found['repeat']} of each strategy"),
        ("budget", "none" if bound is None else f"${bound:g} for each run"),
        ("state", "complete" if found["status"] == "finished" else "some runs are missing"),
    ):
        add(facts, "dt", name)
        add(facts, "dd", printable(text, 2000))


def _plots(main: ET.Element, rows: list[dict[str, Any]]) -> None:
    roles = list(dict.fromkeys(one["role"] for row in rows for one in row["roles"]))
    plots = (
        (
            "What success costs",
            against_success(rows, money),
            "Up and to the left is better: more passed the check, for less. The line is the range.",
            "Not drawn: it takes a check and known prices.",
        ),
        ("Who spends it", by_role(rows, roles, money), "", "Not drawn: no price is known."),
        (
            "How long it takes",
            times(rows, _seconds),
            "A dot is a run, a cross one that failed the check, the bar the mean.",
            "Not drawn: no run was carried out.",
        ),
    )
    for title, plot, note, without in plots:
        section = ET.SubElement(main, "section")
        add(section, "h2", title)
        if plot is None:
            add(section, "p", without, "note")
            continue
        if title == "Who spends it":
            legend = ET.SubElement(section, "ul", {"class": "legend"})
            for number, role in enumerate(roles):
                item = ET.SubElement(legend, "li")
                ET.SubElement(item, "i", {"class": f"r{number % ROLE_COLOURS}"}).tail = role
        section.append(plot)
        if note:
            add(section, "p", note, "note")


def _strategies(main: ET.Element, rows: list[dict[str, Any]]) -> None:
    body = _table(
        main,
        ("strategy", "success", "finished", "dollars", "a success", "input", "cached", "output",
         "seconds", "from", "to", "states"),
    )  # fmt: skip
    for row in rows:
        line = ET.SubElement(body, "tr", {"data-strategy": row["name"]})
        head = add(line, "th", row["name"])
        head.set("scope", "row")
        head.set("title", printable(row["reference"], 500))
        rate = row["success_rate"]
        tally = "-" if rate is None else f"{rate:.0%} ({row['succeeded']} of {row['checked']})"
        states = ", ".join(f"{count} {status}" for status, count in row["statuses"].items())
        for field, value, text in (
            ("success_rate", rate, tally),
            ("finished", row["finished"], str(row["finished"])),
            (
                "cost_usd",
                row["cost_usd"]["mean"],
                money(row["cost_usd"]["mean"], row["carried_out"]),
            ),
            (
                "cost_per_success_usd",
                row["cost_per_success_usd"],
                _or_dash(row["cost_per_success_usd"]),
            ),
            ("input_tokens", row["input_tokens"]["mean"], whole(row["input_tokens"]["mean"])),
            ("cached_share", row["cached_share"], percent(row["cached_share"])),
            ("output_tokens", row["output_tokens"]["mean"], whole(row["output_tokens"]["mean"])),
            *(
                (f"seconds_{kind}", row["seconds"][kind], _or_dash(row["seconds"][kind], ".1f", ""))
                for kind in ("mean", "min", "max")
            ),
        ):
            _number(line, field, value, text)
        add(line, "td", states or "-")


def _roles(main: ET.Element, rows: list[dict[str, Any]]) -> None:
    body = _table(
        main,
        ("strategy", "role", "model", "tasks", "calls", "input", "cached", "output", "dollars"),
    )
    for row in rows:
        for one in row["roles"]:
            line = ET.SubElement(
                body, "tr", {"data-strategy": row["name"], "data-role": one["role"]}
            )
            add(line, "th", row["name"]).set("scope", "row")
            add(line, "td", one["role"])
            add(line, "td", printable(one["model"], 100))
            for field in ("tasks", "calls", "input_tokens", "cached_tokens", "output_tokens"):
                digits = 1 if field in ("tasks", "calls") else 0
                _number(line, field, one[field], f"{one[field]:,.{digits}f}")
            _number(line, "cost_usd", one["cost_usd"], money(one["cost_usd"]))


def _runs(main: ET.Element, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        for run in row["runs"]:
            details = ET.SubElement(
                main, "details", {"data-run": f"{row['name']} #{run['number']}"}
            )
            verdict = {None: "", True: ", check passed", False: ", check failed"}[run["success"]]
            figures = "" if run["seconds"] is None else f", {run['seconds']:.1f} s"
            cost = "" if run["report"] is None else f", {money(run['cost_usd'])}"
            title = f"{row['name']} #{run['number']}: {run['status']}{verdict}{figures}{cost}"
            add(details, "summary", title)
            if run["error"]:
                error = run["error"]
                add(details, "p", printable(f"{error['message']} [{error['code']}]", 2000))
            if run["report"] and run["report"]["answer"]:
                add(details, "h3", "Answer")
                add(details, "pre", many_lines(run["report"]["answer"][:_ANSWER]))
            if run["check"]:
                add(details, "h3", f"Check, {run['check']['seconds']:.1f} s")
                add(details, "pre", many_lines(run["check"]["output"]) or "(no output)")


def _table(main: ET.Element, columns: Sequence[str]) -> ET.Element:
    return add_table(main, columns, [column for column in columns if column not in _TEXTS])


def _number(line: ET.Element, field: str, value: float | None, text: str) -> None:
    """A cell whose `data` element holds the exact number; an unknown one holds none."""
    cell = ET.SubElement(line, "td", {"class": "number", "data-field": field})
    if value is None:
        cell.text = text
    else:
        ET.SubElement(cell, "data", value=repr(value)).text = text


def _or_dash(value: float | None, form: str = ".4f", unit: str = "$") -> str:
    return "-" if value is None else f"{unit}{value:{form}}"


def _seconds(amount: float) -> str:
    return f"{amount:.1f} s"
