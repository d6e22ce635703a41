"""Stores, points, forms and devices: what is there, and where responses may come in."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain import forms, surveys
from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.domain.errors import NotFound, Problem
from feedback_app.domain.responses import PointForm
from feedback_app.services.clock import now
from feedback_app.storage import devices, house
from feedback_app.storage.database import Database
from feedback_app.storage.tables import FormRow, FormVersion, Point, Store, Touchpoint

Words = Mapping[str, str]
CHANNEL_FORMS = {"button": "kiosk_form_id", "qr": "survey_form_id"}
_PAGE_CHANNELS = {"kiosk": "button", "survey": "qr"}


@dataclass(frozen=True)
class PointPage:
    """What the page of a collection point shows."""

    at: PointForm
    store_code: str
    store_names: Words
    touchpoint_names: Words
    timezone: str


@dataclass(frozen=True)
class EndedSurvey:
    """What is said at a collection point whose survey has ended; `since` is empty where it has no survey at all."""

    token: str
    since: datetime | None
    store_code: str
    store_names: Words
    touchpoint_names: Words
    timezone: str


@dataclass(frozen=True)
class StorePage:
    """What the feedback book's page of a store shows."""

    id: int
    code: str
    names: Words
    country: str
    timezone: str


@dataclass(frozen=True)
class PointRow:
    """A collection point in a list."""

    token: str
    store_code: str
    store_names: Words
    touchpoint: str
    touchpoint_names: Words


def hash_token(token: str) -> str:
    """Return what is kept of a secret token."""
    return hashlib.sha256(token.encode()).hexdigest()


class FormShelf:
    """Parsed form versions, kept in memory: a published version never changes."""

    def __init__(self) -> None:
        self._forms: dict[int, forms.Form] = {}
        self._ids: dict[tuple[int, int], int] = {}

    def get(self, session: Session | Connection, version_id: int) -> forms.Form:
        """Return a form version, read once."""
        if version_id not in self._forms:
            table = FormVersion.__table__
            raw = session.execute(sa.select(table.c.definition).where(table.c.id == version_id)).scalar_one()
            self._forms[version_id] = forms.parse(raw)
        return self._forms[version_id]

    def find(self, session: Session | Connection, form_id: int, version: int | None) -> tuple[int, int] | None:
        """Return id and number of a version of a form, the newest for None; None where it has no such version."""
        if version is not None and (form_id, version) in self._ids:
            return self._ids[form_id, version], version
        columns = FormVersion.__table__.c
        query = sa.select(columns.id, columns.version).where(columns.form_id == form_id)
        if version is not None:
            query = query.where(columns.version == version)
        row = session.execute(query.order_by(columns.version.desc()).limit(1)).first()
        if row is None:
            return None
        self._ids[form_id, row.version] = row.id
        return row.id, row.version


def shelf(db: Database) -> FormShelf:
    """Return the form shelf of a database."""
    found: FormShelf = db.memory.setdefault("forms", FormShelf())
    return found


def point_form(db: Database, session: Session, point: Point, channel: str, version: int | None) -> PointForm:
    """Return a point with a version of its channel's form (None: the newest), or raise Problem."""
    touchpoint = point.touchpoint
    place = (touchpoint.key, touchpoint.stage) if touchpoint else (None, None)
    return form_at(db, session, point, place, channel, version)


def form_at(
    db: Database,
    session: Session | Connection,
    point: Point | sa.Row[Any],
    place: tuple[str | None, str | None],
    channel: str,
    version: int | None,
) -> PointForm:
    """Return what `point_form` does, of a point or its bare columns, and the key and stage of its touchpoint."""
    form_id = getattr(point, CHANNEL_FORMS[channel])
    known = version is None or 0 < version < 2**31
    found = shelf(db).find(session, form_id, version) if form_id and known else None
    if found is None:
        raise Problem("unknown_form_version", "form_version")
    version_id, number = found
    return PointForm(
        point_id=point.id,
        store_id=point.store_id,
        token=point.token,
        channel=channel,
        touchpoint=place[0],
        stage=place[1],
        form_version_id=version_id,
        version=number,
        form=shelf(db).get(session, version_id),
        closed_at=point.closed_at,
        survey_until=point.survey_until,
        one_per_receipt=point.one_per_receipt,
    )


def standing_form(db: Database, session: Session, key: str) -> tuple[int, int, forms.Form]:
    """Return version id, version and form of a form that every chain has; raise NotFound in an empty database."""
    query = (
        sa.select(FormVersion.id, FormVersion.version)
        .join(FormRow, FormRow.id == FormVersion.form_id)
        .where(FormRow.key == key)
        .order_by(FormVersion.version.desc())
    )
    newest = session.execute(query).first()
    if newest is None:
        raise NotFound("unknown_store")
    return newest.id, newest.version, shelf(db).get(session, newest.id)


def find_point(session: Session, token: str) -> Point | None:
    """Return the open collection point of a token; None where there is none."""
    return session.scalars(sa.select(Point).where(Point.token == token, Point.closed_at.is_(None))).first()


def store_point(session: Session, store_id: int) -> Point:
    """Return the point that stands for a store as a whole."""
    return session.scalars(sa.select(Point).where(Point.store_id == store_id, Point.touchpoint_id.is_(None))).one()


def point_page(db: Database, token: str, page: str) -> PointPage:
    """Return what the kiosk page or survey of a point shows, or raise NotFound."""
    with db.read(SYSTEM) as session:
        point = find_point(session, token)
        if point is None or point.touchpoint is None:
            raise NotFound("unknown_point")
        try:
            at = point_form(db, session, point, _PAGE_CHANNELS[page], None)
        except Problem:
            raise NotFound("unknown_point") from None
        return PointPage(at, point.store.code, point.store.names, point.touchpoint.names, point.store.timezone)


def survey_page(db: Database, token: str, moment: datetime) -> PointPage | EndedSurvey:
    """Return what the survey of a point shows at a moment, also after its end; raise NotFound for an unknown point."""
    with db.read(SYSTEM) as session:
        point = session.scalars(sa.select(Point).where(Point.token == token)).first()
        if point is None or point.touchpoint is None:
            raise NotFound("unknown_point")
        place = (point.store.code, point.store.names, point.touchpoint.names, point.store.timezone)
        end = surveys.end_of(point.closed_at, point.survey_until)
        if point.survey_form_id is None or (end is not None and end <= moment):
            return EndedSurvey(point.token, end, *place)
        return PointPage(point_form(db, session, point, "qr", None), *place)


def find_store(session: Session, code: str) -> Store | None:
    """Return a store in the session's scope by its code; None where there is none."""
    return session.scalars(sa.select(Store).where(Store.code == code)).first()


def store_page(db: Database, code: str) -> StorePage:
    """Return what the feedback book of a store shows, or raise NotFound."""
    with db.read(SYSTEM) as session:
        store = find_store(session, code)
        if store is None:
            raise NotFound("unknown_store")
        return StorePage(store.id, store.code, store.names, store.country, store.timezone)


def points(db: Database, access: Access) -> list[PointRow]:
    """Return the collection points of the stores in scope, in the order of stores and touchpoints."""
    access.require(Right.READ_POINTS)
    with db.read(access) as session:
        query = (
            sa.select(Point)
            .join(Point.store)
            .join(Point.touchpoint)
            .where(Point.closed_at.is_(None))
            .order_by(Store.code, Touchpoint.position)
        )
        return [
            PointRow(point.token, point.store.code, point.store.names, point.touchpoint.key, point.touchpoint.names)
            for point in session.scalars(query)
            if point.touchpoint is not None
        ]


def publish_form(connection: Connection, definition: Mapping[str, Any]) -> tuple[int, int]:
    """Publish a new version of a form, or return the newest where it says the same; form id and version id."""
    form = forms.parse(definition)
    table, versions = FormRow.__table__, FormVersion.__table__
    form_id = connection.execute(sa.select(table.c.id).where(table.c.key == form.key)).scalar()
    if form_id is None:
        form_id = connection.execute(
            sa.insert(table).values(key=form.key, purpose=form.purpose).returning(table.c.id)
        ).scalar_one()
    query = sa.select(versions).where(versions.c.form_id == form_id).order_by(versions.c.version.desc()).limit(1)
    newest = connection.execute(query).first()
    if newest is not None and newest.definition == definition:
        return form_id, newest.id
    values = {
        "form_id": form_id,
        "version": newest.version + 1 if newest else 1,
        "definition": dict(definition),
        "published_at": now(),
    }
    version_id = connection.execute(sa.insert(versions).values(**values).returning(versions.c.id)).scalar_one()
    return form_id, version_id


def point_at(db: Database, access: Access, store_code: str, touchpoint: str) -> Point:
    """Return the open point at a store's touchpoint, or raise NotFound."""
    with db.read(access) as session:
        store = find_store(session, store_code)
        if store is None:
            raise NotFound("unknown_store")
        query = (
            sa.select(Point)
            .join(Point.touchpoint)
            .where(Point.store_id == store.id, Touchpoint.key == touchpoint, Point.closed_at.is_(None))
        )
        point = session.scalars(query).first()
        if point is None:
            raise NotFound("unknown_touchpoint")
        return point


def create_device(db: Database, access: Access, store_code: str, touchpoint: str) -> str:
    """Create a device that holds one point and return its token, which is shown this once; or raise NotFound."""
    point = point_at(db, access, store_code, touchpoint)
    token = secrets.token_urlsafe(32)

    def work(connection: Connection) -> None:
        moment = now()
        device_id = devices.add_device(
            connection,
            store_id=point.store_id,
            name=f"{store_code}/{touchpoint}/{uuid4().hex[:4]}",
            token_hash=hash_token(token),
            created_at=moment,
        )
        devices.hold(connection, device_id, point.id, moment)
        house.audit(connection, moment, access.actor, "device.create", f"device:{device_id}", {"point": point.id})

    db.write(work)
    return token
