"""The cases of a reader's stores: whose turn it is, by the last day to answer, a page at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from feedback_app.domain import cases as rules
from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import Invalid, Problem
from feedback_app.services import people_of
from feedback_app.services.case_ground import day_in
from feedback_app.services.clock import now
from feedback_app.storage.database import Database
from feedback_app.storage.tables import BookEntry, Case, Response, Store

PAGE = 50
OPEN, OVERDUE, MINE, ANSWERED, CLOSED, ALL = "open", "overdue", "mine", "answered", "closed", "all"
GROUPS: tuple[str, ...] = (OPEN, OVERDUE, MINE, ANSWERED, CLOSED, ALL)
EXCERPT = 200


@dataclass(frozen=True)
class Wanted:
    """Which cases are asked for."""

    group: str = OPEN
    store: str | None = None
    reason: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class CaseLine:
    """A case in the list; `text` is the beginning of what was said, None where it was erased."""

    id: int
    status: str
    reason: str
    opened_at: datetime
    due_on: date | None
    overdue: bool
    due_today: bool
    store_code: str
    store_names: Mapping[str, str]
    timezone: str
    number: int | None
    year: int | None
    text: str | None
    assignee: str | None
    labels: tuple[str, ...]
    mine: bool


@dataclass(frozen=True)
class CaseList:
    """A page of cases; `next_cursor` asks for the one after it, None where this is the last."""

    lines: tuple[CaseLine, ...]
    counts: Mapping[str, int]
    next_cursor: str | None
    stores: tuple[tuple[str, Mapping[str, str]], ...]
    reasons: tuple[str, ...]
    labels: tuple[str, ...]


def listed(db: Database, access: Access, wanted: Wanted, cursor: str | None = None) -> CaseList:
    """Return a page of the cases of the reader's stores, and how many there are in each group.

    Open ones by their last day, the earliest first; the others the newest first. Raises Forbidden without the right,
    Invalid for an unknown group or cursor.
    """
    access.require(Right.READ_BOOK)
    if wanted.group not in GROUPS:
        raise Invalid([Problem("unknown_choice", "group")])
    after, at = _read_cursor(cursor), now()
    with db.read(access) as session:
        groups = _groups(session, access, at)
        narrow = _narrow(wanted)
        counts = _counts(session, groups, narrow)
        rows = _rows(session, [groups[wanted.group], *narrow], wanted.group in (ANSWERED, CLOSED, ALL), after)
        names = people_of.emails(session, {row.Case.assignee_id for row in rows})
        more = len(rows) > PAGE
        return CaseList(
            tuple(_line(row, names, access, at) for row in rows[:PAGE]),
            counts,
            _cursor_of(rows[PAGE - 1].Case) if more else None,
            _stores(session),
            tuple(session.scalars(sa.select(Case.reason).distinct().order_by(Case.reason))),
            _labels(session),
        )


def _groups(session: Session, access: Access, at: datetime) -> dict[str, sa.ColumnElement[bool]]:
    open_ones = Case.status.in_(sorted(rules.OPEN))
    zones = session.scalars(sa.select(Store.timezone).distinct())
    past = [sa.and_(Store.timezone == zone, Case.due_on < day_in(at, zone)) for zone in zones]
    return {
        OPEN: open_ones,
        OVERDUE: sa.and_(open_ones, sa.or_(sa.false(), *past)),
        MINE: sa.and_(open_ones, Case.assignee_id == (access.user_id or 0)),
        ANSWERED: Case.status == rules.ANSWERED,
        CLOSED: Case.status == rules.CLOSED,
        ALL: sa.true(),
    }


def _narrow(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.store:
        found.append(Store.code == wanted.store)
    if wanted.reason:
        found.append(Case.reason == wanted.reason)
    if wanted.label:
        # A list of labels is kept as JSON: in it a label stands between quotes, with its letters written as codes.
        written = json.dumps(wanted.label)
        found.append(sa.cast(Case.labels, sa.Text).contains(written, autoescape=True))
    return found


def _counts(
    session: Session, groups: Mapping[str, sa.ColumnElement[bool]], narrow: list[sa.ColumnElement[bool]]
) -> dict[str, int]:
    columns = [sa.func.count(sa.case((condition, 1))) for condition in groups.values()]
    query = sa.select(*columns).select_from(Case).join(Store, Store.id == Case.store_id).where(*narrow)
    return dict(zip(groups, session.execute(query).one(), strict=True))


def _rows(
    session: Session, conditions: list[sa.ColumnElement[bool]], newest: bool, after: tuple[date | None, int] | None
) -> list[Any]:
    query = (
        sa.select(Case, Store, BookEntry, Response.comment)
        .join(Store, Store.id == Case.store_id)
        .join(Response, Response.id == Case.response_id)
        .outerjoin(BookEntry, BookEntry.id == Case.entry_id)
        .where(*conditions)
    )
    if newest:
        query = query.where(Case.id < after[1]) if after else query
        order: tuple[Any, ...] = (Case.id.desc(),)
    else:
        query = query.where(_beyond(*after)) if after else query
        order = (Case.due_on.is_(None), Case.due_on, Case.id)
    return list(session.execute(query.order_by(*order).limit(PAGE + 1)))


def _beyond(due_on: date | None, case_id: int) -> sa.ColumnElement[bool]:
    """Say what comes after a case in the order of last days; those without one come last."""
    if due_on is None:
        return sa.and_(Case.due_on.is_(None), Case.id > case_id)
    same = sa.and_(Case.due_on == due_on, Case.id > case_id)
    return sa.or_(Case.due_on > due_on, same, Case.due_on.is_(None))


def _cursor_of(case: Case) -> str:
    return f"{case.due_on or 'none'}.{case.id}"


def _read_cursor(cursor: str | None) -> tuple[date | None, int] | None:
    if not cursor:
        return None
    day, _, number = cursor.partition(".")
    try:
        case_id = int(number)
        if not 0 < case_id < 2**31:
            raise ValueError(number)
        return None if day == "none" else date.fromisoformat(day), case_id
    except ValueError as error:
        raise Invalid([Problem("bad_cursor", "cursor")]) from error


def _line(row: Any, names: Mapping[int, str], access: Access, at: datetime) -> CaseLine:
    case, store, entry = row.Case, row.Store, row.BookEntry
    today = at.astimezone(ZoneInfo(store.timezone)).date()
    text = row.comment if entry is None else entry.text
    return CaseLine(
        id=case.id,
        status=case.status,
        reason=case.reason,
        opened_at=case.opened_at,
        due_on=case.due_on,
        overdue=rules.is_overdue(case.status, case.due_on, today),
        due_today=case.status in rules.OPEN and case.due_on == today,
        store_code=store.code,
        store_names=store.names,
        timezone=store.timezone,
        number=None if entry is None else entry.number,
        year=None if entry is None else entry.year,
        text=_beginning(text),
        assignee=names.get(case.assignee_id),
        labels=tuple(case.labels),
        mine=case.assignee_id is not None and case.assignee_id == access.user_id,
    )


def _beginning(text: str | None) -> str | None:
    if text is None or len(text) <= EXCERPT:
        return text
    return f"{text[:EXCERPT].rsplit(None, 1)[0]} …"


def _stores(session: Session) -> tuple[tuple[str, Mapping[str, str]], ...]:
    with_cases = sa.select(Store).where(Store.id.in_(sa.select(Case.store_id))).order_by(Store.code)
    return tuple((store.code, store.names) for store in session.scalars(with_cases))


def _labels(session: Session) -> tuple[str, ...]:
    lists = session.scalars(sa.select(Case.labels).where(sa.cast(Case.labels, sa.Text) != "[]"))
    return tuple(sorted({str(label) for labels in lists for label in labels}))
