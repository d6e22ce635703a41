"""Many rows in one statement are the rows that the tables' types would have written, each by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM
from feedback_app.storage import responses as stored
from feedback_app.storage import rollups
from feedback_app.storage.database import Database
from feedback_app.storage.many import CHUNK, ManyRows
from feedback_app.storage.tables import MentionRow, Point, Response, Rollup, StoreVersion
from tests.builders import Chain

NOON = datetime(2026, 3, 31, 12, 0, 0, 120_000, tzinfo=UTC)
FULL: dict[str, Any] = {
    "channel": "button",
    "occurred_at": NOON,
    "received_at": datetime(2026, 3, 31, 15, 30, tzinfo=timezone(timedelta(hours=3))),
    "claimed_at": "2026-03-31T15:00:00+03:00",
    "language": "be",
    "answers": {"smiley": 3, "comment": 'Дзякуй, «Ганна»! 🙂 \\ " %s'},
    "digest": "d" * 64,
    "score": 66.667,
    "comment": 'Дзякуй, «Ганна»! 🙂 \\ " %s',
    "sentiment": -0.125,
    "sentiment_label": "negative",
    "sentiment_language": "be",
    "sentiment_model": "lexicon-be/1",
    "terms": [["Дзякуй", 0.5]],
    "flags": ["burst"],
    "unpaired": True,
    "voided_at": None,
    "sequence": 2**53,
    "skew_ms": -3_600_000,
    "placed_by": "skew",
}
EMPTY = dict.fromkeys(FULL) | {
    **{name: FULL[name] for name in ("channel", "occurred_at", "received_at", "digest")},
    "answers": {},
    "flags": [],
    "unpaired": False,
}


def place(db: Database) -> dict[str, Any]:
    with db.read(SYSTEM) as session:
        point = session.scalars(sa.select(Point).where(Point.kiosk_form_id.is_not(None))).first()
        assert point is not None
        return {"store_id": point.store_id, "point_id": point.id, "form_version_id": 1, "device_id": None}


def kept(db: Database, table: sa.Table) -> list[tuple[Any, ...]]:
    """What the database itself holds, without a type of ours in between, and of which kind it is."""
    names = ", ".join(f'"{column.name}"' for column in table.columns if column.name not in ("id", "response_id"))
    kind = "typeof" if db.is_sqlite else "pg_typeof"
    kinds = ", ".join(f"{kind}({name})" for name in names.split(", "))
    with db.engine.connect() as connection:
        return [
            tuple(map(str, row)) for row in connection.exec_driver_sql(f"SELECT {names}, {kinds} FROM {table.name}")
        ]


@pytest.mark.parametrize("row", [FULL, EMPTY], ids=["full", "empty"])
def test_a_response_is_kept_as_the_types_keep_it(any_chain: Chain, row: dict[str, Any]) -> None:
    db, ours, theirs = any_chain.db, uuid4(), uuid4()
    complete = place(db) | row
    db.write(lambda link: link.execute(sa.insert(Response.__table__), [complete | {"id": theirs}]))
    db.write(lambda link: stored.insert_missing(link, [complete | {"id": ours}]))
    one, other = kept(db, Response.__table__)
    assert one == other
    with db.read(SYSTEM) as session:
        read = session.get(Response, ours)
        assert read is not None
        assert {name: getattr(read, name) for name in row} == row


def test_mentions_and_counts_are_kept_as_the_types_keep_them(any_chain: Chain) -> None:
    db, at, ids = any_chain.db, place(any_chain.db), [uuid4(), uuid4()]
    db.write(lambda link: stored.insert_missing(link, [at | FULL | {"id": response_id} for response_id in ids]))
    mention = {"position": 0, "store_id": at["store_id"], "occurred_at": NOON, "channel": "button", "stage": "deal"}
    mention |= {"aspect": "staff", "polarity": 0.5, "start": 0, "end": 6}
    db.write(lambda link: link.execute(sa.insert(MentionRow.__table__), [mention | {"response_id": ids[0]}]))
    db.write(lambda link: stored.insert_mentions(link, [mention | {"response_id": ids[1]}]))
    one, other = kept(db, MentionRow.__table__)
    assert one == other
    cell = {"hour": 1, "measure": "score", "question": "", "stage": "", "aspect": "", "bucket": "", "source": "button"}
    cell |= {"flagged": True, "store_id": at["store_id"], "n": 1, "total": 2**40, "squares": 2**60}
    table, other_point = Rollup.__table__, at["point_id"] + 1
    db.write(lambda link: link.execute(sa.insert(table), [cell | {"point_id": at["point_id"]}]))
    db.write(lambda link: ManyRows(table).insert(link, [cell | {"point_id": other_point}]))
    one, other = kept(db, table)
    assert one[1:] == other[1:]


def test_more_rows_than_one_statement_takes_all_go_in_and_those_there_are_told(any_chain: Chain) -> None:
    db, at = any_chain.db, place(any_chain.db)
    rows = [at | EMPTY | {"id": uuid4()} for _ in range(2 * CHUNK + 3)]
    there = {row["id"] for row in rows[::7]}
    assert db.write(lambda link: stored.insert_missing(link, [row for row in rows if row["id"] in there])) == set()
    assert db.write(lambda link: stored.insert_missing(link, rows)) == there
    with db.read(SYSTEM) as session:
        assert set(session.scalars(sa.select(Response.id))) == {row["id"] for row in rows}


def test_the_same_id_twice_in_one_call_is_one_row(any_chain: Chain) -> None:
    row = place(any_chain.db) | EMPTY | {"id": UUID(int=5)}
    assert any_chain.db.write(lambda link: stored.insert_missing(link, [row, row | {"digest": "e" * 64}])) == set()
    with any_chain.db.engine.connect() as connection:
        assert stored.digests(connection, [UUID(int=5), uuid4()]) == {UUID(int=5): "d" * 64}


def test_a_row_that_points_nowhere_is_refused_and_not_taken_for_one_that_was_there(any_chain: Chain) -> None:
    row = place(any_chain.db) | EMPTY | {"id": uuid4(), "form_version_id": 10**6}
    with pytest.raises(sa.exc.IntegrityError):
        any_chain.db.write(lambda link: stored.insert_missing(link, [row]))


def test_a_time_without_a_zone_is_refused(chain: Chain) -> None:
    row = place(chain.db) | EMPTY | {"id": uuid4(), "occurred_at": datetime(2026, 1, 1)}  # noqa: DTZ001
    with pytest.raises(ValueError, match="without a zone"):
        chain.db.write(lambda link: stored.insert_missing(link, [row]))


def test_versions_of_stores_are_raised_one_by_one(any_chain: Chain) -> None:
    first, second = any_chain.store_id("001"), any_chain.store_id("002")

    def versions() -> dict[int, int]:
        with any_chain.db.read(SYSTEM) as session:
            return {row.store_id: row.version for row in session.scalars(sa.select(StoreVersion))}

    before = versions()
    any_chain.db.write(lambda link: rollups.bump(link, [first, second, first]))
    any_chain.db.write(lambda link: rollups.bump(link, [first]))
    assert versions()[first] == before.get(first, 0) + 2
    assert versions()[second] == before.get(second, 0) + 1
