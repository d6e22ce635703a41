"""Smooth curves that never overshoot: the geometry of the emotion curve, in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]
Bezier = tuple[Point, Point, Point, Point]


def smooth(points: Sequence[Point]) -> list[Bezier]:
    """Return the monotone cubic through points of rising x, a Bézier piece between every two.

    Fritsch & Butland 1984: the slope at a point is the weighted harmonic mean of its neighbours' and zero at a peak
    or valley, so that between two stages the curve never leaves their range and shows no feeling nobody had.
    """
    if len(points) < 2:
        return []
    steps = [b[0] - a[0] for a, b in pairwise(points)]
    rises = [(b[1] - a[1]) / step for (a, b), step in zip(pairwise(points), steps, strict=True)]
    inner = [_slope(*pair) for pair in zip(rises, rises[1:], steps, steps[1:], strict=False)]
    slopes = [rises[0], *inner, rises[-1]]
    return [
        (
            points[i],
            (points[i][0] + step / 3, points[i][1] + slopes[i] * step / 3),
            (points[i + 1][0] - step / 3, points[i + 1][1] - slopes[i + 1] * step / 3),
            points[i + 1],
        )
        for i, step in enumerate(steps)
    ]


def _slope(rise: float, next_rise: float, step: float, next_step: float) -> float:
    if rise * next_rise <= 0:
        return 0.0
    weight, next_weight = step + 2 * next_step, 2 * step + next_step
    return (weight + next_weight) / (weight / next_rise + next_weight / rise)


def halves(piece: Bezier) -> tuple[Bezier, Bezier]:
    """Return the two halves of a Bézier piece (de Casteljau), so that each may be drawn in its own manner."""
    a, b, c, d = piece
    ab, bc, cd = _middle(a, b), _middle(b, c), _middle(c, d)
    abc, bcd = _middle(ab, bc), _middle(bc, cd)
    joint = _middle(abc, bcd)
    return (a, ab, abc, joint), (joint, bcd, cd, d)


def backwards(pieces: Sequence[Bezier]) -> list[Bezier]:
    """Return the same curve, walked from its end to its start."""
    return [(d, c, b, a) for a, b, c, d in reversed(pieces)]


def runs(present: Sequence[bool]) -> list[range]:
    """Return the stretches without a gap, as ranges of positions."""
    found: list[range] = []
    start = None
    for position, here in enumerate([*present, False]):
        if here and start is None:
            start = position
        elif not here and start is not None:
            found.append(range(start, position))
            start = None
    return found


def _middle(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
