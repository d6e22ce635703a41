"""Counts as charts: a map of rows and columns with the number in every cell, and a distribution as bars from zero."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.chart_data import Bar, Width, Words
from analysis.charts import theme
from analysis.charts.drawing import ChartFigure, Drawing

PALEST = 0.12
"""How much of the accent a cell with the least has, so that one is told from none."""
BARS_PX = 150.0


def count_map(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[int]],
    words: Words,
    *,
    width: Width = "wide",
) -> ChartFigure:
    """Draw counts as cells of one colour, the darker the more; a cell of none stays empty.

    On narrow sheets a row's name stands above its cells. Raises ValueError where the cells do not fit.
    """
    if len(cells) != len(rows) or any(len(line) != len(columns) for line in cells):
        raise ValueError("a map of counts has a cell for every row and column")
    wide = width == "wide"
    whole = theme.WIDE_PX if wide else theme.NARROW_PX
    left = 12 + max((theme.text_width(row, 13) for row in rows), default=0.0) if wide else 0.0
    height, top, above = 34.0, 24.0, 0.0 if wide else 20.0
    cell = (whole - left) / max(1, len(columns))
    drawing = Drawing(whole, top + (height + above) * len(rows) + 2)
    for number, column in enumerate(columns):
        name = theme.shorten(column, cell - 1, theme.SMALL)
        drawing.text(left + (number + 0.5) * cell, 15, name, size=theme.SMALL, colour=theme.MUTED, align="center")
    most = max((n for line in cells for n in line), default=0)
    for line, row in enumerate(rows):
        y = top + line * (height + above)
        drawing.text(0, y + (height / 2 + 4.5 if wide else 14), row if wide else theme.shorten(row, whole, 13), size=13)
        for number, n in enumerate(cells[line]):
            box = (left + number * cell + 1, y + above + 1, cell - 2, height - 2)
            _cell(drawing, box, n, most, words)
    return drawing.figure


def _cell(drawing: Drawing, box: tuple[float, float, float, float], n: int, most: int, words: Words) -> None:
    x, y, width, height = box
    if not n:
        drawing.rectangle(x, y, width, height, theme.GROUND, radius=3)
        return
    colour = theme.blend(theme.PAPER, theme.ACCENT, PALEST + (1 - PALEST) * n / most)
    drawing.rectangle(x, y, width, height, colour, radius=3)
    ink = theme.readable_on(colour)
    drawing.text(x + width / 2, y + height / 2 + 4.5, words.count(n), size=13, colour=ink, align="center")


def histogram(bars: Sequence[Bar], words: Words, middle: str = "", *, width: Width = "wide") -> ChartFigure:
    """Draw a distribution as bars from zero, its n above each; `middle` is written at the bar of the median."""
    whole = theme.WIDE_PX if width == "wide" else theme.NARROW_PX
    top, foot = 40.0, 24.0
    drawing = Drawing(whole, top + BARS_PX + foot)
    step = whole / max(1, len(bars))
    most = max((bar.n for bar in bars), default=0) or 1
    base = top + BARS_PX
    for number, bar in enumerate(bars):
        x, height = number * step, BARS_PX * bar.n / most
        colour = theme.INK if bar.middle else theme.ACCENT
        if bar.n:
            drawing.rectangle(x + 2, base - height, step - 4, height, colour, radius=2)
            count = words.count(bar.n)
            drawing.text(x + step / 2, base - height - 6, count, size=13, align="center", bold=bar.middle)
        if bar.middle and middle:
            _middle(drawing, middle, x + step / 2, whole)
        label = theme.shorten(bar.label, step - 1, theme.SMALL)
        drawing.text(x + step / 2, base + 16, label, size=theme.SMALL, colour=theme.MUTED, align="center")
    drawing.line([(0, base), (whole, base)], theme.LINE)
    return drawing.figure


def _middle(drawing: Drawing, text: str, x: float, whole: float) -> None:
    """Write the median's words over its bar, above all bars and inside the sheet."""
    half = theme.text_width(text, theme.SMALL) / 2
    drawing.text(min(max(x, half), whole - half), 14, text, size=theme.SMALL, colour=theme.MUTED, align="center")
