"""Copying entries of a store's paper book into the register, by its staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from feedback_app.domain import book as rules
from feedback_app.domain import consents
from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import Invalid, NotFound, Problem
from feedback_app.domain.forms import Words
from feedback_app.services import book
from feedback_app.services.book import PAPER, How, Photo, Written
from feedback_app.services.clock import now
from feedback_app.storage.database import Database
from feedback_app.storage.tables import BookEntry, Store


@dataclass(frozen=True)
class PaperBook:
    """A store whose paper book may be copied from."""

    id: int
    code: str
    names: Words
    timezone: str


@dataclass(frozen=True)
class Copied:
    """The receipt of a copied entry, to write beside it in the paper book."""

    written: Written
    paper_number: str | None


def books(db: Database, access: Access) -> list[PaperBook]:
    """Return the stores whose paper books the reader may copy from, by code."""
    access.require(Right.WORK_CASES)
    with db.read(access) as session:
        stores = session.scalars(sa.select(Store).order_by(Store.code))
        return [
            PaperBook(store.id, store.code, store.names, store.timezone)
            for store in stores
            if access.sees_store(store.id)
        ]


def find_book(db: Database, access: Access, code: str) -> PaperBook:
    """Return the paper book of a store, or raise NotFound outside the reader's scope."""
    found = next((one for one in books(db, access) if one.code == code), None)
    if found is None:
        raise NotFound("unknown_store")
    return found


def copy_entry(
    db: Database,
    access: Access,
    store_code: str,
    raw: Mapping[str, Any],
    entry_id: UUID,
    shown_in: str,
    photos: Sequence[Photo] = (),
) -> Written:
    """Write an entry of the paper book into the register; raise Invalid with a problem per field.

    `raw` holds the entry's fields with `paper_number` and `paper_on`; `shown_in` is the language in which staff read
    the words of consent. Its term runs from the day in the paper book.
    """
    store = find_book(db, access, store_code)
    raw = {**raw, "consent_by": consents.PAPER}
    today = now().astimezone(ZoneInfo(store.timezone)).date()
    problems: list[Problem] = []
    number = day = None
    try:
        rules.accept(raw)
    except Invalid as invalid:
        problems += map(_of_staff, invalid.problems)
    try:
        number, day = rules.paper_place(str(raw.get("paper_number") or ""), str(raw.get("paper_on") or ""), today)
    except Invalid as invalid:
        problems += invalid.problems
    if problems:
        raise Invalid(problems)
    how = How(
        source=PAPER,
        actor=access.name,
        photos=photos,
        paper_number=number,
        paper_on=day,
        consent_shown=(rules.CONSENT_VERSION, shown_in),
    )
    return book.write_entry(db, store.code, raw, entry_id, None, how)


def _of_staff(problem: Problem) -> Problem:
    """Return a problem as staff are told it: the consent is not theirs."""
    return Problem("paper_consent_needed", "consent") if problem.code == "consent_needed" else problem


def copied(db: Database, access: Access, store_code: str, entry_id: UUID) -> Copied:
    """Return the receipt of a copied entry, or raise NotFound."""
    store = find_book(db, access, store_code)
    table = BookEntry.__table__
    query = sa.select(table).where(table.c.id == entry_id, table.c.store_id == store.id, table.c.source == PAPER)
    with db.engine.connect() as connection:
        row = connection.execute(query).first()
    if row is None:
        raise NotFound("unknown_entry")
    return Copied(Written(row.number, row.year, row.due_on, row.created_at), row.paper_number)
