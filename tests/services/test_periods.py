"""Periods in the stores' own days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_app.domain.errors import Invalid
from feedback_app.services.periods import Filters, Period, last_days, read_filters, today

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
ZONES = ("Europe/Minsk", "Europe/Warsaw", "Asia/Vladivostok", "Europe/Kaliningrad")


def test_a_week_ends_with_today_and_the_one_before_ends_the_day_before_it_begins() -> None:
    week = last_days(7, date(2026, 3, 31))
    assert week == Period(date(2026, 3, 25), date(2026, 3, 31))
    assert week.before() == Period(date(2026, 3, 18), date(2026, 3, 24))


def test_today_is_the_date_in_the_zone() -> None:
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    assert today("Europe/Minsk", late) == date(2026, 4, 1)
    assert today("Europe/London", late) == date(2026, 3, 31)


def test_a_day_in_minsk_begins_at_nine_in_the_evening_in_utc() -> None:
    first, after = Period(date(2026, 3, 31), date(2026, 3, 31)).hours("Europe/Minsk")
    assert datetime.fromtimestamp(first * 3600, UTC) == datetime(2026, 3, 30, 21, tzinfo=UTC)
    assert after - first == 24


def test_the_day_the_clocks_go_forward_has_23_hours() -> None:
    first, after = Period(date(2026, 3, 29), date(2026, 3, 29)).hours("Europe/Warsaw")
    assert after - first == 23


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 400), st.sampled_from(ZONES))
def test_a_period_and_the_one_before_meet_without_gap_or_overlap(start: date, days: int, zone: str) -> None:
    period = Period(start, start + timedelta(days=days - 1))
    earlier = period.before()
    assert earlier is not None
    assert earlier.hours(zone)[1] == period.hours(zone)[0]
    assert earlier.days == period.days == days


def test_an_open_period_has_none_before() -> None:
    assert Period().before() is None
    assert Period(date(2026, 3, 1), None).before() is None
    assert Period().hours("Europe/Minsk") == (None, None)


def test_without_a_query_the_last_thirty_days_are_looked_at() -> None:
    assert read_filters({}, now=NOON) == Filters(period=Period(date(2026, 3, 2), date(2026, 3, 31)))
    assert read_filters({"days": "all"}, now=NOON).period == Period()


def test_a_programs_date_is_midnight_in_utc_as_in_the_export() -> None:
    read = read_filters({"since": "2026-03-01", "until": "2026-03-08"}, None, in_utc=True)
    assert read.period == Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC))


@pytest.mark.parametrize("written", ["2026-03-01T10:30:00+03:00", "2026-03-01T10:30:00 03:00", "2026-03-01 07:30"])
def test_a_moment_is_read_with_its_offset_even_where_the_plus_was_lost(written: str) -> None:
    assert read_filters({"since": written}).period.start == datetime(2026, 3, 1, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-02-30"}, "until"),
        ({"since": "0001-01-01"}, "since"),
        ({"since": "2026-03-08", "until": "2026-03-01"}, "until"),
        ({"days": "8"}, "days"),
        ({"channel": "pigeon"}, "channel"),
        ({"flagged": "maybe"}, "flagged"),
    ],
)
def test_what_cannot_be_read_is_named(query: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_filters(query)
    assert [problem.field for problem in caught.value.problems] == [field]  # type: ignore[attr-defined]
