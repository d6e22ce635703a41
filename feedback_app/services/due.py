"""What is due today, what is overdue, and who has it: for whoever may read the book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from feedback_app.domain.access import Access, Right
from feedback_app.domain.cases import OPEN
from feedback_app.services.clock import now
from feedback_app.services.periods import today
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Case, Response, Store, User

MOST_URGENT = 10


@dataclass(frozen=True)
class DueCase:
    """A case that is due today or overdue, in the store's days."""

    id: int
    store_code: str
    store_names: Mapping[str, str]
    reason: str
    stage: str
    due_on: date
    days_over: int
    assignee: str | None

    @property
    def overdue(self) -> bool:
        """Say whether its last day has passed."""
        return self.days_over > 0


@dataclass(frozen=True)
class Load:
    """How many cases somebody has that are due today and overdue; None for cases that nobody has."""

    assignee: str | None
    today: int
    overdue: int


@dataclass(frozen=True)
class Due:
    """All that is due: counts, who has them, and the most urgent."""

    today: int
    overdue: int
    by: tuple[Load, ...]
    urgent: tuple[DueCase, ...]


def due(db: Database, access: Access, moment: datetime | None = None) -> Due:
    """Return what is due today and overdue in the reader's stores, the longest overdue first.

    Read by the index on status and deadline: closed cases cost nothing. The case of a voided response is left out.
    """
    access.require(Right.READ_BOOK)
    with db.read(access) as session:
        rows = _rows(session, moment or now())
    return Due(
        today=sum(not row.overdue for row in rows),
        overdue=sum(row.overdue for row in rows),
        by=_loads(rows),
        urgent=tuple(rows[:MOST_URGENT]),
    )


def _rows(session: Session, moment: datetime) -> list[DueCase]:
    latest = today("Pacific/Kiritimati", moment)  # no store is further ahead: what is due there may be due today
    query = (
        sa.select(Case.id, Store.code, Store.names, Store.timezone, Case.reason, Case.stage, Case.due_on, User.email)
        .join(Store, Store.id == Case.store_id)
        .join(Response, Response.id == Case.response_id)
        .outerjoin(User, User.id == Case.assignee_id)
        .where(Case.status.in_(OPEN), Case.due_on <= latest, Response.voided_at.is_(None))
        .order_by(Case.due_on, Case.id)
    )
    rows = []
    for row in session.execute(query):
        over = (today(row.timezone, moment) - row.due_on).days
        if over >= 0:
            rows.append(DueCase(row.id, row.code, row.names, row.reason, row.stage, row.due_on, over, row.email))
    return rows


def _loads(rows: Sequence[DueCase]) -> tuple[Load, ...]:
    """Return who has how many, who has most overdue first; what nobody has comes before all."""
    names = dict.fromkeys(row.assignee for row in rows)
    loads = [
        Load(
            name,
            sum(row.assignee == name and not row.overdue for row in rows),
            sum(row.assignee == name and row.overdue for row in rows),
        )
        for name in names
    ]
    return tuple(sorted(loads, key=lambda load: (load.assignee is not None, -load.overdue, -load.today)))
