"""Plots as SVG elements: dollars against success, dollars by role, times.

Made as a tree and never as text, so nothing that a strategy is called can become markup.
Colours are classes; the style sheet of the page gives them, for light and for dark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

WIDTH: Final = 760
ROLE_COLOURS: Final = 12
_LEFT: Final = 160
_RIGHT: Final = 40
_ROW: Final = 34
_LETTER: Final = 7.4
# From a dot to the base line of its name, the best place first.
_PLACES: Final = (-14, 24, -30, 40, -46, 56, 72, 88, 104)

_Box = tuple[float, float, float, float]

Format = Callable[[float], str]


def against_success(rows: Sequence[dict[str, Any]], money: Format) -> ET.Element | None:
    """Mean dollars (with their range) against the share of runs that passed the check.

    A strategy without a price or a check cannot be placed; None when no one can.
    """
    placed = [
        row
        for row in rows
        if row["success_rate"] is not None and row["cost_usd"]["mean"] is not None
    ]
    if not placed:
        return None
    top, bottom, left = 64, 310, 64
    svg = _figure("Dollars against success", _words_of_scatter(placed, money), bottom + 56)
    x = _scale([row["cost_usd"]["max"] for row in placed], left, WIDTH - _RIGHT)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = bottom - share * (bottom - top)
        _line(svg, left, y, WIDTH - _RIGHT, y, "grid")
        _text(svg, left - 8, y + 4, f"{share:.0%}", "tick", "end")
    _axis(svg, x, bottom, "${}", top=top)
    _text(svg, (left + WIDTH - _RIGHT) / 2, bottom + 44, "mean dollars of a run", "label", "middle")
    order = sorted(placed, key=lambda one: float(one["cost_usd"]["mean"]))
    # Where no name may stand: on the numbers of the axis, on ranges and on dots.
    taken: list[_Box] = [(0.0, bottom + 6.0, float(WIDTH), bottom + 60.0)]
    for row in order:
        cost, y = row["cost_usd"], bottom - row["success_rate"] * (bottom - top)
        _line(svg, x(cost["min"]), y, x(cost["max"]), y, "range")
        taken.append((x(cost["min"]) - 4, y - 4, x(cost["max"]) + 4, y + 4))
        at = x(cost["mean"])
        taken.append((at - 9, y - 9, at + 9, y + 9))
    for row in order:
        at, y = x(row["cost_usd"]["mean"]), bottom - row["success_rate"] * (bottom - top)
        _label(svg, row["name"], at, y, taken)
        dot = _shape(svg, "circle", "dot", cx=at, cy=y, r=7)
        words = f"{row['name']}: {row['success_rate']:.0%} passed, {money(row['cost_usd']['mean'])}"
        _title(dot, words)
    return svg


def by_role(
    rows: Sequence[dict[str, Any]], roles: Sequence[str], money: Format
) -> ET.Element | None:
    """Mean dollars of a run, a bar for each strategy, a piece for each role."""
    bars = [(row, _pieces(row, roles)) for row in rows]
    known = [sum(pieces) for _, pieces in bars if pieces is not None]
    if not known:
        return None
    words = "; ".join(
        f"{row['name']}: {'unknown' if pieces is None else money(sum(pieces))}"
        for row, pieces in bars
    )
    bottom = 10 + _ROW * len(bars)
    svg = _figure("Dollars by role", f"Mean dollars of a run. {words}.", bottom + 30)
    x = _scale(known, _LEFT, WIDTH - 90)
    _axis(svg, x, bottom, "${}", top=6)
    for place, (row, pieces) in enumerate(bars):
        y = 10 + _ROW * place
        _text(svg, _LEFT - 10, y + 18, _short(row["name"], 20), "name", "end")
        if pieces is None:
            _text(
                svg, _LEFT + 6, y + 18, "price unknown" if row["carried_out"] else "no run", "tick"
            )
            continue
        so_far = 0.0
        for number, piece in enumerate(pieces):
            if piece > 0:
                box = _shape(
                    svg,
                    "rect",
                    f"piece r{number % ROLE_COLOURS}",
                    x=x(so_far),
                    y=y + 3,
                    width=max(x(so_far + piece) - x(so_far), 1),
                    height=_ROW - 12,
                )
                _title(box, f"{row['name']}, {roles[number]}: {money(piece)}")
                so_far += piece
        _text(svg, x(so_far) + 6, y + 18, money(so_far), "value")
    return svg


def times(rows: Sequence[dict[str, Any]], seconds: Format) -> ET.Element | None:
    """Seconds of every run: a dot where the check passed, a cross where it did not."""
    known = [row for row in rows if row["seconds"]["mean"] is not None]
    if not known:
        return None
    words = "; ".join(
        f"{row['name']}: {seconds(row['seconds']['min'])} to {seconds(row['seconds']['max'])}"
        for row in known
    )
    bottom = 10 + _ROW * len(rows)
    svg = _figure("Seconds", f"Seconds of each run. {words}.", bottom + 30)
    x = _scale([row["seconds"]["max"] for row in known], _LEFT, WIDTH - _RIGHT)
    _axis(svg, x, bottom, "{} s", top=6)
    for place, row in enumerate(rows):
        y = 10 + _ROW * place + 14
        _text(svg, _LEFT - 10, y + 4, _short(row["name"], 20), "name", "end")
        span = row["seconds"]
        if span["mean"] is None:
            _text(svg, _LEFT + 6, y + 4, "no run", "tick")
            continue
        _line(svg, x(span["min"]), y, x(span["max"]), y, "range")
        _line(svg, x(span["mean"]), y - 10, x(span["mean"]), y + 10, "mean")
        for run in row["runs"]:
            if run["seconds"] is not None and run["status"] in ("finished", "failed", "limit"):
                mark = _mark(svg, x(run["seconds"]), y, run["success"])
                _title(mark, f"{row['name']} #{run['number']}: {seconds(run['seconds'])}")
    return svg


def ticks(high: float) -> list[float]:
    """Round numbers from 0 to at least `high`, three to six steps."""
    if not high > 0:
        return [0.0, 1.0]
    rough = high / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    # Multiplied and not added up: 0.1 three times is not 0.3.
    return [number * step for number in range(math.ceil(high / step - 1e-9) + 1)]


def _pieces(row: dict[str, Any], roles: Sequence[str]) -> list[float] | None:
    if row["cost_usd"]["mean"] is None:
        return None
    return [
        sum(one["cost_usd"] or 0.0 for one in row["roles"] if one["role"] == role) for role in roles
    ]


def _words_of_scatter(rows: Sequence[dict[str, Any]], money: Format) -> str:
    words = (
        f"{row['name']}: {row['success_rate']:.0%} for {money(row['cost_usd']['mean'])}"
        for row in rows
    )
    return f"Share of runs that passed the check, and mean dollars of a run. {'; '.join(words)}."


def _scale(values: Sequence[float], left: float, right: float) -> _Scale:
    return _Scale(ticks(max(values)), left, right)


class _Scale:
    """From a value to a place on the page."""

    def __init__(self, marks: list[float], left: float, right: float) -> None:
        self.marks, self._left, self._right = marks, left, right

    def __call__(self, value: float) -> float:
        return self._left + (self._right - self._left) * value / self.marks[-1]


def _axis(svg: ET.Element, x: _Scale, bottom: float, form: str, top: float = 24) -> None:
    """Vertical lines and their numbers; `form` says where a number goes, as in `${} each`."""
    step = x.marks[1]
    exact = next(digits for digits in range(12) if math.isclose(round(step, digits), step))
    for mark in x.marks:
        _line(svg, x(mark), top, x(mark), bottom, "grid")
        _text(svg, x(mark), bottom + 18, form.format(f"{mark:,.{exact}f}"), "tick", "middle")


def _label(svg: ET.Element, name: str, x: float, y: float, taken: list[_Box]) -> None:
    """Write a name above or below its dot, where nothing else stands."""
    text = _short(name, 28)
    half = len(text) * _LETTER / 2
    middle = min(max(x, half + 4), WIDTH - half - 4)
    for down in _PLACES:
        box = (middle - half, y + down - 11, middle + half, y + down + 4)
        if box[1] > 0 and not any(_cover(box, other) for other in taken):
            break
    taken.append(box)
    if abs(down) > abs(_PLACES[1]):
        _line(svg, x, y, middle, y + down + (4 if down < 0 else -11), "leader")
    _text(svg, middle, y + down, text, "name", "middle")


def _cover(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _mark(svg: ET.Element, x: float, y: float, success: bool | None) -> ET.Element:
    if success is False:
        path = f"M{_n(x - 5)} {_n(y - 5)}l10 10m0 -10l-10 10"
        return ET.SubElement(svg, "path", {"class": "cross", "d": path})
    kind = "dot neutral" if success is None else "dot"
    return _shape(svg, "circle", kind, cx=x, cy=y, r=5)


def _figure(title: str, words: str, height: float) -> ET.Element:
    svg = ET.Element("svg", viewBox=f"0 0 {WIDTH} {_n(height)}", role="img")
    svg.set("aria-label", title)
    _title(svg, title)
    ET.SubElement(svg, "desc").text = words
    return svg


def _title(parent: ET.Element, text: str) -> None:
    ET.SubElement(parent, "title").text = text


def _line(svg: ET.Element, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
    _shape(svg, "line", kind, x1=x1, y1=y1, x2=x2, y2=y2)


def _shape(svg: ET.Element, tag: str, kind: str, **numbers: float) -> ET.Element:
    places = {name: _n(number) for name, number in numbers.items()}
    return ET.SubElement(svg, tag, {"class": kind, **places})


def _text(svg: ET.Element, x: float, y: float, text: str, kind: str, anchor: str = "start") -> None:
    one = _shape(svg, "text", kind, x=x, y=y)
    one.set("text-anchor", anchor)
    one.text = text


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
