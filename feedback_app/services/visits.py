"""Mystery visits: opening a checklist and handing it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain import responses
from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.domain.checklists import VisitScore, score_visit
from feedback_app.domain.errors import DomainError, NotFound, Problem
from feedback_app.domain.forms import Form
from feedback_app.domain.responses import PointForm
from feedback_app.services import catalogue, intake
from feedback_app.services.clock import now
from feedback_app.storage import house
from feedback_app.storage.database import Database
from feedback_app.storage.tables import FormVersion, Point, Response, Visit

Words = Mapping[str, str]


@dataclass(frozen=True)
class VisitRow:
    """A visit in a list."""

    token: str
    store_code: str
    store_names: Words
    planned_for: date
    submitted_at: datetime | None
    score: float | None


@dataclass(frozen=True)
class VisitPage(VisitRow):
    """A visit with its checklist, and its result once it is handed in."""

    form: Form
    timezone: str
    result: VisitScore | None
    answers: Mapping[str, Any] | None


def _list_row(visit: Visit) -> dict[str, Any]:
    return {
        "token": visit.token,
        "store_code": visit.store.code,
        "store_names": visit.store.names,
        "planned_for": visit.planned_for,
        "submitted_at": visit.submitted_at,
        "score": visit.score,
    }


def mine(db: Database, access: Access, limit: int = 200) -> list[VisitRow]:
    """Return the visits that the reader may see, the ones to be made first."""
    access.require(Right.READ_VISITS)
    with db.read(access) as session:
        query = sa.select(Visit).order_by(Visit.submitted_at.is_not(None), Visit.planned_for.desc(), Visit.id)
        return [VisitRow(**_list_row(visit)) for visit in session.scalars(query.limit(limit))]


def open_visit(db: Database, access: Access, token: str) -> VisitPage:
    """Return a visit that is in the reader's sight, or raise NotFound."""
    access.require(Right.READ_VISITS)
    with db.read(access) as session:
        visit = session.scalars(sa.select(Visit).where(Visit.token == token)).first()
        if visit is None:
            raise NotFound("unknown_visit")
        form = catalogue.shelf(db).get(session, visit.form_version_id)
        answers = None
        if visit.response_id is not None:
            table = Response.__table__
            own = sa.select(table.c.answers).where(table.c.id == visit.response_id)
            answers = session.connection().execute(own).scalar()
        return VisitPage(
            **_list_row(visit),
            form=form,
            timezone=visit.store.timezone,
            answers=answers,
            result=score_visit(form, answers) if answers is not None else None,
        )


def _visit_point(db: Database, session: Session, visit: Visit) -> PointForm:
    """Return the point of the visit's store as a whole; a shopper's own scope does not hold it."""
    points = Point.__table__
    query = sa.select(points.c.id, points.c.token).where(
        points.c.store_id == visit.store_id, points.c.touchpoint_id.is_(None)
    )
    point = session.connection().execute(query).one()
    version = session.scalar(sa.select(FormVersion.version).where(FormVersion.id == visit.form_version_id))
    form = catalogue.shelf(db).get(session, visit.form_version_id)
    return PointForm(
        point.id, visit.store_id, point.token, "mystery", None, None, visit.form_version_id, version or 1, form
    )


def submit(
    db: Database, access: Access, token: str, answers: Mapping[str, Any], response_id: UUID, language: str | None
) -> VisitScore:
    """Hand a checklist in and return its score; raise Invalid, NotFound, or `already_submitted`.

    The same response id again returns the same score and changes nothing.
    """
    access.require(Right.FILL_VISIT)
    with db.read(access) as session:
        visit = session.scalars(sa.select(Visit).where(Visit.token == token)).first()
        if visit is None or visit.shopper_id != access.user_id:
            raise NotFound("unknown_visit")
        if visit.response_id is not None and visit.response_id != response_id:
            raise DomainError("already_submitted")
        visit_id, at = visit.id, _visit_point(db, session, visit)
    accepted = responses.build(response_id, at, answers, now(), language=language)
    visits = Visit.__table__

    def beside(connection: Connection, _prepared: object) -> None:
        values = {"submitted_at": accepted.received_at, "response_id": response_id, "score": accepted.score}
        taken = connection.execute(
            sa.update(visits).where(visits.c.id == visit_id, visits.c.response_id.is_(None)).values(**values)
        )
        if taken.rowcount != 1:
            raise DomainError("already_submitted")
        house.audit(connection, accepted.received_at, access.actor, "visit.submit", f"visit:{visit_id}")

    outcome = intake.store(db, accepted, None, intake.Extra(beside=beside))
    if outcome.status == intake.DUPLICATE and not _carries(db, visit_id, response_id):
        raise Problem("conflict", "response_id")
    return accepted.visit or VisitScore()


def _carries(db: Database, visit_id: int, response_id: UUID) -> bool:
    with db.read(SYSTEM) as session:
        return session.scalar(sa.select(Visit.response_id).where(Visit.id == visit_id)) == response_id
