"""The course of measures over a period, in as many points as a small line can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from analysis.metrics import Estimate, shown
from feedback_app.services.ground import grouped, local_day
from feedback_app.services.metrics import FEEDS, estimate
from feedback_app.services.periods import Period
from feedback_app.storage.rollups_read import CellSum

MOST_POINTS = 30


@dataclass(frozen=True)
class SparkPoint:
    """A measure in the day, week or month that begins on `start`; fewer than five answers leave n alone."""

    start: date
    estimate: Estimate


def sparks(
    hourly: Sequence[tuple[str, Sequence[CellSum]]], measures: Sequence[str], period: Period
) -> dict[str, tuple[SparkPoint, ...]]:
    """Return the course of each measure from cells by hour, each part with its time zone.

    By days where they fit into MOST_POINTS, else by weeks, else by months, of which the last MOST_POINTS stand.
    Days without answers have their points too.
    """
    by_day: dict[date, list[CellSum]] = {}
    for zone, cells in hourly:
        for hour, part in grouped(cells, lambda cell: cell.hour).items():
            by_day.setdefault(local_day(hour, zone), []).extend(part)
    first, last = _ends(by_day, period)
    if first is None or last is None:
        return dict.fromkeys(measures, ())
    step = _step(first, last)
    parts: dict[date, dict[str, list[CellSum]]] = {start: {} for start in _last_starts(first, last, step)}
    for day, cells in by_day.items():
        by_measure = parts.get(_start_of(day, step), {})
        for cell in cells:
            by_measure.setdefault(cell.measure, []).append(cell)
    return {measure: _course(measure, parts) for measure in measures}


def _course(measure: str, parts: Mapping[date, Mapping[str, Sequence[CellSum]]]) -> tuple[SparkPoint, ...]:
    return tuple(
        SparkPoint(start, shown(estimate(measure, (cell for fed in FEEDS[measure] for cell in part.get(fed, ())))))
        for start, part in parts.items()
    )


def _ends(by_day: Mapping[date, object], period: Period) -> tuple[date | None, date | None]:
    if period.days is not None and isinstance(period.start, date) and isinstance(period.end, date):
        return period.start, period.end
    return min(by_day, default=None), max(by_day, default=None)


def _start_of(day: date, step: str) -> date:
    if step == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if step == "week" else day


def _step(first: date, last: date) -> str:
    if (last - first).days < MOST_POINTS:
        return "day"
    weeks = (_start_of(last, "week") - _start_of(first, "week")).days // 7 + 1
    return "week" if weeks <= MOST_POINTS else "month"


def _last_starts(first: date, last: date, step: str) -> list[date]:
    """Return where the last MOST_POINTS steps begin, the earliest first, none before the step of `first`."""
    earliest, start = _start_of(first, step), _start_of(last, step)
    starts = [start]
    while start > earliest and len(starts) < MOST_POINTS:
        start = _start_of(start - timedelta(days=1), step)
        starts.append(start)
    return starts[::-1]
