"""The counts that pages read tell the truth, are seen where they do not, and can be mended."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.services import book, counting, visits
from feedback_app.services.clock import now
from feedback_app.storage import responses as stored
from feedback_app.storage.tables import MentionRow, Response, Rollup, StoreVersion
from tests.builders import Chain
from tests.services.handed_in import ALL_GOOD

WORDS = ("Очередь на кассе огромная, ужас", "Вельмі ветлівы касір, дзякуй!", "The bread was stale and cold.")


@pytest.fixture
def lived_in(any_chain: Chain) -> Chain:
    """A chain where something came in by every channel."""
    for index, text in enumerate(WORDS * 2):
        any_chain.a_tap(1 + index % 4, comment=text, store=("001", "002")[index % 2])
    any_chain.a_survey(overall=2, reason="queue", effort=3, recommend=4, comment=WORDS[0])
    book.write_entry(any_chain.db, "001", {"kind": "complaint", "text": WORDS[0]}, uuid4(), "ru")
    visits.submit(any_chain.db, any_chain.access("mystery_shopper"), "visit-001", ALL_GOOD, uuid4(), "ru")
    return any_chain


def sql(chain: Chain, statement: str) -> int:
    """Change the database behind the program's back."""
    done: int = chain.db.write(lambda connection: connection.execute(sa.text(statement)).rowcount)
    return done


def test_all_channels_together_are_counted_right(lived_in: Chain) -> None:
    assert counting.verify(lived_in.db) == []
    assert counting.responses_in_all(lived_in.db) == 9
    assert counting.responses_in_all(lived_in.db, with_comment=True) == 8


FAULTS = [
    "UPDATE rollups SET n = n + 1 WHERE measure = 'response' AND source = 'qr'",
    "UPDATE rollups SET total = total - 1 WHERE measure = 'score' AND source = 'qr'",
    "UPDATE rollups SET squares = 0 WHERE measure = 'ces'",
    "DELETE FROM rollups WHERE measure = 'nps'",
    "UPDATE rollups SET bucket = '9' WHERE measure = 'nps'",
    "UPDATE rollups SET hour = hour + 1 WHERE measure = 'nps'",
    "UPDATE rollups SET stage = 'mars' WHERE measure = 'checklist' AND stage = 'trigger' AND bucket = 'cross'",
]


def test_a_single_wrong_cell_is_found_and_mended(lived_in: Chain) -> None:
    for fault in FAULTS:
        assert sql(lived_in, fault) == 1, fault
        different = counting.verify(lived_in.db)
        assert different, fault
        assert all(kept != counted for _, kept, counted in different)
        assert counting.rebuild(lived_in.db) > 0
        assert counting.verify(lived_in.db) == [], fault


def test_a_response_that_nobody_counted_is_found(lived_in: Chain) -> None:
    sql(lived_in, "UPDATE responses SET voided_at = NULL, score = 0 WHERE channel = 'qr'")
    ((key, _, counted),) = counting.verify(lived_in.db)
    assert (key.cell.measure, key.source, counted.total) == ("score", "qr", 0)


def test_rebuilding_changes_nothing_where_nothing_is_wrong(lived_in: Chain) -> None:
    def cells() -> set[Any]:
        with lived_in.db.engine.connect() as connection:
            return {tuple(row) for row in connection.execute(sa.select(Rollup.__table__))}

    before = cells()
    assert counting.rebuild(lived_in.db) == len(before)
    assert cells() == before


def what_was_scored(chain: Chain) -> tuple[Any, Any]:
    columns = [getattr(Response, name) for name in ("sentiment", "sentiment_label", "sentiment_model", "terms")]
    with chain.db.read(SYSTEM) as session:
        scored = session.execute(sa.select(Response.id, *columns).order_by(Response.id)).all()
        mentions = session.scalars(sa.select(MentionRow).order_by(MentionRow.response_id, MentionRow.position))
        return list(map(repr, scored)), [(row.response_id, row.aspect, row.stage, row.polarity) for row in mentions]


def test_scoring_anew_restores_what_was_changed_and_leaves_the_rest(lived_in: Chain) -> None:
    before = what_was_scored(lived_in)
    assert counting.rescore(lived_in.db) == 0
    sql(lived_in, "UPDATE responses SET sentiment = 0.123, sentiment_label = 'neutral' WHERE channel = 'book'")
    sql(lived_in, "DELETE FROM mentions WHERE channel = 'qr'")
    assert counting.rebuild(lived_in.db)
    assert what_was_scored(lived_in) != before
    assert counting.rescore(lived_in.db) == 2
    assert what_was_scored(lived_in) == before
    assert counting.verify(lived_in.db) == []
    assert counting.rescore(lived_in.db) == 0


def test_two_who_score_anew_at_the_same_time_count_nothing_twice(lived_in: Chain) -> None:
    before = what_was_scored(lived_in)
    sql(lived_in, "UPDATE responses SET sentiment = 0.123, sentiment_label = 'neutral' WHERE comment IS NOT NULL")
    sql(lived_in, "DELETE FROM mentions")
    counting.rebuild(lived_in.db)
    barrier = threading.Barrier(4)

    def rescore(_: int) -> None:
        barrier.wait()
        counting.rescore(lived_in.db)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(rescore, range(4)))
    assert counting.verify(lived_in.db) == []
    assert what_was_scored(lived_in) == before


def test_counting_anew_and_looking_while_taps_come_in_sees_no_fault_and_makes_none(lived_in: Chain) -> None:
    done = threading.Event()

    def taps(store: str) -> int:
        sent = 0
        while not done.is_set() and sent < 400:
            lived_in.send(*(lived_in.item({"smiley": 2}, store=store) for _ in range(5)), store=store)
            sent += 5
        return sent

    with ThreadPoolExecutor(3) as pool:
        coming = [pool.submit(taps, store) for store in ("001", "002", "003")]
        try:
            for _ in range(4):
                assert counting.verify(lived_in.db) == []
                counting.rebuild(lived_in.db)
        finally:
            done.set()
        assert sum(future.result(30) for future in coming) > 0
    assert counting.verify(lived_in.db) == []


def test_an_item_forty_days_late_is_counted_in_its_own_hour(lived_in: Chain) -> None:
    happened = now() - timedelta(days=40)
    lived_in.a_tap(1, at=happened)
    assert counting.verify(lived_in.db) == []
    with lived_in.db.read(SYSTEM) as session:
        hour = int(happened.timestamp()) // 3600
        assert (
            session.scalar(sa.select(sa.func.sum(Rollup.n)).where(Rollup.hour == hour, Rollup.measure == "response"))
            == 1
        )


def version(chain: Chain) -> int:
    with chain.db.read(SYSTEM) as session:
        return int(session.scalar(sa.select(sa.func.sum(StoreVersion.version))) or 0)


def test_every_change_of_the_counts_raises_the_version_of_the_data(lived_in: Chain) -> None:
    seen = [version(lived_in)]
    lived_in.a_tap(3)
    seen.append(version(lived_in))
    sql(lived_in, "UPDATE responses SET sentiment = 0.5 WHERE channel = 'book'")
    counting.rescore(lived_in.db)
    seen.append(version(lived_in))
    counting.rebuild(lived_in.db)
    seen.append(version(lived_in))
    assert seen == sorted(set(seen))


def test_responses_are_read_in_batches_without_missing_one(any_chain: Chain) -> None:
    any_chain.send(*(any_chain.item() for _ in range(25)))
    with any_chain.db.engine.connect() as connection:
        first = stored.page(connection, None, size=10)
        second = stored.page(connection, first[-1]["id"], size=10)
        third = stored.page(connection, second[-1]["id"], size=10)
    assert [len(rows) for rows in (first, second, third)] == [10, 10, 5]
    assert len({row["id"] for row in first + second + third}) == 25


def test_a_rebuild_lets_every_store_be_drawn_anew(chain: Chain) -> None:
    response_id = chain.a_tap(4)
    chain.db.write(
        lambda connection: connection.execute(
            sa.update(Response.__table__).where(Response.__table__.c.id == response_id).values(voided_at=now())
        )
    )

    def version() -> int:
        with chain.db.read(SYSTEM) as session:
            return session.scalar(sa.select(sa.func.sum(StoreVersion.version))) or 0

    before = version()
    assert counting.rebuild(chain.db) == 0
    assert version() > before
