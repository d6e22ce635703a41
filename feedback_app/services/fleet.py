"""The fleet: what kiosks say of themselves, and which of them need a hand."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy.engine import Connection, Row
from sqlalchemy.orm import Session

from feedback_app.domain import fleet
from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import Problem
from feedback_app.domain.fleet import Facts, Shell, State
from feedback_app.domain.responses import parse_time
from feedback_app.services.clock import now
from feedback_app.storage import devices, house
from feedback_app.storage.database import Database
from feedback_app.storage.devices import Spot

SHELL = "kiosk.shell"
BEATS_KEPT = timedelta(days=60)
LARGEST_COUNT = 2**31 - 1
LARGEST = 2**53
PAGE = 50
_NAME = re.compile(r"[\x21-\x7e]{1,64}")

# --- heartbeats -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heard:
    """What a device is told in answer to its heartbeat: where it stands, None where its point was closed."""

    device_id: int
    name: str
    own: dict[str, Any]
    spot: Spot | None


def _whole(value: Any, largest: int = LARGEST) -> int | None:
    """Return a count as a whole number between 0 and the largest that is kept; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return int(min(max(value, 0), largest))


def _short(value: Any) -> str | None:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def _moment(value: Any) -> datetime | None:
    try:
        return parse_time(value, "time")
    except Problem:
        return None


def _skew(sent_at: datetime | None, received_at: datetime) -> timedelta | None:
    return received_at - sent_at if sent_at is not None else None


def _by_server_clock(told: datetime | None, skew: timedelta | None, received_at: datetime) -> datetime | None:
    """Return a device's time by the server's clock; nothing waits since later than now."""
    if told is None:
        return None
    try:
        return min(told + (skew or timedelta()), received_at)
    except OverflowError:
        return None


def _state_of(raw: Mapping[str, Any], received_at: datetime) -> dict[str, Any]:
    skew = _skew(_moment(raw.get("sent_at")), received_at)
    persisted = raw.get("storage_persisted")
    return {
        "seen_at": received_at,
        "queue_length": _whole(raw.get("queue_length"), LARGEST_COUNT) or 0,
        "oldest_queued_at": _by_server_clock(_moment(raw.get("oldest_queued_at")), skew, received_at),
        "quarantined": _whole(raw.get("quarantined"), LARGEST_COUNT) or 0,
        "app_version": _short(raw.get("app_version")),
        "storage_persisted": persisted if isinstance(persisted, bool) else None,
        "storage_used": _whole(raw.get("storage_used")),
        "storage_quota": _whole(raw.get("storage_quota")),
        "skew_ms": None if skew is None else skew // timedelta(milliseconds=1),
    }


def _beat_of(raw: Mapping[str, Any], received_at: datetime) -> dict[str, Any] | None:
    """Return where the device's counters stood; None where it did not tell all of them."""
    boot_id, monotonic = _short(raw.get("boot_id")), _whole(raw.get("monotonic_ms"))
    sequence = _whole(raw.get("sequence"))
    if boot_id is None or monotonic is None or sequence is None:
        return None
    return {"received_at": received_at, "boot_id": boot_id, "monotonic_ms": monotonic, "sequence": sequence}


def beat(db: Database, device_id: int, raw: Mapping[str, Any], shell_version: str | None) -> Heard:
    """Note a device's heartbeat and return where it stands; a value that cannot be read is as if it were left out."""
    received_at = now()
    state, counters = _state_of(raw, received_at), _beat_of(raw, received_at)

    def work(connection: Connection) -> Heard:
        row = devices.device(connection, device_id)
        assert row is not None, "a sender's device is there"
        devices.put_state(connection, {"device_id": device_id, "store_id": row.store_id, **state})
        if counters is not None:
            devices.put_beat(connection, {"device_id": device_id, **counters}, received_at - BEATS_KEPT)
        _note_shell(connection, shell_version, received_at)
        return Heard(device_id, row.name, row.settings, devices.current_spot(connection, device_id))

    return db.write(work)


def _note_shell(connection: Connection, version: str | None, moment: datetime) -> None:
    """Note since when the server hands out a version of the kiosk page."""
    known = house.get_setting(connection, SHELL)
    if version is not None and (known is None or known["version"] != version):
        house.put_setting(connection, SHELL, {"version": version, "since": moment.isoformat()})


def _shell(session: Session, version: str | None) -> Shell | None:
    """Return the version that the server hands out, None while no kiosk has asked for it."""
    known = house.get_setting(session, SHELL)
    if known is None or known["version"] != version:
        return None
    return Shell(known["version"], datetime.fromisoformat(known["since"]))


# --- the fleet page ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kiosk:
    """A device in the list; without a touchpoint its point was closed."""

    id: int
    name: str
    store_code: str
    store_names: Mapping[str, str]
    touchpoint: str | None
    touchpoint_names: Mapping[str, str]
    facts: Facts
    states: tuple[State, ...]

    @property
    def needs_a_hand(self) -> bool:
        """Say whether somebody has to look after it."""
        return not fleet.NEEDS_A_HAND.isdisjoint(self.states)

    @property
    def storage_share(self) -> float | None:
        """Return which part of its storage is used."""
        return fleet.storage_share(self.facts)


@dataclass(frozen=True)
class Bare:
    """The points of a store at which no paired kiosk stands."""

    store_code: str
    store_names: Mapping[str, str]
    touchpoints: tuple[tuple[str, Mapping[str, str]], ...]


@dataclass(frozen=True)
class Fleet:
    """A page of the fleet: those in need first, and the points without a kiosk."""

    kiosks: list[Kiosk]
    count: int
    in_need: int
    page: int
    pages: int
    bare: list[Bare]
    points: int


def _kiosk(row: Row[Any], moment: datetime, shell: Shell | None) -> Kiosk:
    facts = Facts(
        zone=row.timezone,
        opens=row.opens,
        closes=row.closes,
        paired_at=row.created_at,
        # After the server's clock was set back a kiosk was not seen in the future.
        seen_at=min(row.seen_at, moment) if row.seen_at else None,
        queue_length=row.queue_length or 0,
        oldest_queued_at=row.oldest_queued_at,
        quarantined=row.quarantined or 0,
        app_version=row.app_version,
        storage_persisted=row.storage_persisted,
        storage_used=row.storage_used,
        storage_quota=row.storage_quota,
        skew_ms=row.skew_ms,
    )
    found = fleet.in_order(fleet.states(facts, moment, shell))
    return Kiosk(
        row.id, row.name, row.store_code, row.store_names, row.touchpoint, row.touchpoint_names or {}, facts, found
    )


def kiosks(db: Database, access: Access, shell_version: str | None = None) -> list[Kiosk]:
    """Return the paired kiosks of the reader's stores: those in need first, the gravest of them foremost."""
    access.require(Right.READ_DEVICES)
    moment = now()
    with db.read(access) as session:
        shell = _shell(session, shell_version)
        found = [_kiosk(row, moment, shell) for row in devices.live_devices(session)]
    gravity = {state: place for place, state in enumerate(State)}
    return sorted(found, key=lambda one: min((gravity[state] for state in one.states), default=len(gravity)))


def overview(db: Database, access: Access, shell_version: str | None = None, page: int = 1) -> Fleet:
    """Return a page of the fleet of the reader's stores."""
    found = kiosks(db, access, shell_version)
    with db.read(access) as session:
        points = devices.open_points(session)
        taken = devices.points_with_kiosk(session)
    bare = [point for point in points if point.point_id not in taken]
    pages = max(1, math.ceil(len(found) / PAGE))
    page = min(max(page, 1), pages)
    return Fleet(
        kiosks=found[(page - 1) * PAGE : page * PAGE],
        count=len(found),
        in_need=sum(one.needs_a_hand for one in found),
        page=page,
        pages=pages,
        bare=[_bare(list(rows)) for _, rows in groupby(bare, key=lambda row: row.store_code)],
        points=len(points),
    )


def _bare(rows: list[Row[Any]]) -> Bare:
    touchpoints = tuple((row.touchpoint, row.touchpoint_names) for row in rows)
    return Bare(rows[0].store_code, rows[0].store_names, touchpoints)
