"""Counting terms: calendar days, working days and months, from the day after a receipt.

Which days are off is handed in. What the law says of the last day, and what the product does by default, is told in
docs/decisions/0018-deadlines.md.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta

from feedback_app.domain.errors import Problem

CALENDAR, WORKING, MONTH = "calendar", "working", "month"
UNITS = (CALENDAR, WORKING, MONTH)
MOST_DAYS = 366
MOST_IN_A_ROW = 60
"""No country is off for so long; what says otherwise is wrong, and counting goes on as if it were not."""
DaysOff = Container[date]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Term:
    """So many calendar days, working days or months."""

    days: int
    unit: str = CALENDAR

    def stored(self) -> dict[str, object]:
        """Return the term as it is kept; `parse` reads it."""
        return {"days": self.days, "unit": self.unit}


def parse(raw: object, field: str, least: int = 1) -> Term:
    """Return the term that a mapping says, or raise Problem at `field`."""
    if not isinstance(raw, dict) or set(raw) != {"days", "unit"}:
        raise Problem("wrong_type", field)
    days, unit = raw["days"], raw["unit"]
    if unit not in UNITS:
        raise Problem("unknown_choice", field)
    most = MOST_DAYS if unit != MONTH else 12
    if isinstance(days, bool) or not isinstance(days, int):
        raise Problem("wrong_type", field)
    if not least <= days <= most:
        raise Problem("out_of_range", field, low=least, high=most)
    return Term(days, unit)


def is_working(day: date, days_off: DaysOff) -> bool:
    """Say whether people work on a day."""
    return day not in days_off


def working_day_at_or_after(day: date, days_off: DaysOff) -> date:
    """Return a day, or the first working day after it where it is off."""
    found = day
    for _ in range(MOST_IN_A_ROW):
        if is_working(found, days_off):
            return found
        found += _DAY
    return day


def working_days_after(day: date, count: int, days_off: DaysOff) -> date:
    """Return the count-th working day after a day; the day itself for a count of 0."""
    found = day
    for _ in range(count):
        found = working_day_at_or_after(found + _DAY, days_off)
    return found


def working_days_before(day: date, count: int, days_off: DaysOff) -> date:
    """Return the count-th working day before a day; the day itself for a count of 0."""
    found = day
    for _ in range(count):
        earlier = found - _DAY
        for back in range(MOST_IN_A_ROW):
            if is_working(earlier - back * _DAY, days_off):
                earlier -= back * _DAY
                break
        found = earlier
    return found


def months_after(day: date, count: int) -> date:
    """Return the same date so many months later; the month's last day where it has no such date.

    Civil Code of Russia, art. 192; of Belarus, art. 193.
    """
    months = day.month - 1 + count
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def last_day(received_on: date, term: Term, days_off: DaysOff, *, move_to_working_day: bool = False) -> date:
    """Return the last day of a term that began the day after a receipt.

    A term of working days ends on the last of so many working days. One of calendar days or months ends on its day,
    whatever day that is; with `move_to_working_day` on the first working day from there.
    """
    if term.unit == WORKING:
        return working_days_after(received_on, term.days, days_off)
    end = months_after(received_on, term.days) if term.unit == MONTH else received_on + term.days * _DAY
    return working_day_at_or_after(end, days_off) if move_to_working_day else end


def warning_day(due_on: date, working_days: int, days_off: DaysOff, not_before: date | None = None) -> date:
    """Return the day on which somebody higher is told of a deadline: so many working days before it.

    `not_before`: the day of the receipt, where the term is shorter than that.
    """
    found = working_days_before(due_on, working_days, days_off)
    return found if not_before is None else min(max(found, not_before), due_on)
