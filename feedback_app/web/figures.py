"""The charts of the staff's pages: numbers from the services in, markup out, drawn once for the same numbers.

A drawing is kept under its language, width and the very numbers and words in it: it can neither be stale nor show one
reader what another one may see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from flask_babel import gettext
from markupsafe import Markup

from analysis.metrics import Estimate
from feedback_app.edge.context import language
from feedback_app.edge.languages import number
from feedback_app.services.journey_map import StageColumn
from feedback_app.services.overview import HeatCell, StoreRow, Tile, TouchpointRow
from feedback_app.web import vocabulary
from feedback_app.web.drawings import Shelf
from feedback_app.web.findings import figure, too_few

if TYPE_CHECKING:
    from analysis.charts import Words

Url = Callable[[str], str | None]
WEEKDAYS = range(1, 8)
NOTHING = Estimate(None, None, None, 0)
_shelf = Shelf()


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


def _words(digits: int = 0) -> Words:
    # matplotlib takes most of a second to load: the first chart pays for it, not every start and every command.
    from analysis.charts import Words  # noqa: PLC0415

    return Words(
        number=partial(number, digits=digits),
        count=number,
        too_few=gettext("too few to say"),
        before=gettext("period before"),
    )


def _drawing(name: str, width: str, content: Any, title: str, description: str, figure_of: Callable[[], Any]) -> Markup:
    from analysis.charts import render  # noqa: PLC0415 - as above

    key = (name, language(), width, content, title, description)
    markup = _shelf.get(key, lambda: render(figure_of(), title, description, f"{name}-{width}"))
    return Markup(markup)  # noqa: S704 - made by our own drawing, which escapes every text


def _both(name: str, content: Any, title: str, description: str, figure_of: Callable[[Any], Any]) -> Drawn:
    wide, narrow = (
        _drawing(name, width, content, title, description, partial(figure_of, width)) for width in ("wide", "narrow")
    )
    return Drawn(wide, narrow)


def spark(tile: Tile) -> Markup | None:
    """Return the small course of a tile's measure; None where no step of it has enough answers."""
    estimates = tuple(point.estimate for point in tile.spark)
    shown = [estimate for estimate in estimates if estimate.value is not None]
    if not shown:
        return None
    from analysis.charts import spark as draw  # noqa: PLC0415 - as above

    digits, scale = vocabulary.digits(tile.measure), vocabulary.scale(tile.measure)
    title = gettext("Course of %(measure)s", measure=vocabulary.measure(tile.measure))
    description = gettext(
        "First %(first)s, last %(last)s", first=figure(shown[0], digits), last=figure(shown[-1], digits)
    )
    return _drawing(
        f"spark-{tile.measure}", "wide", (estimates, scale), title, description, lambda: draw(estimates, scale=scale)
    )


def stores(rows: Sequence[StoreRow], title: str, description: str, url: Url) -> Drawn:
    """Return the stores from best to worst with their rank intervals."""
    from analysis.charts import RankedRow, ranked_stores  # noqa: PLC0415 - as above

    ranked = tuple(
        RankedRow(vocabulary.place(row.store), row.index, ranks(row.rank), url(row.store.code), _alarms(row))
        for row in rows
    )
    return _both("stores", ranked, title, description, lambda width: ranked_stores(ranked, _words(), width=width))


def touchpoints(rows: Sequence[TouchpointRow], title: str, description: str, url: Url) -> Drawn:
    """Return the touchpoints in the order of the journey."""
    from analysis.charts import RankedRow, touchpoint_rows  # noqa: PLC0415 - as above

    drawn = tuple(
        RankedRow(vocabulary.place(row.touchpoint), row.index, "", url(row.touchpoint.key), _alarms(row))
        for row in rows
    )
    return _both("touchpoints", drawn, title, description, lambda width: touchpoint_rows(drawn, _words(), width=width))


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
    from analysis.charts import heat_map  # noqa: PLC0415 - as above

    days = tuple(vocabulary.weekday(day) for day in WEEKDAYS)
    hours = tuple(str(hour) for hour in table.hours)
    return _both(
        "heat",
        (table, days),
        title,
        description,
        lambda width: heat_map(days, hours, table.cells, _words(), width=width),
    )


def emotion(columns: Sequence[StageColumn], title: str, url: Url, *, sources: bool) -> Drawn:
    """Return the emotion curve over the stages, on demand with a line for every source."""
    from analysis.charts import SourceLine, StagePoint, emotion_curve  # noqa: PLC0415 - as above

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
    return _both(
        "emotion",
        (stages, lines),
        title,
        description,
        lambda width: emotion_curve(stages, _words(), lines, labels=width == "narrow", width=width),
    )


def source_keys(columns: Sequence[StageColumn]) -> tuple[str, ...]:
    """Return the sources that any stage heard from, in the order in which they first appear."""
    return tuple(dict.fromkeys(source.source for column in columns for source in column.sources))


def _of_source(column: StageColumn, key: str) -> Estimate:
    return next((source.estimate for source in column.sources if source.source == key), NOTHING)


def _told(estimate: Estimate) -> str:
    return figure(estimate) if estimate.value is not None else too_few(estimate.n)
