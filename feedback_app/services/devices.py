"""Devices: what one is told about itself, and what the administrator changes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import kiosks
from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.domain.errors import Invalid, NotFound, Problem
from feedback_app.domain.forms import Form, Question
from feedback_app.services import catalogue, senders
from feedback_app.services.clock import now
from feedback_app.services.senders import Sender
from feedback_app.storage import devices, house
from feedback_app.storage.database import Database
from feedback_app.storage.devices import Spot
from feedback_app.storage.tables import Device, Point

NAME_LIMIT = 80

# --- told to the device -----------------------------------------------------------------------------------------


def describe_question(question: Question) -> dict[str, Any]:
    """Return a question as devices get it; what it does not have is left out."""
    raw: dict[str, Any] = {"key": question.key, "type": question.type, "text": dict(question.text)}
    raw["required"] = question.required
    if question.size:
        raw["max"] = question.size
    if question.labels:
        raw["labels"] = {value: dict(text) for value, text in question.labels.items()}
    if question.choices:
        raw["choices"] = [{"key": choice.key, "text": dict(choice.text)} for choice in question.choices]
    if question.type == "text":
        raw["max_length"] = question.max_length
    if question.show_if:
        raw["show_if"] = {name: value for name, value in asdict(question.show_if).items() if value is not None}
    return raw


def describe_form(form: Form, version: int) -> dict[str, Any]:
    """Return a form as devices get it."""
    return {
        "key": form.key,
        "version": version,
        "title": dict(form.title),
        "questions": [describe_question(question) for question in form.questions()],
    }


def describe(db: Database, sender: Sender) -> dict[str, Any]:
    """Return a device, its points with their newest forms, and the server's time."""
    described = []
    with db.read(SYSTEM) as session:
        device = session.get(Device, sender.device_id) if sender.device_id is not None else None
        query = sa.select(Point).where(Point.id.in_(sorted(sender.points)), Point.closed_at.is_(None))
        for point in session.scalars(query.order_by(Point.id)):
            try:
                at = catalogue.point_form(db, session, point, sender.channel, None)
            except Problem:
                continue
            described.append(
                {
                    "token": point.token,
                    "store": point.store.code,
                    "touchpoint": at.touchpoint,
                    "stage": at.stage,
                    "form": describe_form(at.form, at.version),
                }
            )
    name = {"id": device.id, "name": device.name} if device else None
    return {"device": name, "server_time": now().isoformat(), "points": described}


# --- changed by the administrator -------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeviceCard:
    """A device as its page shows it; without a spot its point was closed."""

    id: int
    name: str
    own: Mapping[str, Any]
    spot: Spot | None


def card(db: Database, access: Access, device_id: int) -> DeviceCard:
    """Return a device that is not revoked, or raise NotFound for one that the reader may not see."""
    access.require(Right.READ_DEVICES)
    with db.read(access) as session:
        row = session.execute(sa.select(Device).where(Device.id == device_id, Device.revoked_at.is_(None))).scalar()
        if row is None:
            raise NotFound("unknown_device")
        return DeviceCard(row.id, row.name, row.settings, devices.current_spot(session, device_id))


def change(
    db: Database, access: Access, device_id: int, *, name: str | None = None, own: Mapping[str, Any] | None = None
) -> None:
    """Give a device another name, or other settings of its own; None leaves them. Raises Invalid for what cannot be."""
    wanted: dict[str, Any] = {}
    problems: list[Problem] = []
    if name is not None:
        wanted["name"] = " ".join(name.split())
        problems += _name_problems(wanted["name"])
    if own is not None:
        try:
            wanted["settings"] = kiosks.stored_own(kiosks.parse_own(own))
        except Invalid as invalid:
            problems += invalid.problems
    if problems:
        raise Invalid(problems)
    _write(db, access, device_id, "device.change", wanted)


def _name_problems(name: str) -> list[Problem]:
    if not name:
        return [Problem("required", "name")]
    if len(name) > NAME_LIMIT or not name.isprintable():
        return [Problem("too_long", "name", limit=NAME_LIMIT)]
    return []


def revoke(db: Database, access: Access, device_id: int) -> None:
    """Take a device out of the fleet: its token opens nothing any more; what it delivered stays."""
    _write(db, access, device_id, "device.revoke", {"revoked_at": now()})


def _write(db: Database, access: Access, device_id: int, action: str, wanted: Mapping[str, Any]) -> None:
    """Set columns of a device in the reader's scope, with a line in the audit trail; nothing where none differs."""
    access.require(Right.MANAGE_DEVICES)

    def work(connection: Connection) -> None:
        row = devices.device(connection, device_id)
        if row is None or row.revoked_at is not None or not access.sees_store(row.store_id):
            raise NotFound("unknown_device")
        changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
        if not changed:
            return
        devices.change_device(connection, device_id, **changed)
        told = {name: value for name, value in changed.items() if name != "revoked_at"}
        house.audit(connection, now(), access.actor, action, f"device:{device_id}", told)

    db.write(work)
    senders.forget(db)
