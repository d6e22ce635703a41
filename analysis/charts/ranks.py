"""Stores or touchpoints one beneath the other: a dot with its interval, the numbers beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.chart_data import RankedRow, Reference, Width, Words, is_shown, known
from analysis.charts import theme
from analysis.charts.drawing import ChartFigure, Drawing


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The measures of a sheet: where the scale runs and how high a row is."""

    left: float
    right: float
    row: float
    top: float
    scale: tuple[float, float]

    def x(self, value: float) -> float:
        """Return where a value lies on the scale, in px."""
        part = (value - self.scale[0]) / (self.scale[1] - self.scale[0])
        return self.left + (self.right - self.left) * part


def ranked_stores(
    rows: Sequence[RankedRow],
    words: Words,
    *,
    scale: tuple[float, float] = (0, 100),
    reference: Reference | None = None,
    width: Width = "wide",
) -> ChartFigure:
    """Draw stores from the highest value to the lowest; those with too few answers come last, without a dot."""
    ranked = sorted(rows, key=lambda row: -known(row.estimate)[0] if is_shown(row.estimate) else float("inf"))
    return touchpoint_rows(ranked, words, scale=scale, reference=reference, width=width)


def touchpoint_rows(
    rows: Sequence[RankedRow],
    words: Words,
    *,
    scale: tuple[float, float] = (0, 100),
    reference: Reference | None = None,
    width: Width = "wide",
) -> ChartFigure:
    """Draw rows in the order given, such as touchpoints along the journey: a dot on the full scale, its interval."""
    return _wide(rows, words, scale, reference) if width == "wide" else _narrow(rows, words, scale, reference)


def _wide(
    rows: Sequence[RankedRow], words: Words, scale: tuple[float, float], reference: Reference | None
) -> ChartFigure:
    names = min(280.0, 12 + max((theme.text_width(theme.clean(row.label)) for row in rows), default=0.0))
    figures = 12 + max((_figures_width(row, words) for row in rows), default=0.0)
    ranks = max((theme.text_width(row.ranks, 13) for row in rows), default=0.0)
    right = theme.WIDE_PX - figures - (ranks + 20 if ranks else 0)
    sheet = _Sheet(names + 8, right, 30.0, 34.0, scale)
    drawing = Drawing(theme.WIDE_PX, sheet.top + sheet.row * len(rows) + 6)
    _scale(drawing, sheet, len(rows), words, reference)
    for number, row in enumerate(rows):
        y = sheet.top + (number + 0.5) * sheet.row
        name = theme.shorten(row.label, names - 4)
        drawing.text(0, y + 5, name, link=row.link(words), bold=row.alarm)
        _dot(drawing, sheet, y, row, words)
        _figures(drawing, right + 12, y + 5, row, words)
        drawing.text(theme.WIDE_PX, y + 5, row.ranks, size=13, colour=theme.MUTED, align="right")
    return drawing.figure


def _narrow(
    rows: Sequence[RankedRow], words: Words, scale: tuple[float, float], reference: Reference | None
) -> ChartFigure:
    sheet = _Sheet(8, theme.NARROW_PX - 8, 58.0, 34.0, scale)
    drawing = Drawing(theme.NARROW_PX, sheet.top + sheet.row * len(rows) + 6)
    _scale(drawing, sheet, len(rows), words, reference)
    for number, row in enumerate(rows):
        y = sheet.top + number * sheet.row
        taken = _figures_width(row, words)
        name = theme.shorten(row.label, theme.NARROW_PX - taken - 14)
        drawing.text(0, y + 20, name, link=row.link(words), bold=row.alarm, halo=True)
        _figures(drawing, theme.NARROW_PX - taken, y + 20, row, words)
        _dot(drawing, sheet, y + 36, row, words)
        _ranks_narrow(drawing, sheet, y + 40.5, row)
    return drawing.figure


def _ranks_narrow(drawing: Drawing, sheet: _Sheet, y: float, row: RankedRow) -> None:
    """Write the ranks on the dot's own line, on the side the interval leaves free."""
    if not row.ranks or not is_shown(row.estimate):
        return
    _, low, _ = known(row.estimate)
    fits_left = sheet.x(low) - 16 > theme.text_width(row.ranks, theme.SMALL)
    x = 0.0 if fits_left else theme.NARROW_PX
    align = "left" if fits_left else "right"
    drawing.text(x, y, row.ranks, size=theme.SMALL, colour=theme.MUTED, align=align, halo=True)  # type: ignore[arg-type]


def _scale(drawing: Drawing, sheet: _Sheet, rows: int, words: Words, reference: Reference | None) -> None:
    """Draw the full scale: its ends, its middle, the rows' guides and the reference."""
    bottom = sheet.top + rows * sheet.row
    low, high = sheet.scale
    narrow = drawing.width == theme.NARROW_PX
    for value in (low, (low + high) / 2, high):
        x = sheet.x(value)
        if not narrow:
            drawing.line([(x, sheet.top - 2), (x, bottom)], theme.LINE, 1.0)
        if not _collides(sheet, value, words.number(value), reference):
            half = theme.text_width(words.number(value), theme.SMALL) / 2
            middle = min(max(x, half), drawing.width - half)
            drawing.text(middle, 24, words.number(value), size=theme.SMALL, colour=theme.MUTED, align="center")
    for number in range(rows):
        y = sheet.top + number * sheet.row + (36 if narrow else sheet.row / 2)
        drawing.line([(sheet.left, y), (sheet.right, y)], theme.LINE, 1.0)
        for value in (low, (low + high) / 2, high) if narrow else ():
            drawing.line([(sheet.x(value), y - 4), (sheet.x(value), y + 4)], theme.LINE, 1.0)
    if reference is not None:
        x = sheet.x(reference.value)
        # On a phone the rows' words stand above the scale: there the line is only drawn beside the dots.
        dots = [sheet.top + number * sheet.row + 36 for number in range(rows)]
        for top, foot in [(y - 10, y + 10) for y in dots] if narrow else [(sheet.top - 4, bottom)]:
            drawing.line([(x, top), (x, foot)], theme.INK, 1.2, dashed=True)
        half = theme.text_width(reference.label, theme.SMALL) / 2
        middle = min(max(x, sheet.left + half), drawing.width - half - 2)
        drawing.text(middle, 24, reference.label, size=theme.SMALL, align="center", halo=True)


def _collides(sheet: _Sheet, value: float, text: str, reference: Reference | None) -> bool:
    if reference is None:
        return False
    room = (theme.text_width(reference.label, theme.SMALL) + theme.text_width(text, theme.SMALL)) / 2 + 6
    return abs(sheet.x(value) - sheet.x(reference.value)) < room


def _dot(drawing: Drawing, sheet: _Sheet, y: float, row: RankedRow, words: Words) -> None:
    if not is_shown(row.estimate):
        return
    value, low, high = known(row.estimate)
    few = row.estimate.n < theme.FEW
    colour = theme.ALARM if row.alarm else theme.ACCENT
    left, right = sheet.x(low), sheet.x(high)
    drawing.rectangle(left, y - 5, right - left, 10, colour, opacity=theme.BAND_OPACITY, radius=5)
    drawing.line([(left, y), (right, y)], colour, 2.0, dashed=few)
    drawing.mark(sheet.x(value), y, colour, size=11, hollow=few, link=row.link(words))


def _figures(drawing: Drawing, x: float, y: float, row: RankedRow, words: Words) -> None:
    if not is_shown(row.estimate):
        text = f"{words.too_few}, {words.size(row.estimate.n)}"
        drawing.text(x, y, text, size=13, colour=theme.MUTED, halo=True)
        return
    number = words.number(known(row.estimate)[0])
    drawing.text(x, y, number, bold=True, colour=theme.ALARM if row.alarm else theme.INK, halo=True)
    after = x + theme.text_width(number, bold=True) + 6
    drawing.text(after, y, _aside(row, words), size=theme.SMALL, colour=theme.MUTED, halo=True)


def _figures_width(row: RankedRow, words: Words) -> float:
    if not is_shown(row.estimate):
        return theme.text_width(f"{words.too_few}, {words.size(row.estimate.n)}", 13)
    number = words.number(known(row.estimate)[0])
    return theme.text_width(number, bold=True) + 6 + theme.text_width(_aside(row, words), theme.SMALL)


def _aside(row: RankedRow, words: Words) -> str:
    return f"({words.interval(row.estimate)}), {words.size(row.estimate.n)}"
