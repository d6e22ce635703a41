"""Which hour of the week stands out, among so many that some look bad by chance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from analysis.metrics import Estimate

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Hour:
    """An hour of a weekday (Monday = 1) with its mean answer."""

    weekday: int
    hour: int
    estimate: Estimate


def widening(compared: int) -> float:
    """Return by how much an interval grows when it is one of many compared (Bonferroni's correction)."""
    normal = NormalDist()
    alone = normal.inv_cdf(1 - (1 - CONFIDENCE) / 2)
    return normal.inv_cdf(1 - (1 - CONFIDENCE) / 2 / max(1, compared)) / alone


def lowest(hours: Iterable[Hour]) -> Hour | None:
    """Return the lowest of the hours that lie below the mean of all beyond chance; None where none does.

    Each interval is widened for the number of hours compared, so that one week in twenty, not one hour in twenty,
    names an hour that is like the others.
    """
    shown = [hour for hour in hours if hour.estimate.value is not None]
    n = sum(hour.estimate.n for hour in shown)
    if not n:
        return None
    mean = sum(_value(hour) * hour.estimate.n for hour in shown) / n
    factor = widening(len(shown))
    below = [hour for hour in shown if _value(hour) + factor * (_high(hour) - _value(hour)) < mean]
    return min(below, key=_value, default=None)


def _value(hour: Hour) -> float:
    assert hour.estimate.value is not None
    return hour.estimate.value


def _high(hour: Hour) -> float:
    return _value(hour) if hour.estimate.high is None else hour.estimate.high
