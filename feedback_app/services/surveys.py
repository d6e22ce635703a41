"""What staff set of a collection point's survey: its end, whether a receipt is asked for, whether the point is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import Invalid, NotFound, Problem
from feedback_app.domain.surveys import RECEIPT
from feedback_app.services import catalogue, senders
from feedback_app.services.clock import now
from feedback_app.storage import house
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Point, Touchpoint


@dataclass(frozen=True)
class Change:
    """What is to be another way; None leaves it as it is."""

    until: date | None = None
    endless: bool = False
    one_per_receipt: bool | None = None
    closed: bool | None = None


@dataclass(frozen=True)
class SurveyState:
    """How a point's survey stands; `until` is its last day in the store's time zone."""

    token: str
    until: date | None
    one_per_receipt: bool
    closed_at: datetime | None


def end_of_day(day: date, timezone: str) -> datetime:
    """Return when a day ends in a time zone: at the midnight after it."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(timezone))


def last_day(end: datetime, timezone: str) -> date:
    """Return the last day of what ended at a moment, in a time zone: of a midnight, the day before it."""
    return (end - timedelta(seconds=1)).astimezone(ZoneInfo(timezone)).date()


def _find(session: Session, store_code: str, touchpoint: str) -> Point:
    store = catalogue.find_store(session, store_code)
    if store is None:
        raise NotFound("unknown_store")
    found = session.scalars(
        sa.select(Point).join(Point.touchpoint).where(Point.store_id == store.id, Touchpoint.key == touchpoint)
    ).first()
    if found is None:
        raise NotFound("unknown_touchpoint")
    if found.survey_form_id is None:
        raise NotFound("no_survey")
    return found


def _end(day: date, timezone: str) -> datetime:
    try:
        return end_of_day(day, timezone)
    except OverflowError:
        high = date.max - timedelta(days=1)
        raise Invalid([Problem("out_of_range", "until", low=date.min, high=high)]) from None


def _values(db: Database, session: Session, point: Point, change: Change, moment: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if change.until is not None:
        values["survey_until"] = _end(change.until, point.store.timezone)
    elif change.endless:
        values["survey_until"] = None
    if change.one_per_receipt is not None:
        if change.one_per_receipt and RECEIPT in catalogue.point_form(db, session, point, "qr", None).form.by_key:
            raise Problem("receipt_question")
        values["one_per_receipt"] = change.one_per_receipt
    if change.closed is not None:
        values["closed_at"] = (point.closed_at or moment) if change.closed else None
    return values


def _state(point: Point) -> SurveyState:
    end = point.survey_until
    until = last_day(end, point.store.timezone) if end else None
    return SurveyState(point.token, until, point.one_per_receipt, point.closed_at)


def set_survey(db: Database, access: Access, store_code: str, touchpoint: str, change: Change) -> SurveyState:
    """Change the survey of a store's touchpoint and return how it stands; raise NotFound, Invalid or Problem.

    Who did it is written down. Closing a point ends its kiosk page too; what was given before still arrives.
    """
    access.require(Right.MANAGE_DEVICES)
    moment = now()
    with db.read(access) as session:
        point = _find(session, store_code, touchpoint)
        values = _values(db, session, point, change, moment)

    def work(connection: Connection) -> None:
        connection.execute(sa.update(Point.__table__).where(Point.__table__.c.id == point.id).values(**values))
        told = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}
        house.audit(connection, moment, access.actor, "survey.set", f"point:{point.id}", told)

    if values:
        db.write(work)
        senders.forget(db)
    with db.read(access) as session:
        return _state(_find(session, store_code, touchpoint))
