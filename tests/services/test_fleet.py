"""What kiosks say of themselves is kept as it can be read, and the fleet shows who needs a hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from feedback_app.domain.errors import Forbidden, Invalid, NotFound
from feedback_app.domain.fleet import State
from feedback_app.domain.kiosks import KioskSettings, Span
from feedback_app.services import devices, fleet, kiosk_settings, pairing, senders
from feedback_app.services.chain import CHAIN
from feedback_app.storage import house
from feedback_app.storage.tables import AuditEvent, DeviceState, Heartbeat
from tests.builders import Chain
from tests.services.test_pairing import a_code, a_token

ODD = [
    None,
    True,
    -1,
    -(10**400),
    10**400,
    float("inf"),
    float("-inf"),
    float("nan"),
    "",
    "x",
    "\x00",
    "9" * 5_000,
    [],
    {},
]
NAMES = (
    "queue_length",
    "oldest_queued_at",
    "app_version",
    "storage_persisted",
    "sent_at",
    "boot_id",
    "monotonic_ms",
    "sequence",
    "quarantined",
    "storage_used",
    "storage_quota",
)


def a_kiosk(chain: Chain, store: str = "001", touchpoint: str = "checkout") -> int:
    return pairing.redeem(chain.db, a_code(chain, store, touchpoint), a_token(), []).device_id


def state(chain: Chain, device_id: int) -> Any:
    with chain.db.engine.connect() as connection:
        table = DeviceState.__table__
        return connection.execute(sa.select(table).where(table.c.device_id == device_id)).one()


def beats(chain: Chain) -> list[Any]:
    with chain.db.engine.connect() as connection:
        return list(connection.execute(sa.select(Heartbeat.__table__).order_by(Heartbeat.__table__.c.id)))


def beat(chain: Chain, device_id: int, at: datetime | None = None, **raw: Any) -> None:
    with time_machine.travel(at or datetime.now(UTC)):
        fleet.beat(chain.db, device_id, raw, "shell-1")


# --- heartbeats -------------------------------------------------------------------------------------------------


def test_a_heartbeat_is_kept_with_times_by_the_server_s_clock(any_chain: Chain) -> None:
    device_id = a_kiosk(any_chain)
    now = datetime.now(UTC)
    behind = now - timedelta(minutes=10)
    with time_machine.travel(now, tick=False):
        heard = fleet.beat(
            any_chain.db,
            device_id,
            {
                "queue_length": 7,
                "oldest_queued_at": (behind - timedelta(hours=1)).isoformat(),
                "app_version": "abc123",
                "storage_persisted": True,
                "sent_at": behind.isoformat(),
                "quarantined": 2,
                "storage_used": 5_000_000,
                "storage_quota": 10_000_000,
            },
            "abc123",
        )
    found = state(any_chain, device_id)
    assert (found.queue_length, found.quarantined, found.app_version) == (7, 2, "abc123")
    assert (found.storage_used, found.storage_quota, found.storage_persisted) == (5_000_000, 10_000_000, True)
    assert abs(found.skew_ms - 600_000) <= 1
    assert abs(found.oldest_queued_at - (now - timedelta(hours=1))) < timedelta(seconds=1)
    assert heard.spot is not None
    assert heard.spot.token == any_chain.token()
    assert beats(any_chain) == [], "without its counters a heartbeat places nothing"


def test_a_later_heartbeat_takes_the_place_of_the_earlier(any_chain: Chain) -> None:
    device_id = a_kiosk(any_chain)
    beat(any_chain, device_id, queue_length=5)
    beat(any_chain, device_id)
    assert state(any_chain, device_id).queue_length == 0


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_value_is_as_if_it_were_left_out(any_chain: Chain, name: str) -> None:
    device_id = a_kiosk(any_chain)
    for value in [*ODD, "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]:
        raw = {"boot_id": "boot", "monotonic_ms": 1, "sequence": 1, "sent_at": datetime.now(UTC).isoformat()}
        raw[name] = value
        fleet.beat(any_chain.db, device_id, raw, None)
    assert state(any_chain, device_id).seen_at is not None
    assert fleet.kiosks(any_chain.db, any_chain.access("director"))


def test_a_clock_at_the_end_of_time_does_no_harm(any_chain: Chain) -> None:
    device_id = a_kiosk(any_chain)
    for sent_at in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        for oldest in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
            beat(any_chain, device_id, sent_at=sent_at, oldest_queued_at=oldest)
    assert State.WRONG_CLOCK in fleet.kiosks(any_chain.db, any_chain.access("director"))[0].states


def test_while_nothing_is_collected_one_heartbeat_stands_for_a_boot(any_chain: Chain) -> None:
    device_id, now = a_kiosk(any_chain), datetime.now(UTC)
    for minute, boot, sequence in ((0, "a", 3), (5, "a", 3), (10, "a", 4), (15, "b", 4), (20, "b", 4), (25, "a", 4)):
        at = now + timedelta(minutes=minute)
        beat(any_chain, device_id, at, boot_id=boot, monotonic_ms=minute * 60_000, sequence=sequence)
    kept = [(row.boot_id, row.sequence, row.monotonic_ms // 60_000) for row in beats(any_chain)]
    assert kept == [("a", 3, 5), ("a", 4, 10), ("b", 4, 20), ("a", 4, 25)]
    assert beats(any_chain)[0].received_at >= now + timedelta(minutes=4)


def test_heartbeats_of_sixty_days_are_kept_and_another_device_s_are_let_alone(any_chain: Chain) -> None:
    first, second = a_kiosk(any_chain), a_kiosk(any_chain)
    now = datetime.now(UTC)
    for device_id in (first, second):
        beat(any_chain, device_id, now - timedelta(days=61), boot_id="a", monotonic_ms=1, sequence=1)
        beat(any_chain, device_id, now - timedelta(days=59), boot_id="a", monotonic_ms=1, sequence=2)
    beat(any_chain, first, now, boot_id="a", monotonic_ms=1, sequence=3)
    assert [(row.device_id, row.sequence) for row in beats(any_chain)] == [
        (first, 2),
        (second, 1),
        (second, 2),
        (first, 3),
    ]


def test_a_kiosk_is_outdated_a_day_after_the_server_s_version_changed(any_chain: Chain) -> None:
    device_id, now = a_kiosk(any_chain), datetime.now(UTC)

    def found(version: str, at: datetime) -> tuple[State, ...]:
        with time_machine.travel(at):
            fleet.beat(any_chain.db, device_id, {"app_version": "old", "storage_persisted": True}, version)
            return fleet.kiosks(any_chain.db, any_chain.access("director"), version)[0].states

    assert found("old", now) == ()
    assert found("new", now + timedelta(hours=1)) == ()
    assert found("new", now + timedelta(hours=24)) == ()
    assert found("new", now + timedelta(hours=26)) == (State.OUTDATED,)
    assert found("newer", now + timedelta(hours=27)) == ()


# --- the page ---------------------------------------------------------------------------------------------------


def test_those_in_need_stand_first_and_those_that_are_well_last(any_chain: Chain) -> None:
    well = a_kiosk(any_chain, "001", "entrance")
    full = a_kiosk(any_chain, "002", "entrance")
    silent = a_kiosk(any_chain, "003", "entrance")
    unprotected = a_kiosk(any_chain, "003", "exit")
    beat(any_chain, well)
    beat(any_chain, full, queue_length=5_000)
    beat(any_chain, silent, datetime.now(UTC) - timedelta(days=2))
    beat(any_chain, unprotected, storage_persisted=False)
    found = fleet.overview(any_chain.db, any_chain.access("director"))
    assert [one.id for one in found.kiosks] == [silent, full, unprotected, well]
    assert (found.count, found.in_need, found.page, found.pages) == (4, 2, 1, 1)
    assert found.kiosks[2].states == (State.UNPROTECTED,)


def test_a_manager_sees_the_kiosks_and_bare_points_of_own_stores_alone(any_chain: Chain) -> None:
    own, other = a_kiosk(any_chain, "001"), a_kiosk(any_chain, "002")
    manager = any_chain.access("manager")
    found = fleet.overview(any_chain.db, manager)
    assert [one.id for one in found.kiosks] == [own]
    assert [one.store_code for one in found.bare] == ["001"]
    with pytest.raises(NotFound):
        devices.card(any_chain.db, manager, other)
    for role in ("coordinator", "mystery_shopper"):
        with pytest.raises(Forbidden):
            fleet.overview(any_chain.db, any_chain.access(role))


def test_points_without_a_kiosk_are_told_by_store(any_chain: Chain) -> None:
    device_id = a_kiosk(any_chain, "001", "checkout")
    director, admin = any_chain.access("director"), any_chain.access("admin")

    def bare() -> dict[str, list[str]]:
        found = fleet.overview(any_chain.db, director)
        return {one.store_code: [key for key, _ in one.touchpoints] for one in found.bare}

    assert bare()["001"] == ["entrance", "shelf", "counter", "exit"]
    assert len(bare()["002"]) == 5
    pairing.redeem(any_chain.db, a_code(any_chain, "002", "exit"), "", [], present=device_id)
    assert "checkout" in bare()["001"]
    assert "exit" not in bare()["002"]
    devices.revoke(any_chain.db, admin, device_id)
    assert len(bare()["002"]) == 5


def test_a_large_fleet_comes_in_pages(any_chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "PAGE", 2)
    made = [a_kiosk(any_chain, "001", key) for key in ("entrance", "shelf", "exit")]
    director = any_chain.access("director")
    pages = [fleet.overview(any_chain.db, director, page=page) for page in (-3, 1, 2, 99)]
    assert [[one.id for one in found.kiosks] for found in pages] == [made[:2], made[:2], made[2:], made[2:]]
    assert {(found.count, found.pages) for found in pages} == {(3, 2)}


def test_a_clock_of_the_server_that_was_set_back_shows_no_kiosk_of_the_future(any_chain: Chain) -> None:
    device_id = a_kiosk(any_chain)
    beat(any_chain, device_id, datetime.now(UTC) + timedelta(hours=5))
    facts = fleet.kiosks(any_chain.db, any_chain.access("director"))[0].facts
    assert facts.seen_at is not None
    assert facts.seen_at <= datetime.now(UTC)


def test_a_kiosk_whose_point_was_closed_is_still_listed(any_chain: Chain) -> None:
    device_id = a_kiosk(any_chain)
    close = sa.text("UPDATE points SET closed_at = created_at WHERE token = :token")
    any_chain.db.write(lambda connection: connection.execute(close, {"token": any_chain.token()}))
    assert [one.id for one in fleet.kiosks(any_chain.db, any_chain.access("director"))] == [device_id]
    heard = fleet.beat(any_chain.db, device_id, {}, None)
    assert heard.spot is None


# --- what the administrator changes -----------------------------------------------------------------------------


def audited(chain: Chain) -> list[tuple[str, dict[str, Any]]]:
    with chain.db.engine.connect() as connection:
        table = AuditEvent.__table__
        return [(row.action, row.details) for row in connection.execute(sa.select(table).order_by(table.c.id))]


def test_a_revoked_kiosk_leaves_the_fleet_and_its_token_opens_nothing(any_chain: Chain) -> None:
    token, admin = any_chain.device(), any_chain.access("admin")
    sender = senders.device_sender(any_chain.db, token)
    assert sender is not None
    assert sender.device_id is not None
    devices.revoke(any_chain.db, admin, sender.device_id)
    assert senders.device_sender(any_chain.db, token) is None
    assert fleet.kiosks(any_chain.db, admin) == []
    assert audited(any_chain)[-1] == ("device.revoke", {})
    with pytest.raises(NotFound, match="unknown_device"):
        devices.revoke(any_chain.db, admin, sender.device_id)


def test_only_the_administrator_changes_kiosks(any_chain: Chain) -> None:
    device_id = a_kiosk(any_chain)
    for role in ("director", "manager"):
        access = any_chain.access(role)
        for change in (
            lambda access=access: devices.revoke(any_chain.db, access, device_id),
            lambda access=access: devices.change(any_chain.db, access, device_id, name="Other"),
            lambda access=access: devices.change(any_chain.db, access, device_id, own={"theme": "dark"}),
            lambda access=access: kiosk_settings.change(any_chain.db, access, KioskSettings(theme="dark")),
        ):
            with pytest.raises(Forbidden):
                change()


def test_a_name_is_one_short_line(any_chain: Chain) -> None:
    device_id, admin = a_kiosk(any_chain), any_chain.access("admin")
    devices.change(any_chain.db, admin, device_id, name="  By the \n bread ")
    assert devices.card(any_chain.db, admin, device_id).name == "By the bread"
    for name, code in (("", "required"), ("  ", "required"), ("x" * 81, "too_long"), ("a\x00b", "too_long")):
        with pytest.raises(Invalid, match=code):
            devices.change(any_chain.db, admin, device_id, name=name)
    before = len(audited(any_chain))
    devices.change(any_chain.db, admin, device_id, name="By the bread")
    assert len(audited(any_chain)) == before, "nothing changed, nothing to tell"


def test_a_kiosk_of_its_own_goes_before_the_chain(any_chain: Chain) -> None:
    device_id, admin = a_kiosk(any_chain), any_chain.access("admin")
    dim = {"from": "20:00", "to": "07:00"}
    devices.change(any_chain.db, admin, device_id, own={"theme": "contrast", "dim": dim})
    card = devices.card(any_chain.db, admin, device_id)
    assert card.own == {"theme": "contrast", "dim": dim}
    assert card.spot is not None
    settings = kiosk_settings.device_settings(any_chain.db, card.own, card.spot)
    assert (settings["theme"], settings["dim"], settings["attract_after"]) == ("contrast", dim, 60)
    with pytest.raises(Invalid):
        devices.change(any_chain.db, admin, device_id, own={"theme": "pink"})


# --- the chain's settings ---------------------------------------------------------------------------------------


def test_a_change_is_seen_at_once_and_told_without_the_pin(any_chain: Chain) -> None:
    admin = any_chain.access("admin")
    assert kiosk_settings.settings_of(any_chain.db).theme == "light"
    pin = kiosk_settings.pin_verifier("1357")
    wanted = KioskSettings(theme="dark", hours=Span("09:00", "21:00"), pin=pin)
    kiosk_settings.change(any_chain.db, admin, wanted)
    assert kiosk_settings.settings_of(any_chain.db) == wanted
    action, details = audited(any_chain)[-1]
    assert action == "kiosk.settings"
    assert details == {"theme": "dark", "hours": {"from": "09:00", "to": "21:00"}, "pin": "set"}
    before = len(audited(any_chain))
    kiosk_settings.change(any_chain.db, admin, wanted)
    assert len(audited(any_chain)) == before


def test_another_process_s_change_counts_after_a_second(any_chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(kiosk_settings, "monotonic", lambda: clock[0])
    assert not kiosk_settings.require_pairing(any_chain.db)
    stored = KioskSettings(require_pairing=True).stored()
    any_chain.db.write(lambda connection: house.put_setting(connection, kiosk_settings.SETTING, stored))
    clock[0] += 0.9
    assert not kiosk_settings.require_pairing(any_chain.db)
    clock[0] += 0.2
    assert kiosk_settings.require_pairing(any_chain.db)


def test_a_demo_is_open_and_a_real_chain_asks_for_pairing_until_somebody_decides(any_chain: Chain) -> None:
    admin, real = any_chain.access("admin"), {"demo": False}
    assert not kiosk_settings.require_pairing(any_chain.db)
    any_chain.db.write(lambda connection: house.put_setting(connection, CHAIN, real))
    any_chain.db.memory.clear()
    assert kiosk_settings.require_pairing(any_chain.db)
    kiosk_settings.change(any_chain.db, admin, KioskSettings(require_pairing=False))
    assert not kiosk_settings.require_pairing(any_chain.db)


def test_everybody_gets_the_settings_and_only_devices_what_the_pin_is_checked_by(any_chain: Chain) -> None:
    admin, device_id = any_chain.access("admin"), a_kiosk(any_chain)
    spot = devices.card(any_chain.db, admin, device_id).spot
    assert spot is not None
    pin = kiosk_settings.pin_verifier("1357")
    kiosk_settings.change(any_chain.db, admin, KioskSettings(logo="b" * 64, pin=pin))
    public = kiosk_settings.public_settings(any_chain.db, spot, "/shops")
    assert "pin" not in public
    assert public["logo"] == f"/shops/k/logo/{'b' * 64}.png"
    assert public["timezone"] == "Europe/Minsk"
    assert kiosk_settings.device_settings(any_chain.db, {}, spot)["pin"] == pin
    assert kiosk_settings.checked_pin(any_chain.db, "1357") == pin
    assert kiosk_settings.checked_pin(any_chain.db, "1358") is None
