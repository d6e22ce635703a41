"""Deliveries that come at the same moment are written as one, and each is answered as if it had come alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from feedback_app.domain.access import SYSTEM
from feedback_app.services import counting, deliveries, intake, senders
from feedback_app.services.clock import now
from feedback_app.services.intake import DUPLICATE, REJECTED, STORED, Outcome
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Response
from tests.builders import Chain


def flags(db: Database) -> dict[UUID, list[Any]]:
    with db.read(SYSTEM) as session:
        return {row.id: row.flags for row in session.scalars(sa.select(Response))}


def together(chain: Chain, batches: Sequence[Sequence[Any]]) -> list[list[Outcome]]:
    """Send batches one after the other while the writer is busy, so that they are written as one group."""
    holds, let_go = threading.Event(), threading.Event()

    def hold(_connection: Connection) -> None:
        holds.set()
        let_go.wait(10)

    with ThreadPoolExecutor(len(batches) + 1) as pool:
        first = pool.submit(chain.db.write, hold)
        holds.wait(10)
        waiting = []
        for count, batch in enumerate(batches, 1):
            waiting.append(pool.submit(chain.send, *batch))
            while chain.db._writer._queue.qsize() < count:  # type: ignore[union-attr]
                threading.Event().wait(0.001)
        let_go.set()
        first.result(10)
        return [future.result(10) for future in waiting]


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def test_a_response_that_two_bring_at_the_same_moment_is_stored_once(chain: Chain) -> None:
    shared, mine, yours = chain.item(), chain.item(), chain.item()
    other = {**shared, "answers": {"smiley": 1}}
    told = together(chain, [[shared, mine], [yours, shared], [other], [shared, shared]])
    assert [statuses(outcomes) for outcomes in told] == [
        [STORED, STORED],
        [STORED, DUPLICATE],
        [REJECTED],
        [DUPLICATE, DUPLICATE],
    ]
    assert told[2][0].problem is not None
    assert told[2][0].problem.code == "conflict"
    assert set(flags(chain.db)) == {UUID(item["id"]) for item in (shared, mine, yours)}
    assert counting.verify(chain.db) == []


def test_one_group_is_one_insert_one_count_and_one_raise_of_the_store(chain: Chain) -> None:
    batches = [[chain.item() for _ in range(3)] for _ in range(10)]
    chain.a_tap()
    said: list[str] = []
    sa.event.listen(chain.db.engine, "before_cursor_execute", lambda *call: said.append(call[2].split(" (")[0]))
    together(chain, batches)
    for table in ("responses", "rollups", "store_versions"):
        assert said.count(f"INSERT INTO {table}") == 1
    assert counting.verify(chain.db) == []


def test_a_delivery_that_the_database_refuses_takes_no_other_with_it(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = [[chain.item() for _ in range(3)] for _ in range(4)]
    bad = batches[2][1]["id"]
    real = intake.prepare

    def prepare(*args: Any, **more: Any) -> list[intake.Prepared]:
        prepared = real(*args, **more)
        for item in prepared:
            if str(item.id) == bad:
                item.row["form_version_id"] = 10**6
        return prepared

    monkeypatch.setattr(intake, "prepare", prepare)
    told = together(chain, batches)
    assert [statuses(outcomes) for outcomes in told] == [
        [STORED] * 3,
        [STORED] * 3,
        [STORED, REJECTED, STORED],
        [STORED] * 3,
    ]
    assert len(flags(chain.db)) == 11
    assert counting.verify(chain.db) == []


def test_the_same_answers_of_other_hours_points_and_channels_are_counted_where_they_belong(any_chain: Chain) -> None:
    hours = [now() - timedelta(hours=hour) for hour in (1, 2, 2, 3)]
    items = [any_chain.item(at=hour) for hour in hours]
    items += [any_chain.item({"smiley": 4, "comment": text}, at=hours[0]) for text in ("Дзякуй!", "Дзякуй!", "Очередь")]
    assert statuses(any_chain.send(*items)) == [STORED] * 7
    any_chain.send(any_chain.item(touchpoint="exit"), touchpoint="exit")
    any_chain.send(*(any_chain.item({"overall": 4}, channel="qr") for _ in range(2)))
    assert counting.verify(any_chain.db) == []


# --- bursts -----------------------------------------------------------------------------------------------------


def crowd(chain: Chain, count: int) -> list[Any]:
    """As many taps at one point within two seconds."""
    begin = now() - timedelta(minutes=5)
    return [chain.item(at=begin + timedelta(seconds=2) * place / count) for place in range(count)]


def test_more_taps_than_hands_can_give_are_kept_and_counted_apart(any_chain: Chain) -> None:
    items = crowd(any_chain, 40)
    assert statuses(any_chain.send(*items)) == [STORED] * 40
    assert sum(kept == ["burst"] for kept in flags(any_chain.db).values()) == 10
    with any_chain.db.engine.connect() as connection:
        counted = counting.count_anew(any_chain.db, connection)
    by_flag = {
        flagged: sum(
            sums.n for key, sums in counted.items() if key.flagged is flagged and key.cell.measure == "response"
        )
        for flagged in (False, True)
    }
    assert by_flag == {False: 30, True: 10}
    assert counting.verify(any_chain.db) == []


def test_the_same_taps_sent_again_are_no_burst(any_chain: Chain) -> None:
    items = crowd(any_chain, 25)
    for _ in range(3):
        any_chain.send(*items)
    any_chain.send(*crowd(any_chain, 5))
    assert set(map(tuple, flags(any_chain.db).values())) == {()}


def test_taps_of_other_points_and_devices_are_no_burst(any_chain: Chain) -> None:
    for touchpoint in ("checkout", "exit"):
        items = [{**item, "point": any_chain.token("001", touchpoint)} for item in crowd(any_chain, 25)]
        any_chain.send(*items, touchpoint=touchpoint)
    for _ in range(2):
        sender = senders.device_sender(any_chain.db, any_chain.device())
        assert sender is not None
        intake.record(any_chain.db, crowd(any_chain, 25), sender)
    assert set(map(tuple, flags(any_chain.db).values())) == {()}


def test_what_the_device_flagged_itself_stays_flagged_once(any_chain: Chain) -> None:
    items = [{**item, "flags": ["burst", "held", "unheard of"]} for item in crowd(any_chain, 31)]
    any_chain.send(*items)
    assert set(map(tuple, flags(any_chain.db).values())) == {("burst", "held")}
    assert counting.verify(any_chain.db) == []


def test_taps_that_could_not_be_stored_are_no_burst_when_they_come_again(
    any_chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    items, real = crowd(any_chain, 25), deliveries._write

    def fail(connection: Connection, prepared: Sequence[intake.Prepared], keeper: Any) -> set[UUID]:
        real(connection, prepared, keeper)
        raise OperationalError("INSERT", None, Exception("disk full"))

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "_write", fail)
        with pytest.raises(OperationalError):
            any_chain.send(*items)
    assert flags(any_chain.db) == {}
    any_chain.send(*items)
    assert set(map(tuple, flags(any_chain.db).values())) == {()}
    assert counting.verify(any_chain.db) == []
