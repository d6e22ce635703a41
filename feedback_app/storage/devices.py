"""Devices, the points they hold and held, their heartbeats and pairing codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.orm import Session

from feedback_app.storage.database import insert_or
from feedback_app.storage.tables import (
    Device,
    DevicePoint,
    DeviceState,
    Heartbeat,
    PairingCode,
    Point,
    Store,
    Touchpoint,
)

_devices = Device.__table__
_held = DevicePoint.__table__
_states = DeviceState.__table__
_beats = Heartbeat.__table__
_codes = PairingCode.__table__
_points = Point.__table__
_stores = Store.__table__
_touchpoints = Touchpoint.__table__


# --- points -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spot:
    """An open point at a touchpoint, with its store: where a kiosk stands."""

    point_id: int
    token: str
    store_id: int
    store_code: str
    store_names: Mapping[str, str]
    timezone: str
    touchpoint: str
    touchpoint_names: Mapping[str, str]


_SPOT = (
    _points.c.id,
    _points.c.token,
    _stores.c.id.label("store_id"),
    _stores.c.code,
    _stores.c.names,
    _stores.c.timezone,
    _touchpoints.c.key,
    _touchpoints.c.names.label("touchpoint_names"),
)


def spot(connection: Connection | Session, point_id: int) -> Spot | None:
    """Return where a point is; None for one that is closed or stands for a whole store."""
    query = (
        sa.select(*_SPOT)
        .join_from(_points, _stores, _points.c.store_id == _stores.c.id)
        .join(_touchpoints, _points.c.touchpoint_id == _touchpoints.c.id)
        .where(_points.c.id == point_id, _points.c.closed_at.is_(None))
    )
    row = connection.execute(query).first()
    return Spot(*row) if row else None


def current_spot(connection: Connection | Session, device_id: int) -> Spot | None:
    """Return where a device stands now; None where its point was closed."""
    query = (
        sa.select(_held.c.point_id)
        .where(_held.c.device_id == device_id, _held.c.until.is_(None))
        .order_by(_held.c.since.desc())
        .limit(1)
    )
    point_id = connection.execute(query).scalar()
    return spot(connection, point_id) if point_id is not None else None


def points_of_tokens(connection: Connection, tokens: Collection[str]) -> set[int]:
    """Return the ids of the points that tokens name; unknown tokens name none."""
    query = sa.select(_points.c.id).where(_points.c.token.in_(tokens), _points.c.touchpoint_id.is_not(None))
    return set(connection.execute(query).scalars())


def held_ever(connection: Connection, device_id: int) -> set[int]:
    """Return the points that a device holds or ever held."""
    return set(connection.execute(sa.select(_held.c.point_id).where(_held.c.device_id == device_id)).scalars())


def hold(connection: Connection, device_id: int, point_id: int, at: datetime) -> None:
    """Let a device hold one point from now on; what it held until now it formerly held."""
    held_now = sa.and_(_held.c.device_id == device_id, _held.c.until.is_(None))
    if connection.execute(sa.select(_held.c.point_id).where(held_now)).scalars().all() == [point_id]:
        return
    connection.execute(sa.update(_held).where(held_now).values(until=at))
    insert = insert_or(connection, _held).values(device_id=device_id, point_id=point_id, since=at, until=None)
    keys = ["device_id", "point_id", "since"]
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_={"until": None}))


def held_before(connection: Connection, device_id: int, points: Iterable[int], at: datetime) -> None:
    """Note points that a device formerly held, so that it may deliver what it collected there."""
    fresh = sorted(set(points) - held_ever(connection, device_id))
    rows = [{"device_id": device_id, "point_id": point_id, "since": at, "until": at} for point_id in fresh]
    if rows:
        connection.execute(sa.insert(_held), rows)


# --- devices ----------------------------------------------------------------------------------------------------


def device(connection: Connection | Session, device_id: int) -> Row[Any] | None:
    """Return a device; None where there is none."""
    return connection.execute(sa.select(_devices).where(_devices.c.id == device_id)).first()


def device_of_token(connection: Connection | Session, token_hash: str) -> Row[Any] | None:
    """Return the device of a token's hash, a revoked one too; None where there is none."""
    return connection.execute(sa.select(_devices).where(_devices.c.token_hash == token_hash)).first()


def add_device(connection: Connection, **values: Any) -> int:
    """Add a device and return its id."""
    device_id: int = connection.execute(sa.insert(_devices).values(**values).returning(_devices.c.id)).scalar_one()
    return device_id


def change_device(connection: Connection, device_id: int, **values: Any) -> None:
    """Change columns of a device; its state moves with it to another store."""
    connection.execute(sa.update(_devices).where(_devices.c.id == device_id).values(**values))
    if "store_id" in values:
        moved = sa.update(_states).where(_states.c.device_id == device_id)
        connection.execute(moved.values(store_id=values["store_id"]))


def live_devices(session: Session) -> list[Row[Any]]:
    """Return the devices in the reader's scope that are not revoked, with store, point and state; the rest is None."""
    latest = (
        sa.select(DevicePoint.device_id, sa.func.max(DevicePoint.since).label("since"))
        .where(DevicePoint.until.is_(None))
        .group_by(DevicePoint.device_id)
        .subquery()
    )
    query = (
        sa.select(
            Device.id,
            Device.name,
            Device.created_at,
            Store.code.label("store_code"),
            Store.names.label("store_names"),
            Store.timezone,
            Store.opens,
            Store.closes,
            Point.id.label("point_id"),
            Touchpoint.key.label("touchpoint"),
            Touchpoint.names.label("touchpoint_names"),
            DeviceState.seen_at,
            DeviceState.queue_length,
            DeviceState.oldest_queued_at,
            DeviceState.quarantined,
            DeviceState.app_version,
            DeviceState.storage_persisted,
            DeviceState.storage_used,
            DeviceState.storage_quota,
            DeviceState.skew_ms,
        )
        .select_from(Device)
        .join(Store, Device.store_id == Store.id)
        .outerjoin(latest, latest.c.device_id == Device.id)
        .outerjoin(
            DevicePoint,
            sa.and_(
                DevicePoint.device_id == Device.id,
                DevicePoint.since == latest.c.since,
                DevicePoint.until.is_(None),
            ),
        )
        .outerjoin(Point, DevicePoint.point_id == Point.id)
        .outerjoin(Touchpoint, Point.touchpoint_id == Touchpoint.id)
        .outerjoin(DeviceState, DeviceState.device_id == Device.id)
        .where(Device.revoked_at.is_(None))
        .order_by(Store.code, Touchpoint.position, Device.id)
    )
    return list(session.execute(query).all())


def open_points(session: Session) -> list[Row[Any]]:
    """Return the open points at touchpoints in the reader's scope, by store and touchpoint."""
    query = (
        sa.select(
            Point.id.label("point_id"),
            Store.code.label("store_code"),
            Store.names.label("store_names"),
            Touchpoint.key.label("touchpoint"),
            Touchpoint.names.label("touchpoint_names"),
        )
        .select_from(Point)
        .join(Store, Point.store_id == Store.id)
        .join(Touchpoint, Point.touchpoint_id == Touchpoint.id)
        .where(Point.closed_at.is_(None))
        .order_by(Store.code, Touchpoint.position, Point.id)
    )
    return list(session.execute(query).all())


def points_with_kiosk(session: Session) -> set[int]:
    """Return the points in the reader's scope at which a device stands."""
    query = (
        sa.select(DevicePoint.point_id)
        .join(Device, DevicePoint.device_id == Device.id)
        .where(DevicePoint.until.is_(None), Device.revoked_at.is_(None))
    )
    return set(session.scalars(query))


# --- heartbeats -------------------------------------------------------------------------------------------------


def put_state(connection: Connection, values: Mapping[str, Any]) -> None:
    """Write what a device said of itself in place of what it said before."""
    insert = insert_or(connection, _states).values(**values)
    changed = {name: insert.excluded[name] for name in values if name != "device_id"}
    connection.execute(insert.on_conflict_do_update(index_elements=["device_id"], set_=changed))


def put_beat(connection: Connection, values: Mapping[str, Any], keep_since: datetime) -> None:
    """Write a heartbeat: over the last one, where nothing was collected since in the same boot.

    A new row takes the device's heartbeats from before `keep_since` away.
    """
    query = sa.select(_beats).where(_beats.c.device_id == values["device_id"]).order_by(_beats.c.id.desc()).limit(1)
    last = connection.execute(query).first()
    if last is not None and last.received_at > values["received_at"]:
        return  # two crossed on their way to the write: the later one has told all
    if last is not None and (last.boot_id, last.sequence) == (values["boot_id"], values["sequence"]):
        connection.execute(sa.update(_beats).where(_beats.c.id == last.id).values(**values))
        return
    forget_beats(connection, values["device_id"], keep_since)
    connection.execute(sa.insert(_beats).values(**values))


def forget_beats(connection: Connection, device_id: int, before: datetime | None = None) -> None:
    """Delete a device's heartbeats, by default all of them."""
    old = sa.delete(_beats).where(_beats.c.device_id == device_id)
    connection.execute(old if before is None else old.where(_beats.c.received_at < before))


# --- pairing codes ----------------------------------------------------------------------------------------------


def code_of_hash(connection: Connection | Session, code_hash: str, *, lock: bool = False) -> Row[Any] | None:
    """Return the pairing code of a hash, None where there is none; `lock` keeps others from it until the commit."""
    query = sa.select(_codes).where(_codes.c.code_hash == code_hash)
    return connection.execute(query.with_for_update() if lock else query).first()


def add_code(connection: Connection, forget_before: datetime, **values: Any) -> bool:
    """Add a pairing code and say whether it was free; codes that ended before `forget_before` go away."""
    connection.execute(sa.delete(_codes).where(_codes.c.expires_at < forget_before))
    insert = insert_or(connection, _codes).values(**values).on_conflict_do_nothing(index_elements=["code_hash"])
    return connection.execute(insert.returning(_codes.c.id)).first() is not None


def use_code(connection: Connection, code_id: int, device_id: int, at: datetime) -> None:
    """Mark a pairing code as used by a device."""
    connection.execute(sa.update(_codes).where(_codes.c.id == code_id).values(used_at=at, device_id=device_id))
