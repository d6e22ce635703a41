"""The emotion curve down a phone's screen, a row for every stage."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.chart_data import SourceLine, StagePoint, Words, is_shown, known
from analysis.charts import theme
from analysis.charts.drawing import ChartFigure, Drawing
from analysis.charts.emotion_lines import (
    Plot,
    draw_before,
    draw_interval,
    draw_keys,
    draw_line,
    draw_sources,
    keys_of,
    place_keys,
    write_figures,
)

_NAMES = 132.0
_LINE = 16.0


def draw_narrow(stages: Sequence[StagePoint], words: Words, sources: Sequence[SourceLine]) -> ChartFigure:
    """Draw the stages as rows from top to bottom, the scale from left to right, the figures beside the names."""
    row, top = 16 + _LINE * max(len(_lines(stage, words)) for stage in stages), 34.0
    left, right = _NAMES + 16, theme.NARROW_PX - 18.0
    bottom = top + row * len(stages)
    keys = keys_of(stages, sources, words)
    foot = 32 + 20 * place_keys(keys, theme.NARROW_PX)[-1][1] if keys else 4
    drawing = Drawing(theme.NARROW_PX, bottom + foot)
    plot = Plot(
        drawing,
        lambda stage, value: (left + (right - left) * value / 100, top + (stage + 0.5) * row),
        across=False,
    )
    _ground_narrow(drawing, len(stages), (left, right), (top, row), words)
    draw_before(plot, stages)
    draw_interval(plot, stages)
    draw_sources(plot, sources)
    draw_line(plot, stages)
    for position, stage in enumerate(stages):
        _stage_narrow(plot, position, stage, words)
    draw_keys(drawing, keys, bottom + 24)
    return drawing.figure


def _ground_narrow(
    drawing: Drawing,
    rows: int,
    across: tuple[float, float],
    down: tuple[float, float],
    words: Words,
) -> None:
    (left, right), (top, row) = across, down
    third, height = (right - left) * 0.4, row * rows
    drawing.rectangle(left - 12, top, third + 12, height, theme.ALARM, opacity=0.05)
    drawing.rectangle(right - third, top, third + 12, height, theme.ACCENT, opacity=0.05)
    for part in (0.0, 0.5, 1.0):
        x = left + (right - left) * part
        drawing.line([(x, top), (x, top + height)], theme.LINE, 1.0)
    for number in range(1, rows):
        drawing.line([(0, top + number * row), (theme.NARROW_PX, top + number * row)], theme.LINE, 1.0)
    drawing.face(left, 16, theme.ALARM, happy=False)
    drawing.face(right, 16, theme.ACCENT, happy=True)
    drawing.text(left + 15, 20.5, words.number(0), size=theme.SMALL, colour=theme.MUTED)
    drawing.text((left + right) / 2, 20.5, words.number(50), size=theme.SMALL, colour=theme.MUTED, align="center")
    drawing.text(right - 15, 20.5, words.number(100), size=theme.SMALL, colour=theme.MUTED, align="right")


def _lines(stage: StagePoint, words: Words) -> list[str]:
    """Return the lines beside a row: the name, the figures or that there are too few, n; the figures as ""."""
    figures = [""] if is_shown(stage.estimate) else theme.wrap(words.too_few, _NAMES, size=theme.SMALL)
    return [*theme.wrap(stage.label, _NAMES, size=13), *figures, words.size(stage.estimate.n)]


def _stage_narrow(plot: Plot, position: int, stage: StagePoint, words: Words) -> None:
    """Write all that a row says to its left: over the curve no figure would find a quiet place."""
    drawing = plot.drawing
    middle = plot.place(position, 0)[1]
    name = theme.wrap(stage.label, _NAMES, size=13)
    lines = _lines(stage, words)
    y = middle + 12 - _LINE * len(lines) / 2
    for number, line in enumerate(lines):
        if line:
            size, colour = (13, theme.INK) if number < len(name) else (theme.SMALL, theme.MUTED)
            drawing.text(0, y + _LINE * number, line, size=size, colour=colour)
        else:
            write_figures(drawing, 0, y + 1 + _LINE * number, stage, words, align="left")
    if is_shown(stage.estimate):
        x, y = plot.place(position, known(stage.estimate)[0])
        few = stage.estimate.n < theme.FEW
        drawing.mark(x, y, theme.ACCENT, size=12, hollow=few, link=stage.link(words))
