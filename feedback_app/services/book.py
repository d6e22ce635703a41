"""Writing into a store's electronic feedback book."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from feedback_app.domain import book, case_rules, journey, responses
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.book_settings import BookSettings
from feedback_app.domain.cases import ANSWERED_KINDS
from feedback_app.domain.errors import NotFound, Problem
from feedback_app.domain.responses import PointForm
from feedback_app.services import automatic, book_settings, catalogue, intake, letters, terms
from feedback_app.services.clock import now
from feedback_app.services.intake import Prepared
from feedback_app.services.opening import open_by_rule, open_case
from feedback_app.services.register import keeper_of
from feedback_app.storage import register
from feedback_app.storage.anchor import Keeper
from feedback_app.storage.database import Database, insert_or
from feedback_app.storage.tables import BookCounter, BookEntry, BookPhoto, Store

WRITER = "writer"
"""The actor of what shoppers do themselves."""
PAGE, KIOSK, PAPER = "page", "kiosk", "paper"


@dataclass(frozen=True)
class Photo:
    """A photo that was drawn anew."""

    media_type: str
    content: bytes


@dataclass(frozen=True)
class Written:
    """The receipt of an entry: its number in the store's book of the year, and until when it is answered."""

    number: int
    year: int
    due_on: date
    created_at: datetime
    secret_hash: str | None = None

    def followed_by(self, secret: str) -> bool:
        """Say whether a secret opens this entry's link: one that came with a repeat may be another."""
        return self.secret_hash == hash_secret(secret)


@dataclass(frozen=True)
class How:
    """How an entry was written: where, by whom, with what secret to follow it, and with which photos."""

    source: str = PAGE
    actor: str = WRITER
    secret: str | None = None
    photos: Sequence[Photo] = ()
    paper_number: str | None = None
    paper_on: date | None = None
    consent_shown: tuple[str, str] | None = None
    """Version and language of the consent's words that the page showed; None for the current ones."""


def hash_secret(secret: str) -> str:
    """Return what is kept of the secret of an entry's link: it has 128 random bits or more, so SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


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
    return Written(row.number, row.year, row.due_on, row.created_at, row.secret_hash) if row else None


def _check_secret(connection: Connection, row: Mapping[str, Any]) -> None:
    """Raise Problem where another entry has the secret already."""
    table = BookEntry.__table__
    taken = sa.select(table.c.id).where(table.c.secret_hash == row["secret_hash"], table.c.id != row["id"])
    if row["secret_hash"] is not None and connection.execute(taken).first() is not None:
        raise Problem("secret_used", "secret")


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


def received_on(how: How, today: date) -> date:
    """Return the day from which the term runs: the one in the paper book, where it was copied from there."""
    return min(how.paper_on, today) if how.paper_on else today


def entry_row(
    entry: book.Entry, entry_id: UUID, store: Store, created_at: datetime, language: str | None, how: How | None = None
) -> dict[str, Any]:
    """Return the row of an entry, still without its number; its deadline by the defaults, until settings are read.

    The term of what stands in the paper book runs from the day that it was written there.
    """
    local = created_at.astimezone(ZoneInfo(store.timezone))
    how = how or How()
    version, shown_in = how.consent_shown or (book.CONSENT_VERSION, language)
    return {
        "id": entry_id,
        "response_id": entry_id,
        "store_id": store.id,
        "year": local.year,
        "kind": entry.kind,
        "text": entry.text,
        "name": entry.name,
        "contact": entry.contact,
        "consent_version": version if entry.consent else None,
        "consent_language": shown_in if entry.consent else None,
        "consent_at": created_at if entry.consent else None,
        "consent_by": entry.consent_by,
        "language": language,
        "created_at": created_at,
        "due_on": terms.due_by(BookSettings(), received_on(how, local.date()), store.country, entry.kind),
        "source": how.source,
        "paper_number": how.paper_number,
        "paper_on": how.paper_on,
        "secret_hash": hash_secret(how.secret) if how.secret else None,
    }


def insert_entry(
    connection: Connection, keeper: Keeper, row: Mapping[str, Any], photos: Sequence[Photo] = (), actor: str = WRITER
) -> int:
    """Number an entry, insert it with its photos and tell the register; return the number."""
    number = _take_number(connection, row["store_id"], row["year"])
    connection.execute(sa.insert(BookEntry.__table__).values(number=number, **row))
    for position, photo in enumerate(photos, 1):
        values = {"id": uuid4(), "entry_id": row["id"], "store_id": row["store_id"], "position": position}
        connection.execute(
            sa.insert(BookPhoto.__table__).values(**values, media_type=photo.media_type, content=photo.content)
        )
    register.append_entry(connection, keeper, row["id"], row["created_at"], actor)
    return number


def entry_case(row: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Return the row of the case that an entry opens."""
    return {
        "store_id": row["store_id"],
        "response_id": row["response_id"],
        "entry_id": row["id"],
        "stage": stage,
        "reason": row["kind"],
        "status": "new",
        "opened_at": row["created_at"],
        "due_on": row["due_on"],
    }


def write_entry(
    db: Database,
    store_code: str,
    raw: Mapping[str, Any],
    entry_id: UUID,
    language: str | None,
    how: How | None = None,
) -> Written:
    """Write an entry into a store's book and return its receipt; raise Invalid with a problem per field.

    Numbered per store and calendar year, in the store's time, at the receipt; the same entry id again returns the
    first receipt. A complaint or claim opens a case and queues a letter to the store's managers; so do words of
    danger in any other.
    """
    entry = book.accept(raw)
    how, keeper = how or How(), keeper_of(db)
    store, at = book_point(db, store_code)
    created_at = now()
    accepted = responses.build(entry_id, at, {"kind": entry.kind, "text": entry.text}, created_at, language=language)
    row = entry_row(entry, entry_id, store, created_at, language, how)
    receipt: list[Written] = []

    def beside(connection: Connection, prepared: Prepared) -> None:
        _check_secret(connection, row)
        day = received_on(how, created_at.astimezone(ZoneInfo(store.timezone)).date())
        row["due_on"] = terms.due_on(connection, day, store.country, entry.kind)
        number = insert_entry(connection, keeper, row, how.photos, how.actor)
        receipt.append(Written(number, row["year"], row["due_on"], created_at, row["secret_hash"]))
        stage = prepared.mentions[0]["stage"] if prepared.mentions else journey.WHOLE_VISIT_STAGE
        if entry.kind not in ANSWERED_KINDS:
            if automatic.speaks_of_danger(book_settings.of(connection), entry.text):
                open_by_rule(connection, keeper, {**entry_case(row, stage), "reason": case_rules.DANGER})
        else:
            open_case(connection, keeper, entry_case(row, stage))
            letters.queue_new_entry(connection, entry_id, store.id, store.code, number, row, created_at)

    try:
        intake.store(db, accepted, None, intake.Extra(beside=beside))
    except IntegrityError:  # two at the same moment with one secret: the second sees the first only now
        db.write(lambda connection: _check_secret(connection, row))
        raise
    if receipt:
        return receipt[-1]
    return db.write(lambda connection: _repeated(connection, entry_id, entry, how))


def _repeated(connection: Connection, entry_id: UUID, entry: book.Entry, how: How) -> Written:
    """Return the receipt of an entry that is there already; raise Problem `conflict` where the page now holds more."""
    written, entries, photos = find_entry(connection, entry_id), BookEntry.__table__, BookPhoto.__table__
    if written is None:
        raise NotFound("unknown_entry")
    consent_by = connection.execute(sa.select(entries.c.consent_by).where(entries.c.id == entry_id)).scalar_one()
    count = sa.select(sa.func.count()).where(photos.c.entry_id == entry_id)
    if (consent_by, connection.execute(count).scalar_one()) != (entry.consent_by, len(how.photos)):
        raise Problem("conflict", "id")
    return written
