"""The measures, worked by hand, recounted answer by answer and held against second opinions."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analysis.metrics import (
    Estimate,
    ces,
    csat,
    csat_of,
    mean_of_moments,
    mean_of_sources,
    mean_sentiment,
    nps,
    pooled_checklist,
    pooled_checklist_of_sums,
    share,
    shown,
    smiley_index,
    smiley_index_of,
)

NOTHING = Estimate(None, None, None, 0)


def answers(lowest: int, highest: int, least: int = 1) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(lowest, highest), min_size=least, max_size=60)


def taps(size: int) -> Callable[[dict[int, int]], Estimate]:
    return lambda hist: smiley_index(hist, size)


@pytest.mark.parametrize(
    ("estimate", "value"),
    [
        (csat({1: 1, 2: 1, 3: 3, 4: 5}, 4), 80.0),
        (csat({5: 3, 4: 3, 3: 2, 1: 2}, 5), 60.0),
        (csat({7: 1, 6: 1, 5: 2}, 7), 50.0),
        (csat({10: 1, 9: 1, 8: 1, 7: 1}, 10), 75.0),
        (nps({10: 4, 9: 2, 8: 1, 7: 1, 6: 1, 0: 1}), 40.0),
        (nps({6: 5}), -100.0),
        (ces({7: 2, 4: 1, 1: 1}), 4.75),
        (smiley_index({4: 1, 3: 1, 2: 1, 1: 1}, 4), 50.0),
        (smiley_index({4: 2, 3: 1}, 4), 100 * 8 / 9),
        (smiley_index({5: 1, 2: 3}, 5), 43.75),
        (mean_sentiment({0.5: 2, -1.0: 1, 0.0: 1}), 0.0),
        (pooled_checklist([(8, 10), (18, 20)]), 100 * 26 / 30),
    ],
)
def test_measures_worked_by_hand(estimate: Estimate, value: float) -> None:
    assert estimate.value == pytest.approx(value)


@pytest.mark.parametrize(
    "estimate",
    [
        csat({}, 5),
        nps({}),
        ces({}),
        smiley_index({}, 4),
        smiley_index_of({}),
        csat_of({}),
        mean_sentiment({}),
        pooled_checklist([]),
        pooled_checklist([(0, 0)]),
        share(0, 0),
        mean_of_moments(0, 0, 0, 0, 1),
        mean_of_sources([]),
        mean_of_sources([NOTHING]),
        nps({"10": 0}),
    ],
)
def test_no_answers_make_no_number(estimate: Estimate) -> None:
    assert estimate == NOTHING


def test_keys_may_come_from_json() -> None:
    assert nps({"10": 4, "9": 2, "3": 1}) == nps({10: 4, 9: 2, 3: 1})
    assert smiley_index({"4": 2, "1": 1}, 4) == smiley_index({4: 2, 1: 1}, 4)
    assert mean_sentiment({"0.5": 3, "-0.25": 1}) == mean_sentiment({0.5: 3, -0.25: 1})


@pytest.mark.parametrize(
    "measure",
    [
        lambda: csat({6: 1}, 5),
        lambda: csat({1: 1}, 6),
        lambda: nps({11: 1}),
        lambda: nps({9.5: 1}),
        lambda: ces({0: 1}),
        lambda: ces({3: -1}),
        lambda: smiley_index({0: 1}, 4),
        lambda: smiley_index({1: 1}, 1),
        lambda: mean_sentiment({1.5: 1}),
        lambda: mean_sentiment({0.5: -1}),
        lambda: pooled_checklist([(11, 10)]),
        lambda: pooled_checklist([(-1, 10)]),
        lambda: share(3, 2),
        lambda: share(1, 0),
        lambda: mean_of_moments(2, 30, 500, 0, 10),
    ],
)
def test_what_cannot_have_been_answered_is_refused(measure: Callable[[], Estimate]) -> None:
    with pytest.raises(ValueError):
        measure()


@given(answers(1, 10))
def test_csat_is_a_recount_with_wilsons_interval(given_answers: list[int]) -> None:
    estimate = csat(Counter(given_answers), 10)
    satisfied, n = sum(answer >= 8 for answer in given_answers), len(given_answers)
    low, high = proportion_confint(satisfied, n, method="wilson")
    assert estimate.n == n
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
        (100 * satisfied / n, 100 * low, 100 * high), abs=1e-9
    )


@given(answers(1, 7, least=2).filter(lambda xs: len(set(xs)) > 1))
def test_ces_is_a_recount_with_students_interval(given_answers: list[int]) -> None:
    estimate = ces(Counter(given_answers))
    low, high = stats.ttest_1samp(given_answers, 0).confidence_interval(0.95)
    expected = (np.mean(given_answers), max(1, low), min(7, high))
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(expected, abs=1e-9)


@given(answers(1, 5, least=2).filter(lambda xs: len(set(xs)) > 1))
def test_smiley_index_is_a_recount_with_students_interval(given_answers: list[int]) -> None:
    estimate = smiley_index(Counter(given_answers), 5)
    values = [25 * (answer - 1) for answer in given_answers]
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
        (np.mean(values), max(0, low), min(100, high)), abs=1e-9
    )


@given(answers(0, 10))
def test_nps_is_a_recount(given_answers: list[int]) -> None:
    signs = [(answer >= 9) - (answer <= 6) for answer in given_answers]
    assert nps(Counter(given_answers)).value == pytest.approx(100 * np.mean(signs))


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=40).filter(lambda xs: statistics.stdev(xs) > 1e-3))
def test_mean_sentiment_is_a_recount(polarities: list[float]) -> None:
    estimate = mean_sentiment(Counter(polarities))
    low, high = stats.ttest_1samp(polarities, 0).confidence_interval(0.95)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
        (np.mean(polarities), max(-1, low), min(1, high)), abs=1e-7
    )


@pytest.mark.parametrize(
    ("measure", "lowest", "highest", "bounds"),
    [
        (lambda hist: csat(hist, 4), 1, 4, (0, 100)),
        (lambda hist: csat(hist, 7), 1, 7, (0, 100)),
        (nps, 0, 10, (-100, 100)),
        (ces, 1, 7, (1, 7)),
        (taps(4), 1, 4, (0, 100)),
        (taps(5), 1, 5, (0, 100)),
    ],
)
@given(data=st.data())
def test_every_measure_stays_on_its_scale_and_within_its_interval(
    measure: Callable[[dict[int, int]], Estimate],
    lowest: int,
    highest: int,
    bounds: tuple[float, float],
    data: st.DataObject,
) -> None:
    hist = data.draw(st.dictionaries(st.integers(lowest, highest), st.integers(1, 10**6), min_size=1))
    estimate = measure(hist)
    assert estimate.n == sum(hist.values())
    assert None not in (estimate.value, estimate.low, estimate.high)
    assert bounds[0] <= estimate.low <= estimate.value <= estimate.high <= bounds[1]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("measure", "lowest", "highest"),
    [(lambda hist: csat(hist, 5), 1, 5), (nps, 0, 10), (ces, 1, 7), (taps(4), 1, 4), (taps(5), 1, 5)],
)
@given(data=st.data())
def test_a_better_answer_never_lowers_a_measure(
    measure: Callable[[dict[int, int]], Estimate], lowest: int, highest: int, data: st.DataObject
) -> None:
    given_answers = data.draw(answers(lowest, highest))
    assume(given_answers[0] < highest)
    better = [given_answers[0] + 1, *given_answers[1:]]
    assert measure(Counter(better)).value >= measure(Counter(given_answers)).value  # type: ignore[operator]


@given(st.dictionaries(st.integers(1, 4), st.integers(1, 50), min_size=2), st.integers(2, 20))
def test_more_of_the_same_answers_make_a_narrower_interval(hist: dict[int, int], times: int) -> None:
    few = smiley_index(hist, 4)
    many = smiley_index({answer: count * times for answer, count in hist.items()}, 4)
    assert many.value == pytest.approx(few.value)
    assert few.low <= many.low + 1e-9  # type: ignore[operator]
    assert many.high <= few.high + 1e-9  # type: ignore[operator]


def test_one_tap_tells_its_value_and_nothing_of_the_rest() -> None:
    assert smiley_index({3: 1}, 4) == Estimate(pytest.approx(200 / 3), 0.0, 100.0, 1)
    assert pooled_checklist([(9, 10)]) == Estimate(90.0, 0.0, 100.0, 1)


def test_four_and_five_buttons_pool_tap_by_tap() -> None:
    pooled = smiley_index_of({4: {4: 1, 2: 2}, 5: {5: 1, 1: 1, 3: 1}})
    values = [100, 100 / 3, 100 / 3, 100, 0, 50]
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (pooled.value, pooled.low, pooled.high) == pytest.approx((np.mean(values), max(0, low), min(100, high)))
    assert pooled.n == 6


def test_csat_pools_scales_answer_by_answer() -> None:
    assert csat_of({5: {5: 6, 1: 2}, 10: {8: 1, 7: 1}}) == share(7, 10)


visits = st.lists(
    st.integers(0, 30).flatmap(lambda possible: st.tuples(st.integers(0, possible), st.just(possible))),
    min_size=1,
    max_size=30,
)


@given(visits)
def test_pooled_checklist_is_all_earned_over_all_possible(rated: list[tuple[int, int]]) -> None:
    possible = sum(points for _, points in rated)
    assume(possible)
    estimate = pooled_checklist(rated)
    assert estimate.value == pytest.approx(100 * sum(earned for earned, _ in rated) / possible)
    assert estimate.n == sum(1 for _, points in rated if points)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 100  # type: ignore[operator]


def test_checklist_interval_takes_the_visit_as_the_unit() -> None:
    # Three visits of 10 points, 10 + 8 + 6 earned: with equal possibles the ratio is a plain mean of three.
    estimate = pooled_checklist([(10, 10), (8, 10), (6, 10)])
    half = 4.302653 * 20 / math.sqrt(3)
    assert (estimate.low, estimate.high) == pytest.approx((80 - half, 100.0), abs=1e-4)
    many_criteria = share(24, 30)
    assert estimate.low < many_criteria.low  # type: ignore[operator]


def test_checklist_interval_with_unequal_visits_worked_by_hand() -> None:
    # R = 26/30; residuals 8 - 8.6667 and 18 - 17.3333; variance 2/1 * 0.8889 / 900 = 0.0019753
    estimate = pooled_checklist([(8, 10), (18, 20)])
    half = 12.706205 * math.sqrt(0.0019753086) * 100
    assert estimate.low == pytest.approx(2600 / 30 - half, abs=1e-3)
    assert estimate.high == 100.0


@given(visits)
def test_checklist_from_sums_equals_checklist_from_visits(rated: list[tuple[int, int]]) -> None:
    kept = [(earned, possible) for earned, possible in rated if possible]
    sums = np.array([(e, p, e * e, p * p, e * p) for e, p in kept]).sum(axis=0) if kept else np.zeros(5)
    assert pooled_checklist_of_sums(len(kept), *(float(total) for total in sums)) == pooled_checklist(rated)


def test_all_sources_weigh_the_same_however_many_answers_each_has() -> None:
    taps_, letters = Estimate(80.0, 77.0, 83.0, 5000), Estimate(40.0, 36.0, 44.0, 50)
    together = mean_of_sources([taps_, letters, NOTHING])
    assert together == Estimate(60.0, 57.5, 62.5, 5050)


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 1), st.floats(0, 1), st.integers(1, 99)),
        min_size=1,
        max_size=6,
    )
)
def test_all_sources_stay_on_the_scale(sources: list[tuple[float, float, float, int]]) -> None:
    estimates = [Estimate(v, v - v * down, v + (100 - v) * up, n) for v, down, up, n in sources]
    together = mean_of_sources(estimates)
    assert -1e-9 <= together.low <= together.value <= together.high <= 100 + 1e-9  # type: ignore[operator]
    assert together.high - together.low <= max(e.high - e.low for e in estimates) + 1e-9  # type: ignore[operator]


def test_one_source_alone_keeps_its_interval() -> None:
    alone = Estimate(70.0, 60.0, 78.0, 40)
    assert mean_of_sources([alone]) == alone


def test_fewer_than_five_answers_show_only_their_number() -> None:
    assert shown(smiley_index({4: 4}, 4)) == Estimate(None, None, None, 4)
    five = smiley_index({4: 5}, 4)
    assert shown(five) is five
