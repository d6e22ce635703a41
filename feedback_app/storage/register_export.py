"""Reading entries and cases for files: in the order of the books, a page at a time, in a reader's scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from feedback_app.domain import register as rules
from feedback_app.storage.register_pages_read import with_case
from feedback_app.storage.tables import (
    BookEntry,
    Case,
    CaseResponse,
    Point,
    RegisterLink,
    Response,
    Store,
    Touchpoint,
    User,
)

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Span:
    """Which rows are asked for: from a moment on, before a moment, of one store; None is all."""

    since: datetime | None = None
    until: datetime | None = None
    store: str | None = None


def _limited(query: Any, span: Span, at: Any) -> Any:
    if span.since is not None:
        query = query.where(at >= span.since)
    if span.until is not None:
        query = query.where(at < span.until)
    return query.where(Store.code == span.store) if span.store is not None else query


def count_entries(session: Session, span: Span) -> int:
    """Return how many entries there are."""
    query = sa.select(sa.func.count(BookEntry.id)).join(Store, Store.id == BookEntry.store_id)
    return int(session.execute(_limited(query, span, BookEntry.created_at)).scalar_one())


def entries(session: Session, span: Span, after: tuple[str, int, int] | None, limit: int) -> Sequence[Row]:
    """Return entries with their links by store, year and number, from behind those of the last row."""
    query = (
        sa.select(
            BookEntry.id,
            BookEntry.year,
            BookEntry.number,
            BookEntry.kind,
            BookEntry.text,
            BookEntry.created_at,
            Store.code.label("store"),
            Store.timezone.label("timezone"),
            Case.status.label("status"),
            Case.answered_at.label("answered_at"),
            sa.func.coalesce(Case.due_on, BookEntry.due_on).label("due_on"),
            RegisterLink.link.label("hash"),
            RegisterLink.previous.label("previous_hash"),
        )
        .join(Store, Store.id == BookEntry.store_id)
        .outerjoin(
            RegisterLink,
            sa.and_(RegisterLink.entry_id == BookEntry.id, RegisterLink.kind.in_((rules.ENTRY, rules.ADOPTED))),
        )
    )
    query = _limited(with_case(query), span, BookEntry.created_at)
    if after is not None:
        place = sa.tuple_(Store.code, BookEntry.year, BookEntry.number)
        query = query.where(place > sa.tuple_(*after))
    return session.execute(query.order_by(Store.code, BookEntry.year, BookEntry.number).limit(limit)).mappings().all()


def count_cases(session: Session, span: Span) -> int:
    """Return how many cases there are."""
    query = sa.select(sa.func.count(Case.id)).join(Store, Store.id == Case.store_id)
    return int(session.execute(_limited(query, span, Case.opened_at)).scalar_one())


def cases(session: Session, span: Span, after: tuple[str, int] | None, limit: int) -> Sequence[Row]:
    """Return cases by store and id, from behind those of the last row."""
    told = aliased(BookEntry)
    query = (
        sa.select(
            *(column for column in Case.__table__.columns if column.name not in ("escalated_at", "version")),
            Store.code.label("store"),
            Store.timezone.label("timezone"),
            told.year.label("year"),
            told.number.label("number"),
            Touchpoint.key.label("touchpoint"),
            User.email.label("assignee"),
        )
        .select_from(Case)
        .join(Store, Store.id == Case.store_id)
        .outerjoin(told, told.id == Case.entry_id)
        .outerjoin(Response, Response.id == Case.response_id)
        .outerjoin(Point, Point.id == Response.point_id)
        .outerjoin(Touchpoint, Touchpoint.id == Point.touchpoint_id)
        .outerjoin(User, User.id == Case.assignee_id)
    )
    query = _limited(query, span, Case.opened_at)
    if after is not None:
        query = query.where(sa.tuple_(Store.code, Case.id) > sa.tuple_(*after))
    return session.execute(query.order_by(Store.code, Case.id).limit(limit)).mappings().all()


def further_responses(session: Session, case_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the ids of the responses that cases gathered after the one that opened them, in their order."""
    query = sa.select(CaseResponse.case_id, CaseResponse.response_id).where(CaseResponse.case_id.in_(case_ids))
    found: dict[int, list[str]] = {}
    for row in session.execute(query.order_by(CaseResponse.case_id, CaseResponse.added_at, CaseResponse.response_id)):
        found.setdefault(row.case_id, []).append(str(row.response_id))
    return found
