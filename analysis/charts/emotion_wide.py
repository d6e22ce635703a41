"""The emotion curve across the page, its columns those of the journey map's grid."""

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
    taken_by,
    write_figures,
)
from analysis.charts.labels import Taken, free_top

WIDE_PX = 1040


def draw_wide(stages: Sequence[StagePoint], words: Words, sources: Sequence[SourceLine], labels: bool) -> ChartFigure:
    """Draw the stages as N equal columns over the whole width, their points in the middle."""
    column = WIDE_PX / len(stages)
    # Among many lines a value has no quiet place at its point: then the values stand in a row on top.
    top = (32.0 if labels else 0.0) + (58.0 if sources else 46.0)
    bottom = top + (220.0 if sources else 160.0)
    named = _named_at_ends(sources, column / 2 - 25)
    keys = keys_of(stages, () if named else sources, words)
    foot = 26 + 20 * place_keys(keys, WIDE_PX)[-1][1] if keys else 0
    drawing = Drawing(WIDE_PX, bottom + 66 + foot)
    plot = Plot(
        drawing,
        lambda stage, value: ((stage + 0.5) * column, bottom - (bottom - top) * value / 100),
        across=True,
    )
    _ground_wide(drawing, len(stages), top, bottom, words)
    if labels:
        _names_wide(drawing, stages, column)
    draw_before(plot, stages)
    draw_interval(plot, stages)
    draw_sources(plot, sources)
    draw_line(plot, stages)
    taken = taken_by(plot, stages)
    for position in range(len(stages)):
        _stage_wide(plot, stages, position, words, taken, row=top - 36 if sources else None)
    draw_keys(drawing, keys, bottom + 84)
    if named:
        _ends_wide(plot, sources, column / 2 - 25)
    return drawing.figure


def _named_at_ends(sources: Sequence[SourceLine], room: float) -> bool:
    """Return whether every channel's name fits beside the end of its line, and all lines end at the last stage."""
    names = [theme.wrap(source.label, room, size=theme.SMALL) for source in sources]
    fit = not any(line.endswith("…") for name in names for line in name) and sum(map(len, names)) < 12
    return bool(sources) and fit and all(is_shown(source.estimates[-1]) for source in sources)


def _names_wide(drawing: Drawing, stages: Sequence[StagePoint], column: float) -> None:
    for position, stage in enumerate(stages):
        for number, line in enumerate(theme.wrap(stage.label, column - 12, bold=True)):
            drawing.text((position + 0.5) * column, 14 + 16 * number, line, align="center", bold=True)


def _ground_wide(drawing: Drawing, columns: int, top: float, bottom: float, words: Words) -> None:
    """Lay the ground: a warm zone below, a cool one above, column rules, faces at the ends of the scale."""
    height, pad = bottom - top, 30.0
    drawing.rectangle(0, top - pad, WIDE_PX, pad + height * 0.4, theme.ACCENT, opacity=0.05)
    drawing.rectangle(0, bottom - height * 0.4, WIDE_PX, height * 0.4 + pad, theme.ALARM, opacity=0.05)
    for part in (0.0, 0.5, 1.0):
        y = bottom - height * part
        drawing.line([(0, y), (WIDE_PX, y)], theme.LINE, 1.0)
        drawing.text(36 if part != 0.5 else 8, y + 4.5, words.number(100 * part), size=theme.SMALL, colour=theme.MUTED)
    for number in range(1, columns):
        x = WIDE_PX * number / columns
        drawing.line([(x, top - pad), (x, bottom + pad)], theme.LINE, 1.0)
    drawing.face(18, top, theme.ACCENT, happy=True)
    drawing.face(18, bottom, theme.ALARM, happy=False)


def _stage_wide(
    plot: Plot, stages: Sequence[StagePoint], position: int, words: Words, taken: Taken, row: float | None
) -> None:
    """Write a stage's figures beside its point or, where a `row` is given, at that height."""
    drawing, stage = plot.drawing, stages[position]
    middle, bottom = plot.place(position, 0)
    size = words.size(stage.estimate.n)
    if not is_shown(stage.estimate):
        y = plot.place(position, 50)[1]
        half = max(theme.text_width(words.too_few, 13), theme.text_width(size, theme.SMALL)) / 2
        top = free_top((y + 14, y + 14), 32, taken.within(middle - half, middle + half))
        drawing.text(middle, top + 11, words.too_few, size=13, colour=theme.MUTED, align="center", halo=True)
        drawing.text(middle, top + 28, size, size=theme.SMALL, colour=theme.MUTED, align="center", halo=True)
        return
    drawing.text(middle, bottom + 56, size, size=theme.SMALL, colour=theme.MUTED, align="center")
    x, y = plot.place(position, known(stage.estimate)[0])
    link = stage.link(words)
    drawing.mark(x, y, theme.ACCENT, size=12, hollow=stage.estimate.n < theme.FEW, link=link)
    if row is not None:
        write_figures(drawing, x, row, stage, words, align="center")
        return
    number, interval = words.number(known(stage.estimate)[0]), words.interval(stage.estimate)
    half = max(theme.text_width(number, theme.VALUE, bold=True), theme.text_width(interval, theme.SMALL)) / 2
    span = taken.within(x - half - 4, x + half + 4)
    top = free_top((y - 6, y + 6), 30, span, above=_stands_above(stages, position))
    drawing.text(x, top + 12, number, size=theme.VALUE, bold=True, align="center", halo=True, link=link)
    drawing.text(x, top + 27, interval, size=theme.SMALL, colour=theme.MUTED, align="center", halo=True)


def _stands_above(stages: Sequence[StagePoint], position: int) -> bool:
    """Return whether a value's label has more air above its point: on peaks and slopes, not in valleys."""
    value = known(stages[position].estimate)[0]
    around = [
        known(stages[i].estimate)[0]
        for i in (position - 1, position + 1)
        if 0 <= i < len(stages) and is_shown(stages[i].estimate)
    ]
    return not around or value >= sum(around) / len(around)


def _ends_wide(plot: Plot, sources: Sequence[SourceLine], room: float) -> None:
    """Name every channel at the end of its line, the names moved apart where two ends lie close."""
    free = 0.0
    position = len(sources[0].estimates) - 1
    ends = [(plot.place(position, known(source.estimates[-1])[0]), source) for source in sources]
    for (x, y), source in sorted(ends, key=lambda end: end[0][1]):
        lines = theme.wrap(source.label, room, size=theme.SMALL)
        at = max(y + 4 - 6.5 * (len(lines) - 1), free)
        free = at + 13 * len(lines) + 2
        colour, _ = theme.CHANNELS.get(source.channel, theme.OTHER_CHANNEL)
        plot.drawing.line([(x + 7, y), (x + 20, at - 4 + 6.5 * (len(lines) - 1))], colour, 1.0)
        for number, line in enumerate(lines):
            plot.drawing.text(x + 23, at + 13 * number, line, size=theme.SMALL, colour=theme.INK, halo=True)
