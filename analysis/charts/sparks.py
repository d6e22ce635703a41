"""Spark lines: the recent course of one measure, small enough for a tile."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.chart_data import Width, is_shown, known
from analysis.charts import theme
from analysis.charts.curve import Bezier, Point, runs
from analysis.charts.drawing import ChartFigure, Drawing
from analysis.metrics import Estimate

_SIZES: dict[Width, tuple[float, float]] = {"wide": (160, 40), "narrow": (96, 32)}
_MARGIN = 5.0


def spark(
    estimates: Sequence[Estimate | None], *, scale: tuple[float, float] = (0, 100), width: Width = "wide"
) -> ChartFigure:
    """Draw a tiny line with its interval as a band and a dot at the last period, on the measure's full scale.

    None and periods with fewer than five answers leave a gap; steps that touch fewer than thirty are dashed.
    """
    drawing = Drawing(*_SIZES[width])
    span = max(1, len(estimates) - 1)
    step = (drawing.width - 2 * _MARGIN) / span
    height = drawing.height - 2 * _MARGIN

    def at(position: int, value: float) -> Point:
        part = (value - scale[0]) / (scale[1] - scale[0])
        return _MARGIN + position * step, _MARGIN + height * (1 - part)

    drawing.line([at(0, scale[0]), at(span, scale[0])], theme.LINE, 1.0)
    shown = {i: known(e) for i, e in enumerate(estimates) if e is not None and is_shown(e)}
    for run in runs([i in shown for i in range(len(estimates))]):
        if len(run) == 1:
            drawing.mark(*at(run[0], shown[run[0]][0]), theme.ACCENT, size=4)
            continue
        high = [_straight(at(i, shown[i][2]), at(i + 1, shown[i + 1][2])) for i in run[:-1]]
        low = [_straight(at(i, shown[i][1]), at(i + 1, shown[i + 1][1])) for i in run[:-1]]
        drawing.band(high, low, theme.ACCENT)
        for i in run[:-1]:
            few = min(_size(estimates[i]), _size(estimates[i + 1])) < theme.FEW
            ends = [at(i, shown[i][0]), at(i + 1, shown[i + 1][0])]
            drawing.line(ends, theme.ACCENT, 1.6, dashed=few)
    last = len(estimates) - 1
    if last in shown:
        drawing.mark(*at(last, shown[last][0]), theme.ACCENT, size=7)
    return drawing.figure


def _size(estimate: Estimate | None) -> int:
    return estimate.n if estimate is not None else 0


def _straight(start: Point, end: Point) -> Bezier:
    return start, start, end, end
