"""Where a label stands free: beside what is drawn, never on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from analysis.charts.curve import Bezier, Point

_STEPS = 32
_AGAINST = 14.0
"""How many px farther from its point a label may stand to lie on the side where the curve leaves room."""

Span = tuple[float, float]


@dataclass
class Taken:
    """What stands on a sheet already, each thing as a trace of points in px."""

    traces: list[list[Point]] = field(default_factory=list)

    def add(self, pieces: Sequence[Bezier]) -> None:
        """Remember a drawn curve."""
        self.traces.append([_at(piece, step / _STEPS) for piece in pieces for step in range(_STEPS + 1)])

    def add_points(self, points: Iterable[Point]) -> None:
        """Remember a shape by its corners."""
        self.traces.append(list(points))

    def within(self, left: float, right: float) -> list[Span]:
        """Return the height, top to bottom, that each thing takes between two x."""
        found: list[Span] = []
        for trace in self.traces:
            heights = [y for x, y in trace if left <= x <= right]
            if heights:
                found.append((min(heights), max(heights)))
        return found


def free_top(point: Span, height: float, taken: Sequence[Span], *, gap: float = 6.0, above: bool = True) -> float:
    """Return the top of a label of some height above or below a point, clear of all that is taken by `gap` px.

    The nearer side wins; where both are about as near, the one that `above` prefers.
    """
    up = _beyond(point, height, taken, gap, upwards=True)
    down = _beyond(point, height, taken, gap, upwards=False)
    far_up, far_down = point[0] - (up + height), down - point[1]
    far_up, far_down = (far_up, far_down + _AGAINST) if above else (far_up + _AGAINST, far_down)
    return up if far_up <= far_down else down


def _beyond(point: Span, height: float, taken: Sequence[Span], gap: float, *, upwards: bool) -> float:
    """Return the nearest free top in one direction, one taken height after another stepped over."""
    top = point[0] - gap - height if upwards else point[1] + gap
    for low, high in sorted(taken, key=lambda span: -span[1] if upwards else span[0]):
        if top < high + gap and top + height > low - gap:
            top = low - gap - height if upwards else high + gap
    return top


def _at(piece: Bezier, t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x, y = (sum(weight * point[axis] for weight, point in zip(weights, piece, strict=True)) for axis in (0, 1))
    return x, y
