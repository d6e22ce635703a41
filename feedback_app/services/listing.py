"""Responses one by one for programs: pages of export rows, oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import Invalid, Problem
from feedback_app.services import exchange
from feedback_app.services.comments import cursor_of, read_cursor
from feedback_app.services.ground import ground
from feedback_app.services.periods import Filters
from feedback_app.storage.database import Database

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
    """Return a page of the responses of at most one store and one channel, flagged ones among them.

    The period is one of moments. Raises NotFound for a store or touchpoint outside the scope, Invalid for a bad
    cursor or more than one store or channel.
    """
    access.require(Right.READ_WORDS)
    after, size = read_cursor(cursor), max(1, min(limit, MOST))
    since, until = filters.period.moments("UTC")
    with db.read(access) as session:
        ground(session, filters)
        rows = exchange.page_of_responses(
            session,
            since=since,
            until=until,
            store=_only("store", filters.stores),
            touchpoint=filters.touchpoint,
            channel=_only("channel", filters.channels),
            after=None if after is None else (after.occurred_at, after.response_id),
            limit=size + 1,
        )
    if len(rows) <= size:
        return ResponsePage(rows, None)
    last = rows[size - 1]
    return ResponsePage(rows[:size], cursor_of(datetime.fromisoformat(last["occurred_at"]), UUID(last["id"])))


def _only(field: str, wanted: frozenset[str]) -> str | None:
    if len(wanted) > 1:
        raise Invalid([Problem("one_at_a_time", field)])
    return next(iter(wanted), None)
