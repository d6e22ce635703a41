"""The emotion curve: how shoppers feel along the journey, stage by stage, from 0 to 100."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.chart_data import SourceLine, StagePoint, Width, Words
from analysis.charts.drawing import ChartFigure
from analysis.charts.emotion_narrow import draw_narrow
from analysis.charts.emotion_wide import draw_wide


def emotion_curve(
    stages: Sequence[StagePoint],
    words: Words,
    sources: Sequence[SourceLine] = (),
    *,
    labels: bool = True,
    width: Width = "wide",
) -> ChartFigure:
    """Draw the emotion along the stages, with its interval, the period before and, where given, each channel.

    Wide, every stage has a column of exactly 1/N of the width, its point in the middle, so that a grid of N equal
    columns fits beneath; `labels` writes the stages' names on top. Narrow, the journey runs downwards.
    Raises ValueError without stages or where a source has another number of them.
    """
    if not stages or any(len(source.estimates) != len(stages) for source in sources):
        raise ValueError("a curve has stages, and every source an estimate for each of them")
    return draw_wide(stages, words, sources, labels) if width == "wide" else draw_narrow(stages, words, sources)
