"""The charts of the staff's pages: numbers from the services in, markup out, drawn once for the same numbers.

A drawing is kept under the very numbers and words in it: it can neither be stale nor show one reader what another one
may see. Charts are drawn in this process (tests, `flask run`) until `draw_apart` gives an app a process that draws.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app
from flask_babel import gettext
from markupsafe import Markup

from analysis.chart_data import Bar, RankedRow, SourceLine, StagePoint, Words
from analysis.metrics import Estimate
from feedback_app.edge.context import language
from feedback_app.edge.languages import number
from feedback_app.edge.numerals import Numerals
from feedback_app.services.journey_map import StageColumn
from feedback_app.services.overview import HeatCell, StoreRow, Tile, TouchpointRow
from feedback_app.web import vocabulary
from feedback_app.web.drawings import NotDrawnError, Options, Order, Shelf
from feedback_app.web.findings import figure, too_few
from feedback_app.web.studio import Studio

Url = Callable[[str], str | None]
WEEKDAYS = range(1, 8)
NOTHING = Estimate(None, None, None, 0)
EXTENSION = "otklik-drawings"


@dataclass(frozen=True)
class Drawn:
    """One chart for wide and for narrow screens; the stylesheet shows the one that fits."""

    wide: Markup
    narrow: Markup


@dataclass(frozen=True)
class HeatTable:
    """Weekdays and hours with an estimate each: cells[weekday][hour], as drawn and as told in the table."""

    hours: tuple[int, ...]
    cells: tuple[tuple[Estimate, ...], ...]


# matplotlib draws on one thread at a time.
_pen = threading.Lock()


def _draw_here(order: Order) -> str:
    # matplotlib takes most of a second to load and 40 MB to keep: a server that has a studio never does.
    from feedback_app.web.easel import draw  # noqa: PLC0415

    with _pen:
        return draw(order)


_drawn_here = Shelf(_draw_here)


def draw_apart(app: Flask) -> Studio:
    """Have the charts of an app drawn by a process of their own, begun in the background."""
    studio = Studio()
    app.extensions[EXTENSION] = Shelf(studio.draw)
    studio.begin()
    return studio


def _words(digits: int = 0) -> Words:
    return Words(
        number=Numerals(language(), digits),
        count=Numerals(language()),
        too_few=gettext("too few to say"),
        before=gettext("period before"),
    )


def _drawing(order: Order) -> Markup | None:
    shelf: Shelf = current_app.extensions.get(EXTENSION, _drawn_here)
    try:
        return Markup(shelf.get(order))  # noqa: S704 - made by our own drawing, which escapes every text
    except NotDrawnError:
        return None


def _missing() -> Markup:
    words = gettext("This chart could not be drawn just now; its numbers stand in the table.")
    return Markup("<p>{}</p>").format(words)


def _both(name: str, chart: str, content: tuple[Any, ...], title: str, description: str, wide: Options = ()) -> Drawn:
    """Return a chart in both widths; `wide` is what the wide one is drawn with beside its width."""
    drawn = (
        _drawing(Order(chart, content, (("width", width), *more), title, description, f"{name}-{width}")) or _missing()
        for width, more in (("wide", wide), ("narrow", ()))
    )
    return Drawn(*drawn)


def spark(tile: Tile) -> Markup | None:
    """Return the small course of a tile's measure; None where no step of it has enough answers, or it is not drawn."""
    estimates = tuple(point.estimate for point in tile.spark)
    shown = [estimate for estimate in estimates if estimate.value is not None]
    if not shown:
        return None
    digits, scale = vocabulary.digits(tile.measure), vocabulary.scale(tile.measure)
    title = gettext("Course of %(measure)s", measure=vocabulary.measure(tile.measure))
    description = gettext(
        "First %(first)s, last %(last)s", first=figure(shown[0], digits), last=figure(shown[-1], digits)
    )
    return _drawing(Order("spark", (estimates,), (("scale", scale),), title, description, f"spark-{tile.measure}-wide"))


def stores(rows: Sequence[StoreRow], title: str, description: str, url: Url) -> Drawn:
    """Return the stores from best to worst with their rank intervals."""
    ranked = tuple(
        RankedRow(vocabulary.place(row.store), row.index, ranks(row.rank), url(row.store.code), _alarms(row))
        for row in rows
    )
    return _both("stores", "ranked_stores", (ranked, _words()), title, description)


def touchpoints(rows: Sequence[TouchpointRow], title: str, description: str, url: Url) -> Drawn:
    """Return the touchpoints in the order of the journey."""
    drawn = tuple(
        RankedRow(vocabulary.place(row.touchpoint), row.index, "", url(row.touchpoint.key), _alarms(row))
        for row in rows
    )
    return _both("touchpoints", "touchpoint_rows", (drawn, _words()), title, description)


def _alarms(row: StoreRow | TouchpointRow) -> bool:
    change = row.change
    return bool(change and change.beyond_chance and change.difference is not None and change.difference < 0)


def ranks(rank: tuple[int, int] | None) -> str:
    """Return which places a store may hold: "place 2–4"; empty where that cannot be told."""
    if rank is None:
        return ""
    best, worst = rank
    if best == worst:
        return gettext("place %(place)s", place=number(best))
    return gettext("places %(best)s–%(worst)s", best=number(best), worst=number(worst))


def heat_table(cells: Sequence[HeatCell]) -> HeatTable | None:
    """Return the cells as a full table over the hours that have any; None without cells."""
    if not cells:
        return None
    by_place = {(cell.weekday, cell.hour): cell.estimate for cell in cells}
    hours = tuple(range(min(cell.hour for cell in cells), max(cell.hour for cell in cells) + 1))
    return HeatTable(hours, tuple(tuple(by_place.get((day, hour), NOTHING) for hour in hours) for day in WEEKDAYS))


def heat(table: HeatTable, title: str, description: str) -> Drawn:
    """Return the map of weekdays and hours."""
    days = tuple(vocabulary.weekday(day) for day in WEEKDAYS)
    hours = tuple(str(hour) for hour in table.hours)
    return _both("heat", "heat_map", (days, hours, table.cells, _words()), title, description)


def counts(
    rows: tuple[str, ...], columns: tuple[str, ...], cells: tuple[tuple[int, ...], ...], title: str, description: str
) -> Drawn:
    """Return a map of counts."""
    return _both("counts", "count_map", (rows, columns, cells, _words()), title, description)


def distribution(bars: Sequence[tuple[str, int, bool]], middle: str, title: str, description: str) -> Drawn:
    """Return a distribution: a label, a count and whether the median lies in it, a bar each."""
    drawn = tuple(Bar(*bar) for bar in bars)
    return _both("days", "histogram", (drawn, _words(), middle), title, description)


def emotion(columns: Sequence[StageColumn], title: str, url: Url, *, sources: bool) -> Drawn:
    """Return the emotion curve over the stages, on demand with a line for every source."""
    stages = tuple(
        StagePoint(
            vocabulary.stage(column.stage),
            column.emotion,
            column.before.value if column.before else None,
            url(column.stage),
        )
        for column in columns
    )
    lines: tuple[SourceLine, ...] = ()
    if sources:
        lines = tuple(
            SourceLine(key, vocabulary.source(key), tuple(_of_source(column, key) for column in columns))
            for key in source_keys(columns)
        )
    description = "; ".join(f"{stage.label}: {_told(stage.estimate)}" for stage in stages)
    return _both("emotion", "emotion_curve", (stages, _words(), lines), title, description, wide=(("labels", False),))


def source_keys(columns: Sequence[StageColumn]) -> tuple[str, ...]:
    """Return the sources that any stage heard from, in the order in which they first appear."""
    return tuple(dict.fromkeys(source.source for column in columns for source in column.sources))


def _of_source(column: StageColumn, key: str) -> Estimate:
    return next((source.estimate for source in column.sources if source.source == key), NOTHING)


def _told(estimate: Estimate) -> str:
    return figure(estimate) if estimate.value is not None else too_few(estimate.n)
