"""Pairing: a short code makes the kiosk it is typed into a device of the fleet, or moves it to another point."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.domain.errors import NotFound, Problem
from feedback_app.services import catalogue, senders
from feedback_app.services.clock import now
from feedback_app.storage import devices, house
from feedback_app.storage.database import Database
from feedback_app.storage.devices import Spot

CODE_LIFE = timedelta(minutes=15)
KEPT_AFTER = timedelta(days=1)
"""How long a code is kept after its end: whose answer was lost may ask for it again."""
POINTS_LIMIT = 100
TRIES = 20
_CODE = re.compile(r"[0-9]{8}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_POINT = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class NewCode:
    """A pairing code as it is shown, this once, and what it leads to."""

    code: str
    expires_at: datetime
    spot: Spot


@dataclass(frozen=True)
class Paired:
    """What a kiosk is told once it is paired."""

    device_id: int
    name: str
    own: dict[str, Any]
    spot: Spot


def _hash(code: str) -> str:
    return catalogue.hash_token(f"pairing:{code}")


# --- making a code ----------------------------------------------------------------------------------------------


def make_code(db: Database, access: Access, store_code: str, touchpoint: str, device_id: int | None = None) -> NewCode:
    """Make a code for a store's touchpoint: for a new device, or to take the place of `device_id`'s.

    Raises NotFound for a store, touchpoint or device that is not there or not in the reader's scope.
    """
    access.require(Right.MANAGE_DEVICES)
    point_id = catalogue.point_at(db, access, store_code, touchpoint).id
    moment = now()

    def work(connection: Connection) -> NewCode:
        spot = devices.spot(connection, point_id)
        if spot is None:
            raise NotFound("unknown_touchpoint")
        if device_id is not None:
            _require_live(connection, access, device_id)
        code = _free_code(connection, spot, device_id, access.actor, moment)
        details = {"point": point_id, "device": device_id}
        house.audit(connection, moment, access.actor, "device.code", f"point:{point_id}", details)
        return NewCode(code, moment + CODE_LIFE, spot)

    return db.write(work)


def _require_live(connection: Connection, access: Access, device_id: int) -> None:
    row = devices.device(connection, device_id)
    if row is None or row.revoked_at is not None or not access.sees_store(row.store_id):
        raise NotFound("unknown_device")


def _free_code(connection: Connection, spot: Spot, device_id: int | None, actor: str, moment: datetime) -> str:
    for _ in range(TRIES):
        code = f"{secrets.randbelow(10**8):08d}"
        if devices.add_code(
            connection,
            moment - KEPT_AFTER,
            code_hash=_hash(code),
            store_id=spot.store_id,
            point_id=spot.point_id,
            device_id=device_id,
            created_by=actor,
            created_at=moment,
            expires_at=moment + CODE_LIFE,
            used_at=None,
        ):
            return code
    raise RuntimeError("no pairing code is free")


def user_of(db: Database, code: str) -> str | None:
    """Return the name of the device that a code made or moved; None while it was not used."""
    with db.read(SYSTEM) as session:
        found = devices.code_of_hash(session, _hash(code))
        if found is None or found.used_at is None:
            return None
        device = devices.device(session, found.device_id)
        return device.name if device else None


# --- redeeming it -----------------------------------------------------------------------------------------------


def redeem(db: Database, code: str, token: str, points: Sequence[str], present: int | None = None) -> Paired:
    """Pair the kiosk that a code was typed into, and return where it stands from now on.

    `present` is the device that it is already: that one is moved and keeps its token. Else `token` becomes that of
    the device the code was made for, or of a new one. The same code with the same token answers the same again.
    `points` are those it may still hold items of. Raises Problem `bad_token`, and NotFound `unknown_code` for a code
    that is wrong, used or expired alike.
    """
    digits = re.sub(r"[\s-]", "", code)
    if present is None and not _TOKEN.fullmatch(token):
        raise Problem("bad_token", "token")

    def work(connection: Connection) -> Paired:
        moment = now()
        found = devices.code_of_hash(connection, _hash(digits), lock=True) if _CODE.fullmatch(digits) else None
        device = _device_behind(connection, present, token)
        if found is None or not _usable(found, device, moment):
            raise NotFound("unknown_code")
        spot = devices.spot(connection, found.point_id)
        if spot is None:
            raise NotFound("unknown_code")
        if found.used_at is None:
            device = _place(connection, found, device, token, spot, moment)
            devices.held_before(connection, device.id, _named(connection, points), moment)
        assert device is not None, "a used code is usable by its device alone"
        return Paired(device.id, device.name, device.settings, spot)

    try:
        paired = db.write(work)
    except IntegrityError:
        # Another code made a device of the same token at this very moment: now that one is found and moved.
        paired = db.write(work)
    senders.forget(db)
    return paired


def _device_behind(connection: Connection, present: int | None, token: str) -> Row[Any] | None:
    """Return the device that asks: the present one, or one that was made with this very token."""
    if present is not None:
        return devices.device(connection, present)
    return devices.device_of_token(connection, catalogue.hash_token(token))


def _usable(found: Row[Any], device: Row[Any] | None, moment: datetime) -> bool:
    if device is not None and device.revoked_at is not None:
        return False
    if found.used_at is not None:
        return device is not None and device.id == found.device_id
    return bool(moment < found.expires_at)


def _named(connection: Connection, points: Sequence[str]) -> set[int]:
    tokens = [token for token in points if isinstance(token, str) and _POINT.fullmatch(token)][:POINTS_LIMIT]
    return devices.points_of_tokens(connection, tokens)


def _place(
    connection: Connection, found: Row[Any], device: Row[Any] | None, token: str, spot: Spot, moment: datetime
) -> Row[Any]:
    """Make, replace or move the device, and let it hold the code's point."""
    action, device_id = "device.move", device.id if device is not None else None
    if device_id is None and found.device_id is not None:
        action, device_id = "device.replace", _replaced(connection, found.device_id, token)
    if device_id is None:
        action, device_id = "device.pair", _new(connection, token, spot, moment)
    else:
        _move(connection, device_id, spot)
    devices.hold(connection, device_id, spot.point_id, moment)
    devices.use_code(connection, found.id, device_id, moment)
    details = {"point": spot.point_id, "code_by": found.created_by}
    house.audit(connection, moment, f"device:{device_id}", action, f"device:{device_id}", details)
    row = devices.device(connection, device_id)
    assert row is not None
    return row


def _new(connection: Connection, token: str, spot: Spot, moment: datetime) -> int:
    return devices.add_device(
        connection,
        store_id=spot.store_id,
        name=usual_name(spot.store_code, spot.touchpoint, uuid4().hex[:4]),
        token_hash=catalogue.hash_token(token),
        created_at=moment,
    )


def _replaced(connection: Connection, device_id: int, token: str) -> int | None:
    """Give a device to another tablet; its counters begin anew, so its heartbeats tell nothing any more."""
    row = devices.device(connection, device_id)
    if row is None or row.revoked_at is not None:
        return None
    devices.forget_beats(connection, device_id)
    devices.change_device(connection, device_id, token_hash=catalogue.hash_token(token))
    return device_id


def usual_name(store_code: str, touchpoint: str, suffix: str) -> str:
    """Return the name of a device that nobody has named."""
    return f"{store_code}/{touchpoint}/{suffix}"


def _move(connection: Connection, device_id: int, spot: Spot) -> None:
    """Set a device's store; the name that it was given by the program follows, one given by people stays."""
    before, row = devices.current_spot(connection, device_id), devices.device(connection, device_id)
    assert row is not None
    changes: dict[str, Any] = {"store_id": spot.store_id}
    suffix = row.name.rpartition("/")[2]
    if before is not None and row.name == usual_name(before.store_code, before.touchpoint, suffix):
        changes["name"] = usual_name(spot.store_code, spot.touchpoint, suffix)
    devices.change_device(connection, device_id, **changes)
