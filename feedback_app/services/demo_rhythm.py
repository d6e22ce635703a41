"""How the demo chain lives: when people come, how they feel, which store slips and which recovers."""

from __future__ import annotations

import random
from dataclasses import dataclass

HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 8, 10, 9, 7, 7, 9, 13, 15, 12, 8, 5, 3, 1)
"""How many come in each hour of the day, relative: a lunch hour and an evening rush."""
WEEKDAYS = (9, 9, 9, 10, 13, 14, 11)
"""How many come on each day of the week, Monday first."""
TOUCHPOINTS = {"entrance": 12, "shelf": 18, "counter": 16, "checkout": 38, "exit": 16}
"""How many tap at each touchpoint, relative."""

_MOOD_OF_TOUCHPOINT = {"entrance": 0.25, "shelf": 0.05, "counter": 0.2, "checkout": -0.25, "exit": 0.15}
_RUSH = frozenset({17, 18, 19})
SLIP_DAYS = 30
"""For how many last days the slipping store has been losing customers at the checkout."""


@dataclass(frozen=True)
class Mood:
    """What moves the mood of one store."""

    base: float
    slips: bool = False
    recovers: bool = False


def moods(stores: int, rng: random.Random) -> list[Mood]:
    """Return the mood of each store; with three stores or more the last but one slips and the third recovers."""
    bases = [rng.gauss(0.75, 0.16) for _ in range(stores)]
    return [
        Mood(base, slips=stores >= 3 and number == stores - 2, recovers=stores >= 3 and number == 2)
        for number, base in enumerate(bases)
    ]


def mood_at(mood: Mood, touchpoint: str, days_ago: int, days: int, hour: int, weekday: int) -> float:
    """Return the mean mood at a touchpoint at a time, in standard deviations of a single shopper."""
    value = mood.base + _MOOD_OF_TOUCHPOINT.get(touchpoint, 0)
    if touchpoint == "checkout" and hour in _RUSH:
        value -= 0.45 if weekday < 5 else 0.3
    if mood.slips and days_ago <= min(SLIP_DAYS, days // 3):
        value -= 0.95 if touchpoint == "checkout" else 0.25
    if mood.recovers:
        value -= 0.8 * min(1, max(0, (days_ago - days / 6) / max(1, days / 2)))
    return value


def smiley(level: float, size: int) -> int:
    """Return the button that a shopper in a mood presses, 1 (worst) to `size`."""
    cuts = {4: (-1.3, -0.45, 0.75), 5: (-1.5, -0.7, 0.0, 0.9)}[size]
    return 1 + sum(level > cut for cut in cuts)


def scale(level: float, low: int, high: int) -> int:
    """Return an answer on a scale for a mood; a mood of 0.75 lies at seven tenths of the scale."""
    share = 0.58 + 0.2 * level
    return max(low, min(high, round(low + share * (high - low))))
