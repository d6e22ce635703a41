"""The emotion curve across the page, its columns those of the journey map's grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.charts import theme
from analysis.charts.drawing import ChartFigure, Drawing
from analysis.charts.emotion_lines import (
    Plot,
    SourceLine,
    StagePoint,
    draw_before,
    draw_interval,
    draw_keys,
    draw_line,
    draw_sources,
    keys_of,
    place_keys,
    write_figures,
)
from analysis.charts.theme import Words, is_shown, known

WIDE_PX = 1040


def draw_wide(stages: Sequence[StagePoint], words: Words, sources: Sequence[SourceLine], labels: bool) -> ChartFigure:
    """Draw the stages as N equal columns over the whole width, their points in the middle."""
    column = WIDE_PX / len(stages)
    # Among many lines a value has no quiet place at its point: then the values stand in a row on top.
    top = (32.0 if labels else 0.0) + (58.0 if sources else 46.0)
    bottom = top + (220.0 if sources else 160.0)
    room = column / 2 - 25
    keys = [] if _names_fit(sources, room) else keys_of(stages, sources, words)
    foot = 26 + 20 * place_keys(keys, WIDE_PX)[-1][1] if keys else 0
    drawing = Drawing(WIDE_PX, bottom + 62 + foot)
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
    for position in range(len(stages)):
        _stage_wide(plot, stages, position, words, row=top - 36 if sources else None)
    if keys:
        draw_keys(drawing, keys, bottom + 80)
    else:
        _ends_wide(plot, stages, sources, words, room)
    return drawing.figure


def _names_fit(sources: Sequence[SourceLine], room: float) -> bool:
    """Return whether every channel's name fits beside the end of its line."""
    lines = [line for source in sources for line in theme.wrap(source.label, room, size=theme.SMALL)]
    return not any(line.endswith("…") for line in lines)


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


def _stage_wide(plot: Plot, stages: Sequence[StagePoint], position: int, words: Words, row: float | None) -> None:
    """Write a stage's figures at its point or, where a `row` is given, at that height."""
    drawing, stage = plot.drawing, stages[position]
    middle, bottom = plot.place(position, 0)
    size = words.size(stage.estimate.n)
    if not is_shown(stage.estimate):
        y = plot.place(position, 50)[1]
        drawing.text(middle, y - 4, words.too_few, size=13, colour=theme.MUTED, align="center", halo=True)
        drawing.text(middle, y + 14, size, size=theme.SMALL, colour=theme.MUTED, align="center", halo=True)
        return
    drawing.text(middle, bottom + 52, size, size=theme.SMALL, colour=theme.MUTED, align="center")
    x, y = plot.place(position, known(stage.estimate)[0])
    link = stage.link(words)
    drawing.mark(x, y, theme.ACCENT, size=12, hollow=stage.estimate.n < theme.FEW, link=link)
    if row is not None:
        write_figures(drawing, x, row, stage, words, align="center")
        return
    first, second = _beside(plot, position, stages)
    number, interval = words.number(known(stage.estimate)[0]), words.interval(stage.estimate)
    drawing.text(x, first, number, size=theme.VALUE, bold=True, align="center", halo=True, link=link)
    drawing.text(x, second, interval, size=theme.SMALL, colour=theme.MUTED, align="center", halo=True)


def _beside(plot: Plot, position: int, stages: Sequence[StagePoint]) -> tuple[float, float]:
    """Return the baselines of a value and its interval: outside the band, unless that is too far from the point."""
    value, low, high = (plot.place(position, v)[1] for v in known(stages[position].estimate))
    if _stands_above(stages, position):
        edge = high if value - high < 30 else value
        return min(edge - 7, value - 13) - 15, min(edge - 7, value - 13)
    edge = low if low - value < 30 else value
    first = max(edge + 18, value + 25)
    return first, first + 15


def _stands_above(stages: Sequence[StagePoint], position: int) -> bool:
    """Return whether a value's label has more air above its point: on peaks and slopes, not in valleys."""
    value = known(stages[position].estimate)[0]
    around = [
        known(stages[i].estimate)[0]
        for i in (position - 1, position + 1)
        if 0 <= i < len(stages) and is_shown(stages[i].estimate)
    ]
    if value < 22:
        return True
    return not around or value >= sum(around) / len(around)


@dataclass(frozen=True, slots=True)
class _End:
    """Where a line ends, and the name and colour of what it shows."""

    x: float
    y: float
    label: str
    colour: str


def _ends_wide(
    plot: Plot, stages: Sequence[StagePoint], sources: Sequence[SourceLine], words: Words, room: float
) -> None:
    """Name every line at its end, the names moved apart where two ends lie close."""
    _before_within(plot, stages, words)
    free: dict[float, float] = {}
    for end in sorted(_ends(plot, stages, sources, words), key=lambda end: end.y):
        lines = theme.wrap(end.label, room, size=theme.SMALL)
        y = max(end.y + 4 - 6.5 * (len(lines) - 1), free.get(end.x, 0.0))
        free[end.x] = y + 13 * len(lines) + 2
        plot.drawing.line([(end.x + 7, end.y), (end.x + 20, y - 4 + 6.5 * (len(lines) - 1))], end.colour, 1.0)
        for number, line in enumerate(lines):
            plot.drawing.text(end.x + 23, y + 13 * number, line, size=theme.SMALL, colour=theme.INK, halo=True)


def _before_within(plot: Plot, stages: Sequence[StagePoint], words: Words) -> None:
    """Name the period before amid the curve where it ends before the last stage does."""
    present = [i for i, stage in enumerate(stages) if stage.before is not None]
    if not words.before or not present or present[-1] == len(stages) - 1:
        return
    # Between two stages, on the side the curve itself leaves free.
    pair = [i for i in (present[-1] - 1, present[-1]) if i in present]
    value = sum(stages[i].before or 0.0 for i in pair) / len(pair)
    own = [known(stages[i].estimate)[0] for i in pair if is_shown(stages[i].estimate)]
    below = bool(own) and sum(own) / len(own) > value
    x, y = plot.place(sum(pair) / len(pair), value)
    y += 18 if below else -8
    plot.drawing.text(x, y, words.before, size=theme.SMALL, colour=theme.MUTED, align="center", halo=True)


def _ends(plot: Plot, stages: Sequence[StagePoint], sources: Sequence[SourceLine], words: Words) -> Iterator[_End]:
    last = stages[-1].before
    if words.before and last is not None:
        yield _End(*plot.place(len(stages) - 1, last), words.before, theme.MUTED)
    for source in sources:
        drawn = [(i, known(e)[0]) for i, e in enumerate(source.estimates) if is_shown(e)]
        if drawn:
            colour, _ = theme.CHANNELS.get(source.channel, theme.OTHER_CHANNEL)
            yield _End(*plot.place(*drawn[-1]), source.label, colour)
