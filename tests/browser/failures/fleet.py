"""Kiosks of the fleet: paired through the device API, heard of by their heartbeats, revoked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from playwright.sync_api import Page

from feedback_app.domain.access import SYSTEM
from feedback_app.services import devices, pairing
from feedback_app.storage.tables import Device, Heartbeat
from tests.browser.chromium import until
from tests.browser.failures.ledger import say_online
from tests.browser.failures.server import Server
from tests.browser.kiosk_shop import mark

STAFF = replace(SYSTEM, actor="test")
PAIR = """async (code) => {
  const kiosk = JSON.parse(document.getElementById("kiosk-data").textContent);
  const device = window.otklik.device(kiosk, window.otklik.outbox());
  await device.ready;
  return device.pair(code);
}"""


def pair(page: Page, server: Server) -> int:
    """Let a code be typed into a kiosk, which starts again as a device of the fleet; returns the device's id."""
    before = _devices(server)
    code = pairing.make_code(server.db, STAFF, "001", "checkout").code
    assert page.evaluate(PAIR, code) is None
    page.reload()
    until(lambda: mark(page, "ready") == "true", what="works offline")
    [device_id] = _devices(server) - before
    return device_id


def _devices(server: Server) -> set[int]:
    with server.db.read(SYSTEM) as session:
        return set(session.scalars(sa.select(Device.id)))


def _last_beat(server: Server) -> datetime | None:
    """When the last heartbeat came: one that tells nothing new is written over the one before."""
    with server.db.read(SYSTEM) as session:
        return session.scalars(sa.select(sa.func.max(Heartbeat.received_at))).one()


def beat(page: Page, server: Server) -> None:
    """Let a heartbeat reach the server."""
    before = _last_beat(server)
    say_online(page)
    until(lambda: _last_beat(server) != before, what="a heartbeat")


def revoke(server: Server, device_id: int) -> None:
    """End a device's trust."""
    devices.revoke(server.db, STAFF, device_id)
