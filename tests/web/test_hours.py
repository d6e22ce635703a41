"""Hours of the week: one of a hundred is not called bad for being unlucky."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.metrics import Estimate
from feedback_app.web.hours import Hour, lowest, widening


def week(*odd: Estimate) -> list[Hour]:
    """A hundred hours that are alike, and some that are not."""
    alike = [Hour(1 + number % 7, number // 7, Estimate(78, 72, 84, 40)) for number in range(100)]
    return [*alike, *(Hour(6, 20 + number, estimate) for number, estimate in enumerate(odd))]


def test_an_hour_far_below_the_others_is_named() -> None:
    found = lowest(week(Estimate(40, 34, 46, 40)))
    assert found is not None
    assert (found.weekday, found.hour) == (6, 20)


def test_an_hour_only_just_below_is_not() -> None:
    assert lowest(week(Estimate(70, 64, 76, 40))) is None


def test_alone_it_would_have_been() -> None:
    low = Hour(6, 20, Estimate(70, 64, 76, 40))
    assert lowest([Hour(1, 9, Estimate(78, 77, 79, 4000)), low]) == low


def test_hours_without_figures_are_left_out() -> None:
    assert lowest([Hour(1, 9, Estimate(None, None, None, 3))]) is None
    assert lowest([]) is None


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_the_more_are_compared_the_wider_the_interval(few: int, many: int) -> None:
    few, many = sorted((few, many))
    assert 1 <= widening(few) <= widening(many)


def test_the_correction_is_bonferronis() -> None:
    assert widening(1) == pytest.approx(1)
    assert widening(100) == pytest.approx(3.4808 / 1.9600, abs=1e-3)
