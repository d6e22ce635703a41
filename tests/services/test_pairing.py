"""A short code makes a tablet a kiosk of the fleet, once; whoever moves on still delivers what it collected."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.engine import Connection

from feedback_app.domain.access import Access
from feedback_app.domain.errors import Forbidden, NotFound, Problem
from feedback_app.services import devices, fleet, intake, pairing, senders
from feedback_app.storage import devices as stored_devices
from feedback_app.storage.tables import AuditEvent, Device, Heartbeat, PairingCode
from tests.builders import Chain


def a_token() -> str:
    return secrets.token_urlsafe(32)


@pytest.fixture
def admin(any_chain: Chain) -> Access:
    return any_chain.access("admin")


def a_code(chain: Chain, store: str = "001", touchpoint: str = "checkout", device_id: int | None = None) -> str:
    return pairing.make_code(chain.db, chain.access("admin"), store, touchpoint, device_id).code


def actions(chain: Chain) -> list[str]:
    with chain.db.engine.connect() as connection:
        query = sa.select(AuditEvent.__table__.c.action).order_by(AuditEvent.__table__.c.id)
        return [action for action in connection.execute(query).scalars() if action.startswith("device.")]


def delivers(chain: Chain, token: str, store: str, touchpoint: str) -> bool:
    """Say whether a device's token takes a tap in for a point."""
    sender = senders.device_sender(chain.db, token)
    assert sender is not None
    outcome = intake.record(chain.db, [chain.item(store=store, touchpoint=touchpoint)], sender)[0]
    return outcome.status == intake.STORED


def test_a_code_has_eight_digits_holds_a_quarter_of_an_hour_and_only_its_hash_is_kept(
    any_chain: Chain, admin: Access
) -> None:
    made = pairing.make_code(any_chain.db, admin, "001", "checkout")
    assert len(made.code) == 8
    assert made.code.isdigit()
    assert timedelta(minutes=14) < made.expires_at - datetime.now(UTC) <= timedelta(minutes=15)
    with any_chain.db.engine.connect() as connection:
        kept = connection.execute(sa.select(PairingCode.__table__)).one()
    assert made.code not in str(tuple(kept))
    assert actions(any_chain) == ["device.code"]


def test_a_code_makes_a_device_that_delivers_for_its_point(any_chain: Chain) -> None:
    token = a_token()
    paired = pairing.redeem(any_chain.db, a_code(any_chain), token, [])
    assert (paired.spot.store_code, paired.spot.touchpoint) == ("001", "checkout")
    assert paired.spot.token == any_chain.token("001", "checkout")
    assert delivers(any_chain, token, "001", "checkout")
    assert not delivers(any_chain, token, "002", "checkout")
    assert actions(any_chain) == ["device.code", "device.pair"]


@pytest.mark.parametrize("typed", ["{0}-{1}", "{0} {1}", " {0}{1} ", "{0}\u00a0{1}"])
def test_a_code_may_be_typed_in_groups(any_chain: Chain, typed: str) -> None:
    code = a_code(any_chain)
    assert pairing.redeem(any_chain.db, typed.format(code[:4], code[4:]), a_token(), []).spot.store_code == "001"


def test_whose_answer_was_lost_gets_the_same_answer_again(any_chain: Chain) -> None:
    code, token = a_code(any_chain), a_token()
    first = pairing.redeem(any_chain.db, code, token, [])
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        assert pairing.redeem(any_chain.db, code, token, []) == first
    assert actions(any_chain) == ["device.code", "device.pair"]


def test_a_code_that_is_wrong_used_or_expired_is_refused_alike(any_chain: Chain) -> None:
    used = a_code(any_chain)
    pairing.redeem(any_chain.db, used, a_token(), [])
    late = a_code(any_chain)
    for code in (used, "00000000", "1234", "", "none", "٠١٢٣٤٥٦٧", "12\x00345678"):
        with pytest.raises(NotFound, match="unknown_code"):
            pairing.redeem(any_chain.db, code, a_token(), [])
    with (
        time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)),
        pytest.raises(NotFound, match="unknown_code"),
    ):
        pairing.redeem(any_chain.db, late, a_token(), [])


def test_a_token_that_is_too_easy_to_guess_is_refused_and_the_code_stays_good(any_chain: Chain) -> None:
    code = a_code(any_chain)
    for token in ("", "short", "x" * 42, "x" * 44, "ж" * 43, "x" * 42 + "="):
        with pytest.raises(Problem, match="bad_token"):
            pairing.redeem(any_chain.db, code, token, [])
    assert pairing.redeem(any_chain.db, code, a_token(), [])


def test_a_moved_kiosk_stays_itself_and_delivers_for_its_old_point_too(any_chain: Chain) -> None:
    token = a_token()
    first = pairing.redeem(any_chain.db, a_code(any_chain), token, [])
    moved = pairing.redeem(any_chain.db, a_code(any_chain, "002", "exit"), "ignored", [], present=first.device_id)
    assert moved.device_id == first.device_id
    assert moved.spot.token == any_chain.token("002", "exit")
    assert moved.name.startswith("002/exit/")
    assert delivers(any_chain, token, "002", "exit")
    assert delivers(any_chain, token, "001", "checkout")
    back = pairing.redeem(any_chain.db, a_code(any_chain), "ignored", [], present=first.device_id)
    assert back.spot.token == any_chain.token("001", "checkout")
    assert actions(any_chain)[-1] == "device.move"


def test_a_name_that_people_gave_stays_when_the_kiosk_moves(any_chain: Chain, admin: Access) -> None:
    first = pairing.redeem(any_chain.db, a_code(any_chain), a_token(), [])
    devices.change(any_chain.db, admin, first.device_id, name="By the bread")
    moved = pairing.redeem(any_chain.db, a_code(any_chain, "002", "exit"), "", [], present=first.device_id)
    assert moved.name == "By the bread"


def test_points_that_a_kiosk_still_holds_items_for_become_formerly_held(any_chain: Chain) -> None:
    token = a_token()
    held = [any_chain.token("003", "shelf"), "no such point", "a\x00b", 7, any_chain.token()]
    pairing.redeem(any_chain.db, a_code(any_chain), token, held)  # type: ignore[arg-type]
    assert delivers(any_chain, token, "003", "shelf")
    assert delivers(any_chain, token, "001", "checkout")
    card = senders.device_sender(any_chain.db, token)
    assert card is not None
    with any_chain.db.engine.connect() as connection:
        from_now = sa.text("SELECT count(*) FROM device_points WHERE until IS NULL")
        assert connection.execute(from_now).scalar() == 1


def test_a_code_for_a_device_puts_another_tablet_in_its_place(any_chain: Chain) -> None:
    old, new = a_token(), a_token()
    first = pairing.redeem(any_chain.db, a_code(any_chain), old, [])
    fleet.beat(any_chain.db, first.device_id, {"boot_id": "b", "monotonic_ms": 1, "sequence": 900}, None)
    replaced = pairing.redeem(any_chain.db, a_code(any_chain, device_id=first.device_id), new, [])
    assert replaced.device_id == first.device_id
    assert senders.device_sender(any_chain.db, old) is None
    assert delivers(any_chain, new, "001", "checkout")
    with any_chain.db.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(Heartbeat.__table__)).scalar() == 0
    assert actions(any_chain)[-1] == "device.replace"


def test_a_revoked_kiosk_needs_a_token_of_its_own_anew(any_chain: Chain, admin: Access) -> None:
    token = a_token()
    first = pairing.redeem(any_chain.db, a_code(any_chain), token, [])
    devices.revoke(any_chain.db, admin, first.device_id)
    assert senders.device_sender(any_chain.db, token) is None
    code = a_code(any_chain)
    with pytest.raises(NotFound):
        pairing.redeem(any_chain.db, code, token, [])
    again = pairing.redeem(any_chain.db, code, a_token(), [])
    assert again.device_id != first.device_id


def test_only_the_administrator_makes_codes_and_for_places_that_are_there(any_chain: Chain, admin: Access) -> None:
    for role in ("director", "manager", "coordinator", "mystery_shopper"):
        with pytest.raises(Forbidden):
            pairing.make_code(any_chain.db, any_chain.access(role), "001", "checkout")
    with pytest.raises(NotFound, match="unknown_store"):
        pairing.make_code(any_chain.db, admin, "999", "checkout")
    with pytest.raises(NotFound, match="unknown_touchpoint"):
        pairing.make_code(any_chain.db, admin, "001", "moon")
    with pytest.raises(NotFound, match="unknown_device"):
        pairing.make_code(any_chain.db, admin, "001", "checkout", 999)


def test_a_closed_point_takes_no_kiosk(any_chain: Chain, admin: Access) -> None:
    code = a_code(any_chain)
    close = sa.text("UPDATE points SET closed_at = created_at WHERE token = :token")
    any_chain.db.write(lambda connection: connection.execute(close, {"token": any_chain.token()}))
    with pytest.raises(NotFound, match="unknown_code"):
        pairing.redeem(any_chain.db, code, a_token(), [])
    with pytest.raises(NotFound, match="unknown_touchpoint"):
        pairing.make_code(any_chain.db, admin, "001", "checkout")


def test_a_page_can_ask_whether_its_code_was_used(any_chain: Chain) -> None:
    code = a_code(any_chain)
    assert pairing.user_of(any_chain.db, code) is None
    paired = pairing.redeem(any_chain.db, code, a_token(), [])
    assert pairing.user_of(any_chain.db, code) == paired.name


def test_old_codes_go_away_with_the_next_one(any_chain: Chain) -> None:
    a_code(any_chain)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        a_code(any_chain)
    with any_chain.db.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(PairingCode.__table__)).scalar() == 1


def test_two_tablets_that_type_one_code_at_once_become_one_device(any_chain: Chain) -> None:
    code = a_code(any_chain)

    def typed(token: str) -> bool:
        try:
            pairing.redeem(any_chain.db, code, token, [])
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(typed, [a_token() for _ in range(4)])) == 1
    with any_chain.db.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(Device.__table__)).scalar() == 1


def test_a_tablet_that_redeems_two_codes_at_once_becomes_one_device(
    any_chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = a_token()
    first = pairing.redeem(any_chain.db, a_code(any_chain), token, [])
    known, looks = stored_devices.device_of_token, iter([True])

    def too_early(connection: Connection, token_hash: str) -> object:
        """See nothing of the other transaction the first time."""
        return None if next(looks, False) else known(connection, token_hash)

    monkeypatch.setattr(stored_devices, "device_of_token", too_early)
    second = pairing.redeem(any_chain.db, a_code(any_chain, "002"), token, [])
    assert (second.device_id, second.spot.store_code) == (first.device_id, "002")


def test_odd_text_among_the_points_a_kiosk_held_names_none(any_chain: Chain) -> None:
    token, held = a_token(), any_chain.token("002", "checkout")
    odd: list[Any] = ["\ud800", "\0", "", "x" * 65, "кассa", None, 7, {}]
    assert pairing.redeem(any_chain.db, a_code(any_chain), token, [*odd, held]).spot.store_code == "001"
    assert delivers(any_chain, token, "002", "checkout")
