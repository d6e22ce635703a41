"""Intervals say how sure a number is: scipy's and statsmodels' second opinions, coverage counted out."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analysis.intervals import (
    Interval,
    bounded_mean,
    clustered_ratio,
    net_share,
    normal_quantile,
    student_quantile,
    wilson,
)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
@pytest.mark.parametrize("degrees", [*range(1, 40), 99, 100, 499, 1000, 1001, 5000, 10**6])
def test_students_quantile_agrees_with_scipy(degrees: int, level: float) -> None:
    assert student_quantile(degrees, level) == pytest.approx(stats.t.ppf((1 + level) / 2, degrees), rel=1e-9)


@pytest.mark.parametrize("level", [0.01, 0.5, 0.9, 0.95, 0.999, 1 - 1e-9])
def test_normal_quantile_agrees_with_scipy(level: float) -> None:
    assert normal_quantile(level) == pytest.approx(stats.norm.ppf((1 + level) / 2), rel=1e-8)


def test_two_answers_make_the_multiplier_of_the_printed_tables() -> None:
    assert student_quantile(1) == pytest.approx(12.706, abs=5e-4)
    assert normal_quantile() == pytest.approx(1.959964, abs=5e-7)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5])
def test_a_level_outside_zero_to_one_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="confidence level"):
        normal_quantile(level)
    with pytest.raises(ValueError, match="confidence level"):
        student_quantile(5, level)


def test_no_degree_of_freedom_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="degrees"):
        student_quantile(0)


@given(n=st.integers(1, 10_000), data=st.data())
def test_wilson_agrees_with_statsmodels(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    assert wilson(successes, n) == pytest.approx(proportion_confint(successes, n, method="wilson"), abs=1e-12)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 4)])
def test_what_is_no_share_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(successes, n)


def test_eight_of_ten_worked_by_hand() -> None:
    # z² = 3.8415; middle (8 + 1.9207) / 13.8415 = 0.71674; half sqrt(3.8415 x 2.5604) / 13.8415
    assert wilson(8, 10) == pytest.approx((0.49016, 0.94332), abs=1e-4)


def _coverage(n: int, up: float, down: float, interval: Callable[[int, int, int], Interval]) -> float:
    """Return how often the interval holds the truth, over every sample of n that may happen."""
    truth, covered = up - down, 0.0
    for promoters in range(n + 1):
        for detractors in range(n + 1 - promoters):
            low, high = interval(promoters, detractors, n)
            if low <= truth <= high:
                passives = n - promoters - detractors
                ways = math.comb(n, promoters) * math.comb(n - promoters, detractors)
                covered += ways * up**promoters * down**detractors * (1 - up - down) ** passives
    return covered


def _plain_wald(promoters: int, detractors: int, n: int) -> Interval:
    up, down = promoters / n, detractors / n
    half = 1.96 * math.sqrt((up + down - (up - down) ** 2) / n)
    return up - down - half, up - down + half


@pytest.mark.parametrize("n", [5, 10, 30, 60])
@pytest.mark.parametrize(
    ("up", "down"), [(0.8, 0.05), (0.6, 0.1), (0.5, 0.2), (0.34, 0.33), (0.1, 0.5), (0.9, 0.02), (0.2, 0.2)]
)
def test_nps_interval_holds_the_truth_about_95_times_in_100(n: int, up: float, down: float) -> None:
    covered = _coverage(n, up, down, net_share)
    assert 0.91 <= covered <= 0.999


def test_nps_interval_is_honest_where_the_textbook_one_is_not() -> None:
    textbook = _coverage(10, 0.9, 0.02, _plain_wald)
    assert textbook < 0.7 < 0.92 < _coverage(10, 0.9, 0.02, net_share)


@given(n=st.integers(1, 500), data=st.data())
def test_nps_bounds_hold_the_score_and_stay_on_the_scale(n: int, data: st.DataObject) -> None:
    promoters = data.draw(st.integers(0, n))
    detractors = data.draw(st.integers(0, n - promoters))
    low, high = net_share(promoters, detractors, n)
    assert -1 <= low <= (promoters - detractors) / n <= high <= 1
    assert net_share(detractors, promoters, n) == pytest.approx((-high, -low))


@pytest.mark.parametrize(("promoters", "detractors", "n"), [(3, 3, 5), (-1, 0, 5), (0, 0, 0)])
def test_nps_counts_that_do_not_fit_are_refused(promoters: int, detractors: int, n: int) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        net_share(promoters, detractors, n)


def test_one_answer_leaves_the_whole_scale_open() -> None:
    assert bounded_mean(4.0, 0.0, 1, (1.0, 7.0)) == (1.0, 7.0)


def test_five_answers_that_agree_are_not_certainty() -> None:
    # Wilson for 5 of 5: from 56.55 %, so that 43.45 % of shoppers may still think otherwise.
    assert bounded_mean(100.0, 0.0, 5, (0.0, 100.0)) == pytest.approx((56.55, 100.0), abs=0.01)
    low, high = bounded_mean(100.0, 0.0, 5000, (0.0, 100.0))
    assert 99.9 < low < high == 100.0


def test_a_mean_off_the_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="not on the scale"):
        bounded_mean(101.0, 1.0, 5, (0.0, 100.0))


@given(st.lists(st.floats(0, 100), min_size=2, max_size=40).filter(lambda xs: statistics.stdev(xs) > 1e-3))
def test_mean_agrees_with_scipy_clipped_to_the_scale(answers: list[float]) -> None:
    low, high = stats.ttest_1samp(answers, 0).confidence_interval(0.95)
    interval = bounded_mean(math.fsum(answers) / len(answers), stats.tvar(answers), len(answers), (0, 100))
    assert interval == pytest.approx((max(0, low), min(100, high)), abs=1e-6)


def test_visits_that_agree_in_their_share_leave_little_doubt() -> None:
    alike = clustered_ratio(20, 160, 200, residual_squares=0.0)
    unlike = clustered_ratio(20, 160, 200, residual_squares=400.0)
    assert alike[0] < 0.8 < alike[1]
    assert unlike[1] - unlike[0] > 0.2


def test_a_checklist_without_possible_points_is_refused() -> None:
    with pytest.raises(ValueError, match="no possible points"):
        clustered_ratio(3, 0, 0, 0)


def test_the_numbers_need_neither_numpy_nor_matplotlib() -> None:
    heavy = "{'numpy', 'scipy', 'matplotlib', 'flask', 'sqlalchemy'}"
    script = f"import sys, analysis.metrics, analysis.trends; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
