"""What changed, whether it is beyond chance, and how surely stores can be told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.metrics import SMALL_GROUP, Estimate

RankInterval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Change:
    """A difference, after minus before, with its interval; `beyond_chance` None where n is too small."""

    difference: float | None
    low: float | None
    high: float | None
    beyond_chance: bool | None


def change(before: Estimate, after: Estimate) -> Change:
    """Return the difference of two independent estimates and whether its 95 % interval leaves out zero.

    The interval is recovered from the two intervals (MOVER: Newcombe 1998 for shares; Zou & Donner 2008 for
    any parameter), so that one rule serves shares, NPS, means and pooled checklists, near the ends of a scale
    too. All None where a side has fewer than SMALL_GROUP answers.
    """
    old, new = _bounds(before), _bounds(after)
    if old is None or new is None:
        return Change(None, None, None, None)
    difference = new[0] - old[0]
    low = difference - math.hypot(new[0] - new[1], old[2] - old[0])
    high = difference + math.hypot(new[2] - new[0], old[0] - old[1])
    return Change(difference, low, high, not low <= 0 <= high)


def rank_intervals(estimates: Sequence[Estimate]) -> list[RankInterval | None]:
    """Return for every store the best and worst rank it may hold, rank 1 the highest value.

    The best rank counts the stores that are better beyond chance, the worst leaves out those that are worse
    beyond chance, every pair compared as in `change` at 95 % (no correction for the number of pairs). Stores
    with fewer than SMALL_GROUP answers get None and are not ranked.
    """
    ranked = [bounds for bounds in map(_bounds, estimates) if bounds is not None]
    stores = [(value, (value - low) ** 2, (high - value) ** 2) for value, low, high in ranked]
    intervals: list[RankInterval | None] = []
    for estimate in estimates:
        bounds = _bounds(estimate)
        intervals.append(None if bounds is None else _rank(bounds, stores))
    return intervals


def _rank(bounds: tuple[float, float, float], stores: Sequence[tuple[float, float, float]]) -> RankInterval:
    value, low, high = bounds
    below, above = (value - low) ** 2, (high - value) ** 2
    better = sum(1 for other, down, _ in stores if other > value and (other - value) ** 2 > down + above)
    worse = sum(1 for other, _, up in stores if other < value and (value - other) ** 2 > below + up)
    return 1 + better, len(stores) - worse


def _bounds(estimate: Estimate) -> tuple[float, float, float] | None:
    """Return (value, low, high), or None where too few answers stand behind them."""
    if estimate.n < SMALL_GROUP or estimate.value is None or estimate.low is None or estimate.high is None:
        return None
    return estimate.value, estimate.low, estimate.high
