"""A change is named only where chance alone would hardly make it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.metrics import Estimate, nps, share, smiley_index
from analysis.trends import Change, change, rank_intervals

TOO_FEW = Change(None, None, None, None)

shares = st.integers(5, 400).flatmap(lambda n: st.builds(share, st.integers(0, n), st.just(n)))


def test_newcombes_own_example() -> None:
    # Newcombe 1998, method 10, 56/70 against 48/80: difference 0.20, interval 0.0524 to 0.3339
    found = change(share(48, 80), share(56, 70))
    assert (found.difference, found.low, found.high) == pytest.approx((20.0, 5.24, 33.39), abs=0.01)
    assert found.beyond_chance is True


def test_a_small_dip_on_few_answers_may_be_chance() -> None:
    assert change(share(40, 50), share(37, 50)).beyond_chance is False


def test_the_same_dip_on_many_answers_is_no_chance() -> None:
    assert change(share(4000, 5000), share(3700, 5000)).beyond_chance is True


@pytest.mark.parametrize("few", [share(4, 4), Estimate(None, None, None, 0), Estimate(None, None, None, 4)])
def test_under_five_answers_nothing_is_said(few: Estimate) -> None:
    assert change(few, share(30, 50)) == TOO_FEW
    assert change(share(30, 50), few) == TOO_FEW


@given(shares, shares)
def test_change_back_is_the_change_mirrored(before: Estimate, after: Estimate) -> None:
    there, back = change(before, after), change(after, before)
    assert there.difference == pytest.approx(after.value - before.value)  # type: ignore[operator]
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))  # type: ignore[operator]
    assert there.beyond_chance == back.beyond_chance
    assert there.low <= there.difference <= there.high  # type: ignore[operator]


@given(shares)
def test_nothing_changed_is_never_beyond_chance(estimate: Estimate) -> None:
    assert change(estimate, estimate).beyond_chance is False


@given(shares, shares)
def test_intervals_that_do_not_overlap_differ_beyond_chance(before: Estimate, after: Estimate) -> None:
    if before.high < after.low or after.high < before.low:  # type: ignore[operator]
        assert change(before, after).beyond_chance is True


def test_large_samples_agree_with_welch() -> None:
    before = smiley_index({1: 100, 2: 200, 3: 400, 4: 300}, 4)
    after = smiley_index({1: 140, 2: 260, 3: 500, 4: 300}, 4)
    spread = [[100 * (k - 1) / 3 for k, c in hist.items() for _ in range(c)] for hist in (
        {1: 100, 2: 200, 3: 400, 4: 300},
        {1: 140, 2: 260, 3: 500, 4: 300},
    )]  # fmt: skip
    welch = stats.ttest_ind(spread[1], spread[0], equal_var=False).confidence_interval(0.95)
    found = change(before, after)
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high), abs=0.02)


@pytest.mark.parametrize(("n", "chance"), [(10, 0.5), (10, 0.8), (30, 0.8), (30, 0.95), (60, 0.5)])
def test_false_alarms_stay_near_five_in_a_hundred(n: int, chance: float) -> None:
    weights = [math.comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(n + 1)]
    periods = [share(k, n) for k in range(n + 1)]
    alarms = sum(
        weights[a] * weights[b]
        for a in range(n + 1)
        for b in range(n + 1)
        if change(periods[a], periods[b]).beyond_chance
    )
    assert alarms <= 0.065


def test_nps_from_minus_to_plus_is_seen() -> None:
    assert change(nps({0: 60, 8: 20, 10: 20}), nps({0: 20, 8: 20, 10: 60})).beyond_chance is True


def test_ranks_say_which_stores_cannot_be_told_apart() -> None:
    stores = [share(950, 1000), share(800, 1000), share(810, 1000), share(500, 1000), share(3, 3)]
    assert rank_intervals(stores) == [(1, 1), (2, 3), (2, 3), (4, 4), None]


def test_no_stores_no_ranks() -> None:
    assert rank_intervals([]) == []
    assert rank_intervals([share(1, 2)]) == [None]
    assert rank_intervals([share(9, 10)]) == [(1, 1)]


@given(st.lists(shares, min_size=1, max_size=12))
def test_ranks_agree_with_the_changes_pair_by_pair(stores: list[Estimate]) -> None:
    for store, interval in zip(stores, rank_intervals(stores), strict=True):
        pairs = [change(store, other) for other in stores]
        better = sum(1 for pair in pairs if pair.beyond_chance and pair.difference > 0)  # type: ignore[operator]
        worse = sum(1 for pair in pairs if pair.beyond_chance and pair.difference < 0)  # type: ignore[operator]
        assert interval == (1 + better, len(stores) - worse)


@given(st.lists(shares, min_size=1, max_size=12))
def test_a_stores_own_place_lies_within_its_ranks(stores: list[Estimate]) -> None:
    for store, interval in zip(stores, rank_intervals(stores), strict=True):
        assert interval is not None
        place = 1 + sum(other.value > store.value for other in stores)  # type: ignore[operator]
        assert 1 <= interval[0] <= place <= interval[1] <= len(stores)
