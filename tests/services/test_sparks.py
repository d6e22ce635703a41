"""The small lines of a measure's course: how many points, and where they begin."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedback_app.domain.rollups import hour_of
from feedback_app.services.periods import Period
from feedback_app.services.sparks import MOST_POINTS, SparkPoint, sparks
from feedback_app.storage.rollups_read import CellSum

ZONE = "Europe/Minsk"


def taps(day: date, n: int = 5) -> CellSum:
    """Return what taps on the best button at noon of a day add up to."""
    return CellSum(
        "smiley4", "4", n, 4_000 * n, 16_000_000 * n, hour=hour_of(datetime(*day.timetuple()[:3], 12, tzinfo=UTC))
    )


def course(*cells: CellSum, period: Period | None = None) -> tuple[SparkPoint, ...]:
    """Return the line of the smiley index."""
    return sparks([(ZONE, cells)], ["smiley"], period or Period())["smiley"]


def test_one_response_of_the_year_26_takes_no_time() -> None:
    begun = time.process_time()
    points = course(taps(date(26, 1, 5)), taps(date(2026, 11, 2)))
    assert time.process_time() - begun < 0.5
    assert len(points) == MOST_POINTS
    assert points[-1].start == date(2026, 11, 1)
    assert points[0].start == date(2024, 6, 1)
    assert points[-1].estimate.n == 5


@given(st.dates(date(1971, 1, 1), date(2090, 1, 1)), st.integers(1, 1_500))
@example(date(2026, 3, 2), 30)
@example(date(2026, 3, 2), 31)
@example(date(2026, 3, 2), 210)
@example(date(2026, 3, 1), 210)
def test_the_line_covers_the_period_in_the_finest_steps_that_fit(first: date, days: int) -> None:
    last = first + timedelta(days=days - 1)
    starts = [point.start for point in course(period=Period(first, last))]
    every = [first + timedelta(days=offset) for offset in range(days)]
    by_day = every
    by_week = sorted({day - timedelta(days=day.weekday()) for day in every})
    by_month = sorted({day.replace(day=1) for day in every})
    finest = next((steps for steps in (by_day, by_week) if len(steps) <= MOST_POINTS), by_month)
    assert starts == finest[-MOST_POINTS:]


def test_nothing_collected_draws_no_line() -> None:
    assert course() == ()


@pytest.mark.parametrize(("days", "points"), [(1, 1), (29, 29), (30, 30)])
def test_up_to_thirty_days_stand_by_the_day(days: int, points: int) -> None:
    cells = [taps(date(2026, 3, 1) + timedelta(days=offset), offset + 5) for offset in range(days)]
    line = course(*cells)
    assert len(line) == points
    assert [point.estimate.n for point in line] == [offset + 5 for offset in range(days)]
