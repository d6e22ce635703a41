"""The chain's kiosk settings: read by every kiosk page and delivery, changed by the administrator."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from time import monotonic
from typing import Any, Protocol

from sqlalchemy.engine import Connection

from feedback_app.domain import kiosks
from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.domain.kiosks import KioskSettings
from feedback_app.services.chain import is_demo
from feedback_app.services.clock import now
from feedback_app.storage import house
from feedback_app.storage.database import Database

SETTING = "kiosk"
AGE = 1.0
"""Seconds: every delivery of an unpaired kiosk asks; another process's change counts after this at the latest."""


class InZone(Protocol):
    """A store, or a page that stands for one."""

    @property
    def timezone(self) -> str:
        """Return the store's time zone."""


def settings_of(db: Database) -> KioskSettings:
    """Return the chain's kiosk settings, at most a second old."""
    read_at, settings = db.memory.get(SETTING, (None, None))
    if read_at is None or monotonic() - read_at > AGE:
        with db.read(SYSTEM) as session:
            settings = kiosks.parse(house.get_setting(session, SETTING) or {})
        db.memory[SETTING] = (monotonic(), settings)
    found: KioskSettings = settings
    return found


def require_pairing(db: Database) -> bool:
    """Say whether unpaired kiosks are closed: as the administrator decided, else in every chain but a demo."""
    decided = settings_of(db).require_pairing
    return not is_demo(db) if decided is None else decided


def _described(db: Database, settings: KioskSettings, store: InZone, root: str) -> dict[str, Any]:
    return {
        **settings.described(),
        "logo": logo_path(settings.logo, root),
        "require_pairing": require_pairing(db),
        "timezone": store.timezone,
    }


def logo_path(key: str | None, root: str = "") -> str | None:
    """Return the path of the chain's logo, below the sub-path `root` that the app is served at."""
    return f"{root}/k/logo/{key}.png" if key else None


def public_settings(db: Database, store: InZone, root: str = "") -> dict[str, Any]:
    """Return the chain's settings as a kiosk page embeds them: without the PIN, which anybody could read there."""
    return _described(db, settings_of(db), store, root)


def device_settings(db: Database, own: Mapping[str, Any], store: InZone, root: str = "") -> dict[str, Any]:
    """Return the settings of a paired device: the chain's, what it has of its own, and what the PIN is checked by."""
    settings = settings_of(db).with_own(own)
    return {**_described(db, settings, store, root), "pin": settings.pin}


def checked_pin(db: Database, pin: str) -> Mapping[str, Any] | None:
    """Return what a PIN is checked by where it is the right one, else None."""
    verifier = settings_of(db).pin
    return verifier if verifier and kiosks.pin_matches(verifier, pin) else None


def has_pin(db: Database) -> bool:
    """Say whether the administrator has set a PIN."""
    return settings_of(db).pin is not None


def pin_verifier(pin: str) -> dict[str, Any]:
    """Return what a new PIN is checked by, or raise Problem."""
    return kiosks.make_verifier(pin, secrets.token_bytes(16))


def change(db: Database, access: Access, wanted: KioskSettings) -> None:
    """Set the chain's kiosk settings; what changed is told to the audit trail, the PIN only that it did."""
    access.require(Right.MANAGE_DEVICES)

    def work(connection: Connection) -> None:
        before = kiosks.parse(house.get_setting(connection, SETTING) or {}).stored()
        after = wanted.stored()
        changed = {name: after[name] for name in after if after[name] != before[name]}
        if not changed:
            return
        if "pin" in changed:
            changed["pin"] = "set" if wanted.pin else "removed"
        house.put_setting(connection, SETTING, after)
        house.audit(connection, now(), access.actor, "kiosk.settings", "chain", changed)

    db.write(work)
    db.memory.pop(SETTING, None)


def put_demo_pin(connection: Connection, pin: str, salt: bytes) -> None:
    """Give a demo chain its PIN, which is printed where the demo is started."""
    settings = replace(KioskSettings(), pin=kiosks.make_verifier(pin, salt))
    house.put_setting(connection, SETTING, settings.stored())
