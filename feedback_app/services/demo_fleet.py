"""The kiosks of the demo chain: most are well, and each thing that can be wrong is to be seen once."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from feedback_app.services import kiosk_settings
from feedback_app.services.clock import now
from feedback_app.services.demo_ground import Ground
from feedback_app.services.pairing import usual_name
from feedback_app.storage import devices

PIN = "2580"
LONG = timedelta(days=3_650)
"""The made-up kiosks send no heartbeats: those that are well were last seen in a future that does not come."""
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class MadeUp:
    """A kiosk with what differs from one that is well."""

    store: str
    touchpoint: str
    seen: timedelta = LONG
    state: Mapping[str, Any] = field(default_factory=dict)
    waits_since: timedelta | None = None


KIOSKS = (
    MadeUp("001", "exit"),
    MadeUp("001", "counter", state={"skew_ms": -17 * 60 * 1_000}),
    MadeUp("002", "checkout"),
    MadeUp("002", "exit", state={"storage_persisted": False}),
    MadeUp("003", "entrance", seen=-timedelta(days=3), state={"queue_length": 214}, waits_since=timedelta(days=3)),
    MadeUp("003", "checkout"),
    MadeUp(
        "004", "checkout", state={"queue_length": 1_436, "storage_used": 870 * MEGABYTE}, waits_since=timedelta(days=2)
    ),
    MadeUp("005", "checkout", state={"quarantined": 3}),
    MadeUp("006", "checkout"),
    MadeUp("007", "exit"),
)


def lay_fleet(connection: Connection, ground: Ground, seed: int) -> None:
    """Write the kiosks of the stores that are there, and the staff's PIN."""
    rng, moment = random.Random(seed), now()
    kiosk_settings.put_demo_pin(connection, PIN, rng.randbytes(16))
    for number, made_up in enumerate(KIOSKS):
        if made_up.store in ground.stores:
            _add(connection, ground, made_up, number, rng, moment)


def _add(
    connection: Connection, ground: Ground, made_up: MadeUp, number: int, rng: random.Random, moment: datetime
) -> None:
    point = ground.points[made_up.store, "button", made_up.touchpoint]
    device_id = devices.add_device(
        connection,
        store_id=point.store_id,
        name=usual_name(made_up.store, made_up.touchpoint, f"{rng.randrange(16**4):04x}"),
        token_hash=f"made up {number}",  # the hash of no token: nobody can speak for it
        created_at=moment,
    )
    devices.hold(connection, device_id, point.point_id, moment)
    state = {
        "queue_length": 0,
        "quarantined": 0,
        "storage_persisted": True,
        "storage_used": rng.randrange(20, 90) * MEGABYTE,
        "storage_quota": 1_000 * MEGABYTE,
        "skew_ms": rng.randrange(-900, 900),
        "oldest_queued_at": moment - made_up.waits_since if made_up.waits_since else None,
        **made_up.state,
    }
    devices.put_state(
        connection,
        {"device_id": device_id, "store_id": point.store_id, "seen_at": moment + made_up.seen, **state},
    )
