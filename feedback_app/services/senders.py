"""Who hands responses in, and for which points."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from feedback_app.domain import responses
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.errors import Problem
from feedback_app.domain.responses import PointForm
from feedback_app.services import catalogue
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Device, DevicePoint, Point


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


def device_sender(db: Database, token: str) -> Sender | None:
    """Return the sender behind a device token; None for an unknown or revoked one."""
    with db.read(SYSTEM) as session:
        hashed = catalogue.hash_token(token)
        device = session.scalars(sa.select(Device).where(Device.token_hash == hashed)).first()
        if device is None or device.revoked_at is not None:
            return None
        held = session.scalars(sa.select(DevicePoint.point_id).where(DevicePoint.device_id == device.id))
        return Sender(points=frozenset(held), device_id=device.id)


def point_sender(db: Database, token: str) -> Sender | None:
    """Return the sender that a collection point's public token makes; None for an unknown or closed point."""
    with db.read(SYSTEM) as session:
        point = catalogue.find_point(session, token)
        return Sender(points=frozenset({point.id})) if point is not None and point.touchpoint_id else None


def finder(db: Database, session: Session, sender: Sender) -> responses.FindForm:
    """Return what finds the points that a sender may submit for, each asked for once."""
    known: dict[tuple[str, int | None], PointForm] = {}

    def find(token: str, version: int | None) -> PointForm:
        if (token, version) not in known:
            point = session.scalars(sa.select(Point).where(Point.token == token[:64])).first()
            if point is None or point.id not in sender.points:
                raise Problem("unknown_point", "point")
            known[token, version] = catalogue.point_form(db, session, point, sender.channel, version)
        return known[token, version]

    return find
