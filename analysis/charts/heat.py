"""The heat map of weekdays and hours: when the shop is at its best, the number in every cell."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.chart_data import Link, Width, Words, is_shown, known
from analysis.charts import theme
from analysis.charts.drawing import ChartFigure, Drawing
from analysis.metrics import Estimate

Urls = Sequence[Sequence[str | None]]


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[Estimate]],
    words: Words,
    *,
    scale: tuple[float, float] = (0, 100),
    urls: Urls | None = None,
    width: Width = "wide",
) -> ChartFigure:
    """Draw estimates as coloured cells, cells[row][column]; narrow swaps rows and columns.

    Cells with fewer than five answers stay empty, those with fewer than thirty have a dashed rim.
    Raises ValueError where the cells do not fit the rows and columns.
    """
    if len(cells) != len(rows) or any(len(line) != len(columns) for line in cells):
        raise ValueError("a heat map has a cell for every row and column")
    links = urls or [[None] * len(columns) for _ in rows]
    if width == "narrow":
        rows, columns = columns, rows
        cells = [list(line) for line in zip(*cells, strict=True)]
        links = [list(line) for line in zip(*links, strict=True)]
    return _draw(rows, columns, cells, links, words, scale, width)


def _draw(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[Estimate]],
    links: Urls,
    words: Words,
    scale: tuple[float, float],
    width: Width,
) -> ChartFigure:
    whole = theme.WIDE_PX if width == "wide" else theme.NARROW_PX
    left = 10 + max((theme.text_width(row, 13) for row in rows), default=0.0)
    cell = (whole - left) / max(1, len(columns))
    height, top = (34.0 if width == "wide" else 28.0), 24.0
    drawing = Drawing(whole, top + height * len(rows) + 2)
    for number, column in enumerate(columns):
        name = theme.shorten(column, cell - 1, theme.SMALL)
        drawing.text(left + (number + 0.5) * cell, 15, name, size=theme.SMALL, colour=theme.MUTED, align="center")
    for line, row in enumerate(rows):
        y = top + line * height
        drawing.text(0, y + height / 2 + 4.5, row, size=13)
        for number, column in enumerate(columns):
            box = (left + number * cell + 1, y + 1, cell - 2, height - 2)
            url = links[line][number]
            estimate = cells[line][number]
            link = Link(url, words.full(f"{row}, {column}", estimate)) if url else None
            _cell(drawing, box, estimate, words, scale, link)
    return drawing.figure


def _cell(
    drawing: Drawing,
    box: tuple[float, float, float, float],
    estimate: Estimate,
    words: Words,
    scale: tuple[float, float],
    link: Link | None,
) -> None:
    x, y, width, height = box
    if not is_shown(estimate):
        drawing.rectangle(x, y, width, height, theme.GROUND, radius=3)
        return
    value = known(estimate)[0]
    colour = theme.smiley_colour(value, scale)
    ink = theme.readable_on(colour)
    drawing.rectangle(x, y, width, height, colour, radius=3, link=link)
    if estimate.n < theme.FEW:
        drawing.frame(x + 2.5, y + 2.5, width - 5, height - 5, ink, radius=2)
    middle = (x + width / 2, y + height / 2 + 4.5)
    drawing.text(*middle, words.number(value), size=13, colour=ink, align="center", link=link)
