"""Reading entries of the feedback books with the cases that came of them, in a reader's scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from feedback_app.domain import register as rules
from feedback_app.storage.tables import BookEntry, BookPhoto, Case, CaseResponse, RegisterLink, Store, User
from feedback_app.storage.words_read import Place

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Asked:
    """Which entries are asked for: of one store, of a year, of a span of moments by time zone; None means all.

    `spans` holds for each time zone the first moment inside and the first one after, either of them may be open.
    """

    store_id: int | None = None
    year: int | None = None
    spans: Mapping[str, tuple[datetime | None, datetime | None]] | None = None


def with_case(query: Any) -> Any:
    """Join the case that an entry stands in: its own, the one that took it in, or one that gathered it later."""
    own, gathered = aliased(Case), aliased(CaseResponse)
    return (
        query.outerjoin(own, own.response_id == BookEntry.response_id)
        .outerjoin(gathered, gathered.response_id == BookEntry.response_id)
        .outerjoin(Case, Case.id == sa.func.coalesce(own.joined_to, own.id, gathered.case_id))
    )


_LINE = (
    BookEntry.id,
    BookEntry.store_id,
    BookEntry.year,
    BookEntry.number,
    BookEntry.kind,
    BookEntry.text,
    BookEntry.name,
    BookEntry.created_at,
    Store.code.label("store_code"),
    Store.names.label("store_names"),
    Store.addresses.label("store_addresses"),
    Store.timezone.label("timezone"),
    Store.country.label("country"),
    Case.id.label("case_id"),
    Case.status.label("status"),
    Case.answered_at.label("answered_at"),
    sa.func.coalesce(Case.due_on, BookEntry.due_on).label("due_on"),
)
_MORE = (
    BookEntry.contact,
    BookEntry.language,
    BookEntry.consent_version,
    BookEntry.consent_language,
    BookEntry.consent_at,
    BookEntry.consent_by,
    BookEntry.source,
    BookEntry.paper_number,
    BookEntry.paper_on,
    BookEntry.due_on.label("first_due_on"),
)


def _lines(*more: Any) -> Any:
    return with_case(sa.select(*_LINE, *more).join(Store, Store.id == BookEntry.store_id))


def _asked(query: Any, asked: Asked) -> Any:
    if asked.store_id is not None:
        query = query.where(BookEntry.store_id == asked.store_id)
    if asked.year is not None:
        query = query.where(BookEntry.year == asked.year)
    if asked.spans is not None:
        query = query.where(sa.or_(sa.false(), *(_within(zone, *span) for zone, span in asked.spans.items())))
    return query


def _within(zone: str, since: datetime | None, until: datetime | None) -> sa.ColumnElement[bool]:
    bounds: list[sa.ColumnElement[bool]] = [Store.timezone == zone]
    if since is not None:
        bounds.append(BookEntry.created_at >= since)
    if until is not None:
        bounds.append(BookEntry.created_at < until)
    return sa.and_(*bounds)


def newest(session: Session, asked: Asked, after: Place | None, limit: int) -> Sequence[Row]:
    """Return a page of entries, the newest first, from behind a place."""
    query = _asked(_lines(), asked).order_by(BookEntry.created_at.desc(), BookEntry.id.desc()).limit(limit)
    if after is not None:
        at, one = (
            sa.literal(after.occurred_at, BookEntry.created_at.type),
            sa.literal(after.response_id, BookEntry.id.type),
        )
        query = query.where(sa.tuple_(BookEntry.created_at, BookEntry.id) < sa.tuple_(at, one))
    return session.execute(query).mappings().all()


def in_order(session: Session, asked: Asked, limit: int) -> Sequence[Row]:
    """Return entries as they stand in the book, by year and number, at most so many."""
    query = _asked(_lines(), asked).order_by(BookEntry.year, BookEntry.number, BookEntry.id).limit(limit)
    return session.execute(query).mappings().all()


def counts(session: Session, asked: Asked) -> int:
    """Return how many entries are asked for."""
    query = sa.select(sa.func.count(BookEntry.id)).join(Store, Store.id == BookEntry.store_id)
    return int(session.execute(_asked(query, asked)).scalar_one())


def open_by_due_day(session: Session, asked: Asked, statuses: Sequence[str]) -> Sequence[Row]:
    """Return how many entries wait in cases of these statuses, by time zone and due day."""
    due = sa.func.coalesce(Case.due_on, BookEntry.due_on).label("due_on")
    query = sa.select(Store.timezone.label("timezone"), due, sa.func.count(BookEntry.id).label("n"))
    query = with_case(query.select_from(BookEntry).join(Store, Store.id == BookEntry.store_id))
    query = _asked(query.where(Case.status.in_(statuses)), asked).group_by(Store.timezone, due)
    return session.execute(query).mappings().all()


def years(session: Session, store_id: int | None) -> list[int]:
    """Return the years that have entries, the newest first."""
    query = sa.select(BookEntry.year).distinct().order_by(BookEntry.year.desc())
    if store_id is not None:
        query = query.where(BookEntry.store_id == store_id)
    return list(session.execute(query).scalars())


def stores(session: Session) -> list[tuple[str, Mapping[str, str]]]:
    """Return code and names of the stores in scope, by code."""
    return [(row.code, row.names) for row in session.execute(sa.select(Store.code, Store.names).order_by(Store.code))]


def by_number(session: Session, store_id: int, year: int, number: int) -> Row | None:
    """Return an entry with all that stands in its row; None where there is none."""
    query = _lines(*_MORE).where(BookEntry.store_id == store_id, BookEntry.year == year, BookEntry.number == number)
    return session.execute(query).mappings().first()


def photos(session: Session, entry_id: UUID) -> Sequence[Row]:
    """Return the photos of an entry without their content, in their order; `erased` says that it is gone."""
    erased = BookPhoto.content.is_(None).label("erased")
    query = sa.select(BookPhoto.id, BookPhoto.media_type, BookPhoto.position, erased)
    query = query.where(BookPhoto.entry_id == entry_id).order_by(BookPhoto.position, BookPhoto.id)
    return session.execute(query).mappings().all()


def photo(session: Session, photo_id: UUID) -> Row | None:
    """Return a photo's content and the id of its store; None where there is no such photo in scope."""
    query = sa.select(BookPhoto.store_id, BookPhoto.media_type, BookPhoto.content).where(BookPhoto.id == photo_id)
    return session.execute(query).mappings().first()


def links(session: Session, entry_id: UUID, case_id: int | None) -> Sequence[Row]:
    """Return the links that tell of an entry and of the case it stands in, in their order."""
    told = RegisterLink.entry_id == entry_id
    if case_id is not None:
        told = sa.or_(told, RegisterLink.case_id == case_id)
    columns = (
        RegisterLink.position,
        RegisterLink.at,
        RegisterLink.kind,
        RegisterLink.actor,
        RegisterLink.entry_id,
        RegisterLink.case_id,
        RegisterLink.facts,
        RegisterLink.seals,
        RegisterLink.words,
        RegisterLink.link,
    )
    return session.execute(sa.select(*columns).where(told).order_by(RegisterLink.position)).mappings().all()


def answer_links(session: Session, case_ids: Sequence[int]) -> Sequence[Row]:
    """Return the links of answers that were sent in cases, in their order."""
    columns = (RegisterLink.case_id, RegisterLink.kind, RegisterLink.at, RegisterLink.actor, RegisterLink.words)
    query = sa.select(*columns).where(RegisterLink.kind == rules.ANSWER, RegisterLink.case_id.in_(case_ids))
    return session.execute(query.order_by(RegisterLink.case_id, RegisterLink.position)).mappings().all()


def people(session: Session, user_ids: Sequence[int]) -> dict[int, str]:
    """Return the e-mail addresses of users by id."""
    return {row.id: row.email for row in session.execute(sa.select(User.id, User.email).where(User.id.in_(user_ids)))}
