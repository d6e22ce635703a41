"""The register of a store and a period, as it is printed: every entry in the book's order, with what was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import Invalid, NotFound, Problem
from feedback_app.services import catalogue
from feedback_app.services.register_pages import EntryLine, SentAnswer, Words, answers_of
from feedback_app.services.register_period import Wanted, asked_of
from feedback_app.storage import register as stored
from feedback_app.storage import register_pages_read
from feedback_app.storage.database import Database

MOST = 2_000
"""Entries of one print."""


@dataclass(frozen=True)
class Totals:
    """How many entries there are by kind, and how many of those that were due were answered in time."""

    kinds: Mapping[str, int]
    in_time: int
    due: int


@dataclass(frozen=True)
class PeriodBook:
    """The entries of a period in the book's order, answers by the id of the case, and the chain's head."""

    code: str
    names: Words
    addresses: Words
    timezone: str
    country: str
    lines: tuple[EntryLine, ...]
    answers: Mapping[int, Sequence[SentAnswer]]
    totals: Totals
    links: int
    last_link: str


def period_book(db: Database, access: Access, wanted: Wanted) -> PeriodBook:
    """Return the register of one store for a period.

    Raises NotFound outside the reader's scope, Invalid for more than `MOST` entries.
    """
    access.require(Right.READ_BOOK)
    with db.read(access) as session:
        store = catalogue.find_store(session, wanted.store or "")
        if store is None:
            raise NotFound("unknown_store")
        rows = register_pages_read.in_order(session, asked_of(session, wanted), MOST + 1)
        if len(rows) > MOST:
            raise Invalid([Problem("period_too_long", "until", limit=MOST)])
        lines = tuple(EntryLine(**row) for row in rows)
        heads = stored.heads(session.connection(), {store.id})
        return PeriodBook(
            code=store.code,
            names=store.names,
            addresses=store.addresses,
            timezone=store.timezone,
            country=store.country,
            lines=lines,
            answers=answers_of(session, lines),
            totals=totals_of(lines),
            links=heads[0].count if heads else 0,
            last_link=heads[0].link if heads else "",
        )


def totals_of(lines: Sequence[EntryLine]) -> Totals:
    """Return the totals of entries: due are those with a case that was answered or whose day has passed."""
    due = [line for line in lines if line.answered_at is not None or line.overdue]
    in_time = [line for line in due if line.answered_at is not None and line.answered_on <= line.due_on]
    return Totals(Counter(line.kind for line in lines), len(in_time), len(due))
