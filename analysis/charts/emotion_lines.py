"""What both forms of the emotion curve share: stages, channels, and the lines and bands between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from analysis.chart_data import SourceLine, StagePoint, Words, is_shown, known
from analysis.charts import theme
from analysis.charts.curve import Bezier, Point, halves, runs, smooth
from analysis.charts.drawing import Drawing
from analysis.charts.labels import Taken

BEFORE_WIDTH = 1.2


@dataclass(frozen=True, slots=True)
class Plot:
    """Where a stage and a value lie on the sheet; `place` is given the stage's position and the value."""

    drawing: Drawing
    place: Callable[[float, float], Point]
    across: bool

    def pieces(self, positions: Sequence[int], values: Sequence[float]) -> list[Bezier]:
        """Return the smooth curve through values at the stages, in px."""
        along = smooth([(float(position), value) for position, value in zip(positions, values, strict=True)])
        return [tuple(self.place(*point) for point in piece) for piece in along]  # type: ignore[misc]


def taken_by(plot: Plot, stages: Sequence[StagePoint]) -> Taken:
    """Return what the curve, its band and the period before take up on the sheet."""
    taken = Taken()
    befores = [stage.before for stage in stages]
    for run in runs([value is not None for value in befores]):
        taken.add(plot.pieces(run, [befores[i] or 0.0 for i in run]))
    for run in runs([is_shown(stage.estimate) for stage in stages]):
        bounds = [known(stages[i].estimate) for i in run]
        edges = [plot.pieces(run, [bound[part] for bound in bounds]) for part in (1, 2)]
        taken.add(edges[0] + edges[1])
        for i, bound in zip(run, bounds, strict=True):
            taken.add_points(plot.place(i, value) for value in bound)
    return taken


def has_before(stages: Sequence[StagePoint], words: Words) -> bool:
    """Return whether there is a period before to draw and a word for it."""
    return bool(words.before) and any(stage.before is not None for stage in stages)


def draw_before(plot: Plot, stages: Sequence[StagePoint]) -> None:
    """Draw the period before as a thin grey line."""
    values = [stage.before for stage in stages]
    for run in runs([value is not None for value in values]):
        plot.drawing.curve(plot.pieces(run, [values[i] or 0.0 for i in run]), theme.MUTED, BEFORE_WIDTH)


def draw_interval(plot: Plot, stages: Sequence[StagePoint]) -> None:
    """Draw the interval as a band; where n < 30 its edges are dashed; a stage between gaps gets a bar."""
    for run in runs([is_shown(stage.estimate) for stage in stages]):
        bounds = [known(stages[i].estimate) for i in run]
        if len(run) == 1:
            low, high = plot.place(run[0], bounds[0][1]), plot.place(run[0], bounds[0][2])
            left, top = min(low[0], high[0]), min(low[1], high[1])
            spread = max(abs(high[0] - low[0]), abs(high[1] - low[1]))
            size = (14.0, spread) if plot.across else (spread, 14.0)
            corner = (left - 7, top) if plot.across else (left, top - 7)
            plot.drawing.rectangle(*corner, *size, theme.ACCENT, opacity=theme.BAND_OPACITY, radius=4)
            continue
        low_edge = plot.pieces(run, [low for _, low, _ in bounds])
        high_edge = plot.pieces(run, [high for _, _, high in bounds])
        plot.drawing.band(high_edge, low_edge, theme.ACCENT)
        few = [stages[i].estimate.n < theme.FEW for i in run]
        for edge in (low_edge, high_edge):
            for pieces, dashed in _manners(edge, few):
                if dashed:
                    plot.drawing.curve(pieces, theme.ACCENT, 1.0, dashed=True)


def draw_line(plot: Plot, stages: Sequence[StagePoint]) -> None:
    """Draw the curve itself, dashed where n < 30, broken where n < 5."""
    for run in runs([is_shown(stage.estimate) for stage in stages]):
        pieces = plot.pieces(run, [known(stages[i].estimate)[0] for i in run])
        few = [stages[i].estimate.n < theme.FEW for i in run]
        for part, dashed in _manners(pieces, few):
            plot.drawing.curve(part, theme.ACCENT, 2.6, dashed=dashed)


def _manners(pieces: Sequence[Bezier], few: Sequence[bool]) -> list[tuple[list[Bezier], bool]]:
    """Return the curve in stretches, dashed or not: half a piece belongs to the stage it touches."""
    found: list[tuple[list[Bezier], bool]] = []
    for number, piece in enumerate(pieces):
        for half, dashed in zip(halves(piece), few[number : number + 2], strict=True):
            if found and found[-1][1] == dashed:
                found[-1][0].append(half)
            else:
                found.append(([half], dashed))
    return found


def draw_sources(plot: Plot, sources: Sequence[SourceLine]) -> None:
    """Draw each channel as a thin line in its colour, with its marker."""
    for source in sources:
        colour, shape = theme.CHANNELS.get(source.channel, theme.OTHER_CHANNEL)
        for run in runs([is_shown(estimate) for estimate in source.estimates]):
            points = [plot.place(i, known(source.estimates[i])[0]) for i in run]
            for number, (start, end) in enumerate(pairwise(points)):
                few = min(source.estimates[run[number]].n, source.estimates[run[number + 1]].n) < theme.FEW
                plot.drawing.line([start, end], colour, 1.4, dashed=few)
            for point in points:
                plot.drawing.mark(*point, colour, size=theme.MARKERS[shape], shape=shape)


def write_figures(
    drawing: Drawing, x: float, y: float, stage: StagePoint, words: Words, *, align: Literal["left", "center"]
) -> None:
    """Write value and interval on one line that begins at x or, as far as it fits, has x in its middle."""
    number, interval = words.number(known(stage.estimate)[0]), f"({words.interval(stage.estimate)})"
    wide = theme.text_width(number, theme.VALUE, bold=True) + 5
    whole = wide + theme.text_width(interval, theme.SMALL)
    if align == "center":
        x = min(x - whole / 2, drawing.width - whole - 4)
    link = stage.link(words)
    drawing.text(x, y, number, size=theme.VALUE, bold=True, halo=True, link=link)
    drawing.text(x + wide, y, interval, size=theme.SMALL, colour=theme.MUTED, halo=True)


@dataclass(frozen=True, slots=True)
class Key:
    """What one line shows, to be named beneath the curve."""

    label: str
    colour: str
    shape: str = ""


def keys_of(stages: Sequence[StagePoint], sources: Sequence[SourceLine], words: Words) -> list[Key]:
    """Return the keys of the period before and of all channels."""
    before = [Key(words.before, theme.MUTED)] if has_before(stages, words) else []
    return before + [Key(source.label, *theme.CHANNELS.get(source.channel, theme.OTHER_CHANNEL)) for source in sources]


def place_keys(keys: Sequence[Key], width: float) -> list[tuple[float, int]]:
    """Return for every key its x in px and its line, as many on a line as the width holds."""
    places: list[tuple[float, int]] = []
    x, line = 0.0, 0
    for key in keys:
        wide = 30 + theme.text_width(key.label, theme.SMALL) + 18
        if x and x + wide > width:
            x, line = 0.0, line + 1
        places.append((x, line))
        x += wide
    return places


def draw_keys(drawing: Drawing, keys: Sequence[Key], top: float) -> None:
    """Name the lines beneath the curve, where there is no room at their ends."""
    for key, (x, line) in zip(keys, place_keys(keys, drawing.width), strict=True):
        y = top + 20 * line
        # The page's own rules run down behind the sheet: no name may stand on one.
        drawing.rectangle(x, y - 14, 34 + theme.text_width(key.label, theme.SMALL), 20, theme.PAPER)
        drawing.line([(x + 2, y - 4), (x + 24, y - 4)], key.colour, 1.4 if key.shape else BEFORE_WIDTH)
        if key.shape:
            drawing.mark(x + 13, y - 4, key.colour, size=theme.MARKERS[key.shape], shape=key.shape)
        drawing.text(x + 30, y, key.label, size=theme.SMALL)
