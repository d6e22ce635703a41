"""Kiosks of the fleet: paired through the device API, heard of by their heartbeats, revoked."""

from __future__ import annotations

from dataclasses import replace

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


def _beats(server: Server) -> int:
    with server.db.read(SYSTEM) as session:
        return session.scalars(sa.select(sa.func.count()).select_from(Heartbeat)).one()


def beat(page: Page, server: Server) -> None:
    """Let a heartbeat reach the server."""
    before = _beats(server)
    say_online(page)
    until(lambda: _beats(server) > before, what="a heartbeat")


def revoke(server: Server, device_id: int) -> None:
    """End a device's trust."""
    devices.revoke(server.db, STAFF, device_id)
