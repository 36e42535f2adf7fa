"""When an order leaves and when it arrives."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

TRANSIT_DAYS = {"express": 1, "parcel": 2, "freight": 5}

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


def is_working_day(day: date, holidays: Collection[date] = ()) -> bool:
    """Whether orders are packed and driven on this day."""
    return day.weekday() != _SATURDAY and day not in holidays


def next_working_day(day: date, holidays: Collection[date] = ()) -> date:
    """The first working day after a day."""
    day += _ONE_DAY
    while not is_working_day(day, holidays):
        day += _ONE_DAY
    return day


def arrival(ordered: date, service: str, holidays: Collection[date] = ()) -> date:
    """The day on which an order arrives: it leaves first, then it is on the road."""
    day = next_working_day(ordered, holidays)
    for _ in range(TRANSIT_DAYS[service]):
        day = next_working_day(day, holidays)
    return day
