"""Which entries of the feedback books are looked at: of a store, a year, a period in the stores' own days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from feedback_app.domain.errors import Invalid, NotFound, Problem
from feedback_app.services import catalogue
from feedback_app.services.periods import Period, read_filters
from feedback_app.storage.register_pages_read import Asked
from feedback_app.storage.tables import Store


@dataclass(frozen=True)
class Wanted:
    """What a reader asks for; None is all."""

    store: str | None = None
    year: int | None = None
    period: Period = field(default_factory=Period)


def read_wanted(args: Mapping[str, str]) -> Wanted:
    """Return what an address's query asks for: `store`, `year`, `since` and `until` (days, both included).

    Raises Invalid with a problem per field.
    """
    year = (args.get("year") or "").strip()
    problems = []
    if year and not (year.isascii() and year.isdigit() and len(year) <= 4):
        problems.append(Problem("unknown_choice", "year"))
    try:
        period = read_filters({key: args.get(key) or "" for key in ("since", "until")}, default_days=None).period
    except Invalid as error:
        raise Invalid(problems + error.problems) from None
    if problems:
        raise Invalid(problems)
    return Wanted((args.get("store") or "").strip() or None, int(year) if year else None, period)


def asked_of(session: Session, wanted: Wanted) -> Asked:
    """Return the same in terms of rows; raise NotFound for a store outside the session's scope."""
    store_id = None
    if wanted.store is not None:
        store = catalogue.find_store(session, wanted.store)
        if store is None:
            raise NotFound("unknown_store")
        store_id = store.id
    if wanted.period == Period():
        return Asked(store_id, wanted.year)
    zones = session.scalars(sa.select(Store.timezone).distinct()).all()
    return Asked(store_id, wanted.year, {zone: wanted.period.moments(zone) for zone in zones})
