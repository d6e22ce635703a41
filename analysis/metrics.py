"""The measures of customer experience, each with its interval and its n.

Histograms map an answer to its count: `{5: 12, 4: 3}` or, as JSON keeps them, `{"5": 12, "4": 3}`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis.intervals import Interval, bounded_mean, clustered_ratio, net_share, wilson

SMALL_GROUP = 5
"""Below this many answers only n is shown."""

TOP_BOXES: Mapping[int, int] = {4: 2, 5: 2, 7: 2, 10: 3}
"""How many of the best answers of a scale count as satisfied."""

Histogram = Mapping[int, int] | Mapping[str, int] | Mapping[float, int]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value between low and high (95 % confidence) from n answers; all None but n where n = 0."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def csat(hist: Histogram, size: int) -> Estimate:
    """Return the percentage of answers in the top boxes of a scale of 4, 5, 7 (top two) or 10 (top three).

    Raises ValueError for another scale, an answer off the scale or a negative count.
    """
    return csat_of({size: hist})


def csat_of(histograms: Mapping[int, Histogram]) -> Estimate:
    """Return CSAT over several scales, `{size: histogram}`, every answer weighing the same."""
    satisfied = n = 0
    for size, hist in histograms.items():
        if size not in TOP_BOXES:
            raise ValueError(f"no top boxes are defined for a scale of {size}")
        counts = _counts(hist, 1, size)
        satisfied += sum(count for answer, count in counts.items() if answer > size - TOP_BOXES[size])
        n += sum(counts.values())
    return share(satisfied, n)


def nps(hist: Histogram) -> Estimate:
    """Return the Net Promoter Score, -100..100: % of 9-10 minus % of 0-6 on the 0-10 question.

    Reichheld 2003, "The One Number You Need to Grow"; interval see `analysis.intervals.net_share`.
    """
    counts = _counts(hist, 0, 10)
    n = sum(counts.values())
    if n == 0:
        return _nothing()
    promoters = counts.get(9, 0) + counts.get(10, 0)
    detractors = sum(count for answer, count in counts.items() if answer <= 6)
    value = 100 * (promoters - detractors) / n
    return _estimate(value, net_share(promoters, detractors, n), n, scale=100)


def ces(hist: Histogram) -> Estimate:
    """Return the Customer Effort Score: the mean of the effort question, 1-7, 7 = very easy."""
    return _whole_mean(_counts(hist, 1, 7), 1, 7)


def smiley_index(hist: Histogram, size: int) -> Estimate:
    """Return the mean of the buttons 1 (worst) to `size` (best), brought to 0..100 in equal steps."""
    return smiley_index_of({size: hist})


def smiley_index_of(histograms: Mapping[int, Histogram]) -> Estimate:
    """Return the smiley index over several button sets, `{size: histogram}`, every tap weighing the same."""
    if any(size < 2 for size in histograms):
        raise ValueError("a scale has at least two answers")
    # Whole steps of a common fineness keep the sums exact: 12 for sets of four and five buttons.
    fineness = math.lcm(*(size - 1 for size in histograms))
    steps: dict[int, int] = {}
    for size, hist in histograms.items():
        for answer, count in _counts(hist, 1, size).items():
            step = (answer - 1) * fineness // (size - 1)
            steps[step] = steps.get(step, 0) + count
    return _scaled(_whole_mean(steps, 0, fineness), 100 / fineness, top=100.0)


def mean_sentiment(hist: Histogram) -> Estimate:
    """Return the mean polarity of texts, -1..1, from `{polarity: count}`.

    Raises ValueError for a polarity outside [-1, 1] or a negative count.
    """
    pairs = [(float(polarity), count) for polarity, count in hist.items() if count]
    _refuse_negative(count for _, count in pairs)
    if any(not -1 <= polarity <= 1 for polarity, _ in pairs):
        raise ValueError("a polarity lies between -1 and 1")
    n = sum(count for _, count in pairs)
    total = math.fsum(polarity * count for polarity, count in pairs)
    squares = math.fsum(polarity * polarity * count for polarity, count in pairs)
    return mean_of_moments(n, total, squares, -1.0, 1.0)


def share(successes: int, n: int) -> Estimate:
    """Return successes of n as a percentage, 0..100, with Wilson's interval."""
    if n == 0 and successes == 0:
        return _nothing()
    interval = wilson(successes, n)
    return _estimate(100 * successes / n, interval, n, scale=100)


def mean_of_moments(n: int, total: float, squares: float, low_bound: float, high_bound: float) -> Estimate:
    """Return the mean of n answers from their sum and sum of squares, on the scale low_bound..high_bound.

    Student's t, clipped to the scale; see `analysis.intervals.bounded_mean` for n = 1 and for no spread.
    Raises ValueError where the mean falls outside the scale.
    """
    if n == 0:
        return _nothing()
    # Whole numbers stay exact in this form; dividing first would cancel digits.
    variance = (n * squares - total * total) / (n * (n - 1)) if n > 1 else 0.0
    mean = total / n
    interval = bounded_mean(mean, variance, n, (low_bound, high_bound))
    return _estimate(min(max(mean, low_bound), high_bound), interval, n)


def pooled_checklist(visits: Iterable[tuple[float, float]]) -> Estimate:
    """Return the pooled checklist score, 0..100, of visits given as (earned, possible) points.

    Visits without possible points (all criteria N/A) are left out. Raises ValueError where a visit earned
    less than nothing or more than possible.
    """
    rated = [(earned, possible) for earned, possible in visits if possible]
    if any(not 0 <= earned <= possible for earned, possible in rated):
        raise ValueError("a visit earns between none and all of its possible points")
    return pooled_checklist_of_sums(
        len(rated),
        math.fsum(earned for earned, _ in rated),
        math.fsum(possible for _, possible in rated),
        math.fsum(earned * earned for earned, _ in rated),
        math.fsum(possible * possible for _, possible in rated),
        math.fsum(earned * possible for earned, possible in rated),
    )


def pooled_checklist_of_sums(
    n: int,
    earned: float,
    possible: float,
    earned_squares: float,
    possible_squares: float,
    cross: float,
) -> Estimate:
    """Return the pooled checklist score of n visits from the sums that rollups keep.

    Sums over visits: earned, possible, earned², possible², earned x possible. The interval takes the visit as
    the unit that was drawn (see `analysis.intervals.clustered_ratio`): criteria of one visit go up and down
    together.
    """
    if n == 0 or possible == 0:
        return _nothing()
    ratio = earned / possible
    residual_squares = earned_squares - 2 * ratio * cross + ratio * ratio * possible_squares
    interval = clustered_ratio(n, earned, possible, residual_squares)
    return _estimate(100 * min(max(ratio, 0.0), 1.0), interval, n, scale=100)


def mean_of_sources(estimates: Iterable[Estimate]) -> Estimate:
    """Return "all sources": the mean of the sources present, each weighing the same; n is their sum.

    The sources are independent, so the distances to their bounds add up in squares (Zou & Donner 2008), each
    side
    for itself. The bounds stay on the scale, as they lie no further out than the mean of the sources' bounds.
    """
    present = [_known(estimate) for estimate in estimates if estimate.value is not None]
    if not present:
        return _nothing()
    sources = len(present)
    value = math.fsum(v for v, _, _, _ in present) / sources
    below = math.hypot(*(v - low for v, low, _, _ in present)) / sources
    above = math.hypot(*(high - v for v, _, high, _ in present)) / sources
    return Estimate(value, value - below, value + above, sum(n for _, _, _, n in present))


def shown(estimate: Estimate) -> Estimate:
    """Return the estimate as people may see it: only n where n < SMALL_GROUP."""
    return estimate if estimate.n >= SMALL_GROUP else Estimate(None, None, None, estimate.n)


def _counts(hist: Histogram, lowest: int, highest: int) -> dict[int, int]:
    """Return the histogram with whole answers as keys, empty boxes left out."""
    counts: dict[int, int] = {}
    for key, count in hist.items():
        if not count:
            continue
        answer = int(key)
        if answer != float(key) or not lowest <= answer <= highest:
            raise ValueError(f"answer {key!r} is not on the scale {lowest}..{highest}")
        counts[answer] = counts.get(answer, 0) + count
    _refuse_negative(counts.values())
    return counts


def _refuse_negative(counts: Iterable[int]) -> None:
    if any(count < 0 for count in counts):
        raise ValueError("a count is never negative")


def _whole_mean(counts: Mapping[int, int], lowest: int, highest: int) -> Estimate:
    n = sum(counts.values())
    total = sum(answer * count for answer, count in counts.items())
    squares = sum(answer * answer * count for answer, count in counts.items())
    return mean_of_moments(n, total, squares, lowest, highest)


def _scaled(estimate: Estimate, factor: float, top: float) -> Estimate:
    if estimate.value is None:
        return estimate
    value, low, high, n = _known(estimate)
    return Estimate(min(top, factor * value), min(top, factor * low), min(top, factor * high), n)


def _known(estimate: Estimate) -> tuple[float, float, float, int]:
    """Return the four numbers of an estimate that is there, bounds that are missing drawn to the value."""
    value = estimate.value
    assert value is not None
    low = value if estimate.low is None else estimate.low
    high = value if estimate.high is None else estimate.high
    return value, low, high, estimate.n


def _estimate(value: float, interval: Interval, n: int, scale: float = 1.0) -> Estimate:
    """Join value and interval (times scale), the value never outside its bounds by a rounding error."""
    low, high = (bound * scale for bound in interval)
    return Estimate(value, min(low, value), max(high, value), n)


def _nothing() -> Estimate:
    return Estimate(None, None, None, 0)


__all__: Sequence[str] = (
    "SMALL_GROUP",
    "TOP_BOXES",
    "Estimate",
    "Histogram",
    "ces",
    "csat",
    "csat_of",
    "mean_of_moments",
    "mean_of_sources",
    "mean_sentiment",
    "nps",
    "pooled_checklist",
    "pooled_checklist_of_sums",
    "share",
    "shown",
    "smiley_index",
    "smiley_index_of",
)
