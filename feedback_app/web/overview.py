"""The overview: what changed, what to mend first, where and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from analysis.metrics import Estimate
from feedback_app.domain.access import Right
from feedback_app.edge.context import db, reader
from feedback_app.edge.languages import number
from feedback_app.edge.rights import needs
from feedback_app.services.overview import Overview, StoreRow, TouchpointRow, overview
from feedback_app.web import due as dues
from feedback_app.web import figures, findings, vocabulary
from feedback_app.web.blueprint import blueprint
from feedback_app.web.filters import Chosen, address, chosen, for_template, period_words
from feedback_app.web.freshness import page_age
from feedback_app.web.hours import Hour, lowest


@blueprint.get("/", endpoint="overview")
@needs(Right.SIGNED_IN)
def show() -> ResponseReturnValue:
    """Show the overview to who may read figures; lead everybody else to the visits."""
    if not reader().may(Right.READ_FIGURES):
        return redirect(url_for("web.visits"))
    asked = chosen()
    found = overview(db(), reader(), asked.filters, max_age=page_age())
    return render_template(
        "web/overview.html",
        place="web.overview",
        found=found,
        title=findings.opening(found),
        due=dues.shown(),
        due_leads=dues.leads(),
        **_charts(found, asked),
        **for_template(asked),
    )


def _charts(found: Overview, asked: Chosen) -> Mapping[str, object]:
    heat = figures.heat_table(found.heat)
    measure = gettext("Smiley index 0 to 100, %(period)s", period=period_words(asked.filters.period))
    titles = {
        "stores": stores_title(found.stores),
        "touchpoints": touchpoints_title(found.touchpoints),
        "heat": heat_title(heat) if heat else "",
    }
    return {
        "titles": titles,
        "measure_words": measure,
        "sparks": {tile.measure: figures.spark(tile) for tile in found.tiles},
        "stores_chart": figures.stores(found.stores, titles["stores"], measure, _store_url(asked)),
        "touchpoints_chart": figures.touchpoints(
            found.touchpoints, titles["touchpoints"], measure, _touchpoint_url(asked)
        ),
        "heat": heat,
        "heat_chart": figures.heat(heat, titles["heat"], measure) if heat else None,
    }


def _store_url(asked: Chosen) -> figures.Url:
    return lambda code: address("web.overview", asked.only(store=code))


def _touchpoint_url(asked: Chosen) -> figures.Url:
    if not reader().may(Right.READ_WORDS):
        return lambda key: None
    return lambda key: address("web.touchpoint_comments", asked.carried, key=key)


def stores_title(rows: Sequence[StoreRow]) -> str:
    """Return what the stores' chart says: which one is surely last or first, if any is."""
    ranked = [row for row in rows if row.rank is not None]
    if len(ranked) < 2:
        return gettext("Stores cannot be ranked with fewer than two of them")
    last, first = ranked[-1], ranked[0]
    if last.rank == (len(ranked), len(ranked)):
        return gettext("%(store)s is last, and that is no chance", store=vocabulary.place(last.store))
    if first.rank == (1, 1):
        return gettext("%(store)s is first, and that is no chance", store=vocabulary.place(first.store))
    behind = sum(row.rank is not None and first.rank is not None and row.rank[0] > first.rank[1] for row in ranked)
    if behind:
        return ngettext(
            "%(shown)s store lies behind the best, and that is no chance",
            "%(shown)s stores lie behind the best, and that is no chance",
            behind,
            shown=number(behind),
        )
    return gettext("No store stands apart: the order could be chance")


def touchpoints_title(rows: Sequence[TouchpointRow]) -> str:
    """Return what the touchpoints' chart says: the lowest one, and whether it is surely the lowest."""
    named = [(vocabulary.place(row.touchpoint), row.index) for row in rows if row.index.value is not None]
    if len(named) < 2:
        return gettext("Touchpoints cannot be compared yet")
    name, lowest = min(named, key=lambda pair: _value(pair[1]))
    apart = all(index is lowest or _apart(lowest, index) for _, index in named)
    if apart:
        return gettext("%(place)s is the lowest touchpoint, and that is no chance", place=name)
    return gettext("%(place)s is the lowest touchpoint, but that could be chance", place=name)


def heat_title(table: figures.HeatTable) -> str:
    """Return what the map of hours says: the lowest hour beyond chance, if there is one."""
    hours = [
        Hour(day, hour, cell)
        for day, line in zip(figures.WEEKDAYS, table.cells, strict=True)
        for hour, cell in zip(table.hours, line, strict=True)
    ]
    if sum(hour.estimate.value is not None for hour in hours) < 2:
        return gettext("Too few responses to tell hours apart")
    low = lowest(hours)
    if low is None:
        return gettext("No hour of the week stands out beyond chance")
    values = {"day": vocabulary.weekday(low.weekday), "hours": f"{low.hour}–{low.hour + 1}"}
    return gettext(
        "The weakest hour: %(day)s, %(hours)s, mean %(value)s, not chance",
        value=findings.figure(low.estimate),
        **values,
    )


def _value(estimate: Estimate) -> float:
    assert estimate.value is not None
    return estimate.value


def _apart(lower: Estimate, upper: Estimate) -> bool:
    return lower.high is not None and upper.low is not None and lower.high < upper.low
