"""Writing into a store's electronic feedback book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import book, responses
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.cases import ANSWERED_KINDS
from feedback_app.domain.deadlines import due_date
from feedback_app.domain.errors import NotFound
from feedback_app.domain.responses import PointForm
from feedback_app.services import catalogue, intake, letters
from feedback_app.services.clock import now
from feedback_app.storage.database import Database, insert_or
from feedback_app.storage.tables import BookCounter, BookEntry, Store


@dataclass(frozen=True)
class Written:
    """The receipt of an entry: its number in the store's book of the year, and until when it is answered."""

    number: int
    year: int
    due_on: date
    created_at: datetime


def _take_number(connection: Connection, store_id: int, year: int) -> int:
    """Return the next number of a store's year; the row's lock makes two writers take turns, so no gap, no double."""
    table = BookCounter.__table__
    insert = insert_or(connection, table).values(store_id=store_id, year=year, last=1)
    statement = insert.on_conflict_do_update(
        index_elements=["store_id", "year"], set_={"last": table.c.last + 1}
    ).returning(table.c.last)
    number: int = connection.execute(statement).scalar_one()
    return number


def find_entry(connection: Connection, entry_id: UUID) -> Written | None:
    """Return the receipt of an entry that is already there."""
    table = BookEntry.__table__
    row = connection.execute(sa.select(table).where(table.c.id == entry_id)).first()
    return Written(row.number, row.year, row.due_on, row.created_at) if row else None


def book_point(db: Database, store_code: str) -> tuple[Store, PointForm]:
    """Return a store and the point of its feedback book, or raise NotFound."""
    with db.read(SYSTEM) as session:
        store = catalogue.find_store(session, store_code)
        if store is None:
            raise NotFound("unknown_store")
        point = catalogue.store_point(session, store.id)
        version_id, version, form = catalogue.standing_form(db, session, "book")
        at = PointForm(point.id, store.id, point.token, "book", None, None, version_id, version, form)
        return store, at


def entry_row(
    entry: book.Entry, entry_id: UUID, store: Store, created_at: datetime, language: str | None
) -> dict[str, Any]:
    """Return the row of an entry, still without its number."""
    local = created_at.astimezone(ZoneInfo(store.timezone))
    return {
        "id": entry_id,
        "response_id": entry_id,
        "store_id": store.id,
        "year": local.year,
        "kind": entry.kind,
        "text": entry.text,
        "name": entry.name,
        "contact": entry.contact,
        "consent_version": book.CONSENT_VERSION if entry.consent else None,
        "consent_language": language if entry.consent else None,
        "consent_at": created_at if entry.consent else None,
        "language": language,
        "created_at": created_at,
        "due_on": due_date(local.date(), store.country, entry.kind),
    }


def insert_entry(connection: Connection, row: Mapping[str, Any]) -> int:
    """Number an entry and insert it; return the number."""
    number = _take_number(connection, row["store_id"], row["year"])
    connection.execute(sa.insert(BookEntry.__table__).values(number=number, **row))
    return number


def write_entry(db: Database, store_code: str, raw: Mapping[str, Any], entry_id: UUID, language: str | None) -> Written:
    """Write an entry into a store's book and return its receipt; raise Invalid with a problem per field.

    Numbered per store and calendar year, in the store's time, at the receipt; the same entry id again returns the
    first receipt. A complaint or claim opens a case and queues a letter to the store's managers.
    """
    entry = book.accept(raw)
    store, at = book_point(db, store_code)
    created_at = now()
    accepted = responses.build(entry_id, at, {"kind": entry.kind, "text": entry.text}, created_at, language=language)
    row = entry_row(entry, entry_id, store, created_at, language)
    receipt: list[Written] = []

    def beside(connection: Connection) -> None:
        number = insert_entry(connection, row)
        receipt.append(Written(number, row["year"], row["due_on"], created_at))
        if entry.kind in ANSWERED_KINDS:
            letters.queue_new_entry(connection, entry_id, store.id, store.code, number, row, created_at)

    extra = intake.Extra(
        case_reason=entry.kind if entry.kind in ANSWERED_KINDS else None, due_on=row["due_on"], beside=beside
    )
    intake.store(db, accepted, None, extra)
    if receipt:
        return receipt[-1]
    written = db.write(lambda connection: find_entry(connection, entry_id))
    if written is None:
        raise NotFound("unknown_entry")
    return written
