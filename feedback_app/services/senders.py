"""Who hands responses in, and for which points."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

import sqlalchemy as sa

from feedback_app.domain import responses
from feedback_app.domain.clocks import Beat
from feedback_app.domain.errors import Problem
from feedback_app.domain.responses import PointForm
from feedback_app.services import catalogue
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Device, DevicePoint, Heartbeat, Point, Touchpoint

Found = TypeVar("Found")
LIFE = 1.0
"""Seconds for which a sender and a point's form are known: so long another process's change may take to count here."""


_devices, _held, _points, _touchpoints = (kind.__table__ for kind in (Device, DevicePoint, Point, Touchpoint))
# Asked for each kiosk about once a second: made once, and of columns alone.
_HELD = (
    sa.select(_devices.c.id, _held.c.point_id)
    .outerjoin(_held, _held.c.device_id == _devices.c.id)
    .where(_devices.c.token_hash == sa.bindparam("hashed"), _devices.c.revoked_at.is_(None))
)
_AT = (
    sa.select(_points, _touchpoints.c.key, _touchpoints.c.stage)
    .outerjoin(_touchpoints, _touchpoints.c.id == _points.c.touchpoint_id)
    .where(_points.c.token == sa.bindparam("token"))
)


@dataclass(frozen=True)
class Sender:
    """Who hands in: a device with the points it ever held, or the public token of one point."""

    points: frozenset[int]
    device_id: int | None = None
    channel: str = "button"

    @property
    def unpaired(self) -> bool:
        """Say whether no device vouches for the responses."""
        return self.device_id is None


class _Known:
    """What was found less than a second ago; what was not found is asked for again."""

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[float, object]] = {}

    def get(self, key: Hashable, find: Callable[[], Found]) -> Found:
        asked_at = monotonic()
        until, found = self._found.get(key, (0.0, None))
        if asked_at >= until:
            found = find()
            if found is not None:
                self._found[key] = (asked_at + LIFE, found)
        return found  # type: ignore[return-value]


def _known(db: Database) -> _Known:
    known: _Known = db.memory.setdefault("senders", _Known())
    return known


def forget(db: Database) -> None:
    """Let devices and points that were changed in this process count as they are from now on."""
    db.memory["senders"] = _Known()  # what is being asked at this moment goes into the old one


def _find_device(db: Database, token: str) -> Sender | None:
    with db.engine.connect() as connection:
        rows = connection.execute(_HELD, {"hashed": catalogue.hash_token(token)}).all()
    held = frozenset(row.point_id for row in rows if row.point_id is not None)
    return Sender(points=held, device_id=rows[0].id) if rows else None


def _find_point(db: Database, token: str) -> Sender | None:
    with db.engine.connect() as connection:
        row = connection.execute(_AT, {"token": token}).first()
    return Sender(points=frozenset({row.id})) if row is not None and row.touchpoint_id else None


def device_sender(db: Database, token: str) -> Sender | None:
    """Return the sender behind a device token; None for an unknown or revoked one."""
    return _known(db).get(("device", token), lambda: _find_device(db, token))


def point_sender(db: Database, token: str) -> Sender | None:
    """Return the sender that a collection point's public token makes; None for an unknown point.

    A closed point still takes what was given before its closing and arrives late (see `domain.surveys.check_end`).
    """
    return _known(db).get(("point", token), lambda: _find_point(db, token))


def sender_of(db: Database, token: str) -> Sender | None:
    """Return the sender behind a token, a device's or else a collection point's; None for an unknown one."""
    return _known(db).get(("any", token), lambda: _find_device(db, token) or _find_point(db, token))


def finder(db: Database, sender: Sender) -> responses.FindForm:
    """Return what finds the points that a sender may submit for; what one delivery names is asked for once."""
    known = _known(db)
    refused: dict[tuple[str, int | None, str], Problem] = {}

    def look(token: str, version: int | None, channel: str) -> PointForm:
        with db.engine.connect() as connection:
            row = connection.execute(_AT, {"token": token[:64]}).first()
            if row is None or row.id not in sender.points:
                raise Problem("unknown_point", "point")
            return catalogue.form_at(db, connection, row, (row.key, row.stage), channel, version)

    def find(token: str, version: int | None, channel: str) -> PointForm:
        asked = (token, version, channel)
        if refused and asked in refused:
            raise Problem(refused[asked].code, refused[asked].field)
        try:
            at = known.get(asked, lambda: look(token, version, channel))
        except Problem as problem:
            refused[asked] = problem
            raise
        if at.point_id not in sender.points:
            raise Problem("unknown_point", "point")
        return at

    return find


def beats_of(db: Database, sender: Sender) -> Callable[[], Sequence[Beat]]:
    """Return what reads the heartbeats of a sender's device, in the order of their receipt."""

    def read() -> Sequence[Beat]:
        if sender.device_id is None:
            return ()
        beats = Heartbeat.__table__.c
        query = sa.select(beats.received_at, beats.boot_id, beats.monotonic_ms, beats.sequence)
        of_device = query.where(beats.device_id == sender.device_id).order_by(beats.received_at, beats.id)
        with db.engine.connect() as connection:
            rows = connection.execute(of_device)
            return [Beat(*row) for row in rows]

    return read
