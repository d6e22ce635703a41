"""Who may hand responses in: known for a moment, so that not every tap asks the database, and never for longer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from feedback_app.domain.clocks import Beat
from feedback_app.domain.errors import Problem
from feedback_app.services import catalogue, devices, senders
from feedback_app.services.clock import now
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Device, Heartbeat, Point
from tests.builders import Chain

Later = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Let seconds pass."""
    clock = [1_000.0]
    monkeypatch.setattr(senders, "monotonic", lambda: clock[0])

    def pass_by(seconds: float) -> None:
        clock[0] += seconds

    return pass_by


def revoke_elsewhere(db: Database) -> None:
    db.write(lambda link: link.execute(sa.update(Device.__table__).values(revoked_at=now())))


def test_a_device_revoked_here_counts_as_revoked_at_once(any_chain: Chain) -> None:
    db, token = any_chain.db, any_chain.device()
    sender = senders.device_sender(db, token)
    assert sender is not None
    assert sender.device_id is not None
    devices.revoke(db, any_chain.access("admin"), sender.device_id)
    assert senders.device_sender(db, token) is None
    assert senders.sender_of(db, token) is None


def test_a_device_revoked_by_another_process_counts_as_revoked_within_a_second(any_chain: Chain, later: Later) -> None:
    db, token = any_chain.db, any_chain.device()
    for find in (senders.device_sender, senders.sender_of):
        assert find(db, token) is not None
    revoke_elsewhere(db)
    later(0.9)
    assert senders.device_sender(db, token) is not None
    later(0.2)
    for find in (senders.device_sender, senders.sender_of):
        assert find(db, token) is None


def test_what_is_known_is_asked_for_once(any_chain: Chain) -> None:
    db, token, asked = any_chain.db, any_chain.device(), []
    sender = senders.sender_of(db, token)
    assert sender is not None
    senders.finder(db, sender)(any_chain.token(), 1, "button")
    sa.event.listen(db.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert senders.sender_of(db, token) == sender
    senders.finder(db, sender)(any_chain.token(), 1, "button")
    assert asked == []


def test_an_unknown_token_is_asked_for_again(any_chain: Chain) -> None:
    db = any_chain.db
    assert senders.sender_of(db, "made on the device") is None
    any_chain.device()
    hashed = catalogue.hash_token("made on the device")
    db.write(lambda link: link.execute(sa.update(Device.__table__).values(token_hash=hashed)))
    assert senders.sender_of(db, "made on the device") is not None


def test_a_form_published_by_another_process_is_found_within_a_second(any_chain: Chain, later: Later) -> None:
    db, token = any_chain.db, any_chain.token()
    find = senders.finder(db, any_chain.sender())
    assert find(token, None, "button").version == 1
    db.write(lambda link: catalogue.publish_form(link, _renamed(any_chain)))
    later(1.1)
    assert find(token, None, "button").version == 2
    assert find(token, 1, "button").version == 1


def _renamed(chain: Chain) -> dict[str, object]:
    texts = {"ru": "Новый", "be": "Новы", "en": "New"}
    question = {"key": "smiley", "type": "smiley4", "text": texts}
    section = {"key": "all", "title": texts, "questions": [question]}
    return {"key": "kiosk-checkout", "purpose": "kiosk", "title": texts, "sections": [section]}


def test_a_point_of_another_is_unknown_to_a_sender_whatever_its_form(any_chain: Chain) -> None:
    db, foreign = any_chain.db, any_chain.token("002")
    other = senders.point_sender(db, foreign)
    assert other is not None
    assert senders.finder(db, other)(foreign, 1, "button").token == foreign
    find = senders.finder(db, any_chain.sender())
    for version in (1, 77, None):
        for _ in range(2):
            with pytest.raises(Problem, match="unknown_point at point"):
                find(foreign, version, "button")
    with pytest.raises(Problem, match="unknown_form_version"):
        find(any_chain.token(), 77, "button")


def test_a_point_that_stands_for_a_whole_store_sends_nothing(any_chain: Chain) -> None:
    with any_chain.db.engine.connect() as connection:
        query = sa.select(Point.__table__.c.token).where(Point.__table__.c.touchpoint_id.is_(None))
        whole = connection.execute(query).scalars().first()
    assert whole is not None
    assert senders.sender_of(any_chain.db, whole) is None


def test_the_heartbeats_of_a_device_come_in_the_order_of_their_receipt(any_chain: Chain) -> None:
    db = any_chain.db
    sender, other = (senders.device_sender(db, any_chain.device()) for _ in range(2))
    assert sender is not None
    assert other is not None
    beats = [Beat(now(), "boot", 1_000.0 * count, count) for count in range(3)]
    rows = [{"device_id": sender.device_id, **beat._asdict()} for beat in beats]
    db.write(lambda link: link.execute(sa.insert(Heartbeat.__table__), rows))
    assert senders.beats_of(db, sender)() == beats
    assert senders.beats_of(db, other)() == []
    assert senders.beats_of(db, any_chain.sender())() == ()
