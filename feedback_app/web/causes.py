"""What cases teach: root causes over time and by stage, answers in time, and how long they took."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date
from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext

from feedback_app.domain.access import Right
from feedback_app.edge.context import db, reader
from feedback_app.edge.languages import number
from feedback_app.edge.rights import needs
from feedback_app.services.causes import Bin, Learned, learned
from feedback_app.web import figures, vocabulary
from feedback_app.web.blueprint import blueprint
from feedback_app.web.filters import chosen, for_template, period_words


@blueprint.get("/cases/causes", endpoint="causes")
@needs(Right.READ_BOOK)
def show() -> ResponseReturnValue:
    """Show what the cases opened in the period teach."""
    asked = chosen()
    found = learned(db(), reader(), asked.filters)
    period = period_words(asked.filters.period)
    causes_title, days_title = _causes_title(found), _days_title(found)
    return render_template(
        "web/causes.html",
        place="web.journey_map",
        found=found,
        title=headline(found),
        causes_title=causes_title,
        days_title=days_title,
        month_name=month_name,
        bin_name=bin_name,
        causes_chart=_causes_chart(found, causes_title, period) if found.rows else None,
        days_chart=_days_chart(found, days_title, period) if found.answered else None,
        **for_template(asked),
    )


def month_name(month: date, form: str = "LLLL y") -> str:
    """Return a month in the reader's locale."""
    return str(format_date(month, format=form, locale=get_locale()))


def bin_name(counted: Bin) -> str:
    """Return the days that are counted together."""
    if counted.end is None:
        return f"{number(counted.start)}+"
    return number(counted.start) if counted.start == counted.end else f"{number(counted.start)}–{number(counted.end)}"


def headline(found: Learned) -> str:
    """Return what the page says first: the commonest cause, and how many answers are in time."""
    if not found.cases:
        return gettext("No case was opened in this period")
    share = found.in_time
    if share.value is None:
        return gettext("Too few cases to say how many are answered in time")
    values = {"share": number(share.value), "low": number(share.low), "high": number(share.high)}
    if not found.rows:
        return gettext("Answered in time: %(share)s%% (%(low)s–%(high)s)", **values)
    cause = vocabulary.cause(found.rows[0].cause)
    return gettext(
        "The commonest cause: %(cause)s. Answered in time: %(share)s%% (%(low)s–%(high)s)", cause=cause, **values
    )


def _causes_title(found: Learned) -> str:
    if not found.rows:
        return gettext("No case of this period has a root cause yet")
    top = found.rows[0]
    named = found.cases - found.without_cause
    return gettext(
        "%(cause)s: %(n)s of %(all)s cases with a named cause",
        cause=vocabulary.cause(top.cause),
        n=number(top.n),
        all=number(named),
    )


def _days_title(found: Learned) -> str:
    if found.median_days is None:
        return gettext("No answer went out yet")
    return gettext(
        "Half of the answers took %(days)s days or less, n = %(n)s",
        days=_days(found.median_days),
        n=number(found.answered),
    )


def _days(days: float) -> str:
    return number(days, 0 if days == int(days) else 1)


def _causes_chart(found: Learned, title: str, period: str) -> figures.Drawn:
    rows = tuple(vocabulary.cause(row.cause) for row in found.rows)
    months = tuple(month_name(month, "LLL") for month in found.months)
    cells = tuple(row.by_month for row in found.rows)
    return figures.counts(
        rows, months, cells, title, gettext("Cases by root cause and month, %(period)s", period=period)
    )


def _days_chart(found: Learned, title: str, period: str) -> figures.Drawn:
    median = found.median_days or 0
    bars = tuple(
        (bin_name(one), one.n, one.start <= median and (one.end is None or median < one.end + 1)) for one in found.bins
    )
    middle = gettext("median %(days)s", days=_days(median))
    return figures.distribution(bars, middle, title, gettext("Days from receipt to answer, %(period)s", period=period))
