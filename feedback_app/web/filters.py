"""What a staff page looks at: read kindly from the address, carried from page to page, shown in a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from feedback_app.domain.errors import Invalid
from feedback_app.edge.context import db, reader
from feedback_app.edge.languages import day
from feedback_app.services.metrics import Choices, choices_of
from feedback_app.services.periods import CHOICES, Filters, Period, read_filters
from feedback_app.web import vocabulary

FIELDS = ("days", "since", "until", "region", "store", "channel", "touchpoint", "flagged")
DEFAULT_DAYS = 30


@dataclass(frozen=True)
class Chosen:
    """The filters of a page, what can be chosen, what was refused and why, and what other pages keep."""

    filters: Filters
    choices: Choices
    problems: Mapping[str, str]
    carried: Mapping[str, list[str]]

    @property
    def days(self) -> int | None:
        """Return which of the ready-made periods is looked at; None where it is none of them."""
        if "since" in self.carried or "until" in self.carried:
            return None
        asked = (self.carried.get("days") or [str(DEFAULT_DAYS)])[0]
        return int(asked) if asked.isdigit() else None

    def with_days(self, days: int) -> dict[str, list[str]]:
        """Return the address's query with another ready-made period."""
        rest = {key: values for key, values in self.carried.items() if key not in ("since", "until")}
        return {**rest, "days": [str(days)]}

    def only(self, **fixed: str) -> dict[str, list[str]]:
        """Return the address's query with some values set."""
        return {**self.carried, **{key: [value] for key, value in fixed.items()}}


def chosen(drop: tuple[str, ...] = ()) -> Chosen:
    """Return what the address asks for; a value that cannot be taken is left out and explained beside its field.

    `drop` names fields that the page itself sets.
    """
    args: MultiDict[str, str] = MultiDict(
        (key, value.strip())
        for key, value in request.args.items(multi=True)
        if key in FIELDS and key not in drop and value.strip()
    )
    choices = choices_of(db(), reader())
    problems: dict[str, str] = {}
    if args.get("since") or args.get("until"):
        args.poplist("days")
    _drop_unknown(args, choices, problems)
    filters = _read(args, problems)
    return Chosen(filters, choices, problems, {key: args.getlist(key) for key in args})


def _drop_unknown(args: MultiDict[str, str], choices: Choices, problems: dict[str, str]) -> None:
    known = {
        "region": {region.key for region in choices.regions},
        "store": {store.code for store in choices.stores},
        "touchpoint": {touchpoint.key for touchpoint in choices.touchpoints},
        "channel": set(choices.channels),
    }
    for field, keys in known.items():
        values = args.getlist(field)
        good = [value for value in values if value in keys]
        if len(good) < len(values):
            problems[field] = _explained(field)
            args.poplist(field)
            args.update({field: good})


def _read(args: MultiDict[str, str], problems: dict[str, str]) -> Filters:
    try:
        return read_filters(args, DEFAULT_DAYS)
    except Invalid as refused:
        typed = args.to_dict()
        for problem in refused.problems:
            field = problem.field if problem.field in FIELDS else "days"
            problems[field] = _explained(field, problem.code, typed.get(field, ""))
            # A period of which one end is wrong is no period: both ends give way to the ready-made one.
            for name in ("since", "until") if field in ("since", "until") else (field,):
                args.poplist(name)
        return read_filters(args, DEFAULT_DAYS)


def _explained(field: str, code: str = "", value: str = "") -> str:
    if code == "until_before_since":
        return gettext("The last day lies before the first. The last 30 days are shown instead.")
    if field in ("since", "until"):
        return gettext("“%(value)s” is no date of the calendar. The last 30 days are shown instead.", value=value[:20])
    return {
        "days": gettext("Choose 7, 30 or 90 days. The last 30 days are shown instead."),
        "region": gettext("There is no such region among yours. All regions are shown."),
        "store": gettext("There is no such store among yours. All your stores are shown."),
        "touchpoint": gettext("There is no such touchpoint. All are shown."),
        "channel": gettext("There is no such source. All sources are shown."),
    }.get(field, gettext("This value was left out."))


def _days_of(period: Period) -> tuple[date | None, date | None]:
    start, end = period.start, period.end
    first = start.date() if isinstance(start, datetime) else start
    last = (end - timedelta(microseconds=1)).date() if isinstance(end, datetime) else end
    return first, last


def address(endpoint: str, query: Mapping[str, list[str]], **values: str) -> str:
    """Return the address of a page that keeps the filters."""
    parts: dict[str, object] = {**query, **values}
    return url_for(endpoint, **parts)  # type: ignore[arg-type]


def period_words(period: Period) -> str:
    """Return a period as its reader says it."""
    first, last = _days_of(period)
    if first and last:
        return f"{day(first)} – {day(last)}" if first != last else day(first)
    if first:
        return gettext("since %(day)s", day=day(first))
    if last:
        return gettext("until %(day)s", day=day(last))
    return gettext("the whole time")


def scope_words(chosen_: Chosen) -> str:
    """Return in words which stores and sources are looked at."""
    filters, choices = chosen_.filters, chosen_.choices
    named = [vocabulary.place(store) for store in choices.stores if store.code in filters.stores]
    named += [vocabulary.place(region) for region in choices.regions if region.key == filters.region]
    if not named and len(choices.stores) == 1:
        named = [vocabulary.place(choices.stores[0])]
    parts = [", ".join(named) or gettext("all stores")]
    parts += [vocabulary.place(point) for point in choices.touchpoints if point.key == filters.touchpoint]
    parts.append(", ".join(vocabulary.source(key) for key in sorted(filters.channels)) or gettext("all sources"))
    return " · ".join(parts)


def for_template(chosen_: Chosen) -> dict[str, object]:
    """Return what the filter form and the links of a page need."""
    return {
        "chosen": chosen_,
        "carried": chosen_.carried,
        "period_words": period_words(chosen_.filters.period),
        "scope_words": scope_words(chosen_),
        "day_choices": CHOICES,
        "options": _options(chosen_.choices),
    }


def _options(choices: Choices) -> dict[str, list[tuple[str, str]]]:
    return {
        "region": [(region.key, vocabulary.place(region)) for region in choices.regions],
        "store": [(store.code, f"{store.code} · {vocabulary.place(store)}") for store in choices.stores],
        "channel": [(key, vocabulary.source(key)) for key in choices.channels],
    }
