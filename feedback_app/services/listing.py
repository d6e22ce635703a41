"""Responses one by one for programs: pages of export rows, oldest first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import Invalid, Problem
from feedback_app.services import exchange
from feedback_app.services.comments import cursor_of, read_cursor
from feedback_app.services.ground import Ground, ground
from feedback_app.services.periods import Filters
from feedback_app.storage.database import Database
from feedback_app.storage.words_read import Place

PAGE = 200
MOST = 1_000


@dataclass(frozen=True)
class ResponsePage:
    """A page of export rows; `next_cursor` asks for the one after it, None where this is the last."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


def responses_page(
    db: Database, access: Access, filters: Filters, cursor: str | None = None, limit: int = PAGE
) -> ResponsePage:
    """Return a page of the responses of a region, of at most one store and one channel.

    The period is one of moments. Raises NotFound for a store or touchpoint outside the scope, Invalid for a bad
    cursor or more than one store or channel.
    """
    access.require(Right.READ_WORDS)
    after, size = read_cursor(cursor), max(1, min(limit, MOST))
    with db.read(access) as session:
        at = ground(session, filters)
    with db.read(_narrowed(access, at)) as session:
        rows = _rows(session, filters, after, size + 1)
    return ResponsePage(rows[:size], cursor_of(*_place(rows[size - 1])) if len(rows) > size else None)


def _narrowed(access: Access, at: Ground) -> Access:
    """Return the reader with a scope of the stores looked at alone."""
    if at.filters.region is None:
        return access
    return replace(access, stores=frozenset(place.store_id for place in at.places.values()))


def _rows(session: Session, filters: Filters, after: Place | None, limit: int) -> list[dict[str, Any]]:
    """Return the next rows; where flagged ones are left out, it goes on reading until there are enough."""
    since, until = filters.period.moments("UTC")
    rows: list[dict[str, Any]] = []
    while len(rows) < limit:
        page = exchange.page_of_responses(
            session,
            since=since,
            until=until,
            store=_only("store", filters.stores),
            touchpoint=filters.touchpoint,
            channel=_only("channel", filters.channels),
            after=after,
            limit=limit,
        )
        rows += [row for row in page if filters.flagged or not row["flags"]]
        if len(page) < limit:
            break
        after = _place(page[-1])
    return rows[:limit]


def _place(row: dict[str, Any]) -> Place:
    return Place(datetime.fromisoformat(row["occurred_at"]), UUID(row["id"]))


def _only(field: str, wanted: frozenset[str]) -> str | None:
    if len(wanted) > 1:
        raise Invalid([Problem("one_at_a_time", field)])
    return next(iter(wanted), None)
