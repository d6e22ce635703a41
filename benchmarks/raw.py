"""The database alone: taps that are ready to be written, in transactions of a hundred, into tables of the migrations.

The rows are those that the intake would write, counts included; making them is no part of the time.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

from benchmarks.load import Place, item
from feedback_app.domain.clocks import Reading, Sent
from feedback_app.domain.responses import accept
from feedback_app.domain.rollups import deltas, merge
from feedback_app.services import intake, senders
from feedback_app.services.clock import now
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Response, Rollup
from feedback_app.storage.writer import CACHE_KIB

BATCH = 100
CELL = ("point_id", "hour", "measure", "question", "stage", "aspect", "bucket", "source", "flagged")
VERSION = (
    "INSERT INTO store_versions (store_id, version) VALUES ({mark}, 1) "
    "ON CONFLICT (store_id) DO UPDATE SET version = store_versions.version + 1"
)


@dataclass(frozen=True)
class Batch:
    """What one transaction writes."""

    responses: Sequence[tuple[Any, ...]]
    rollups: Sequence[tuple[Any, ...]]
    stores: Sequence[tuple[int]]


def batches(db: Database, places: Sequence[Place], count: int, seed: int) -> Iterator[Batch]:
    """Yield batches as the kiosks of these places would send them, ready for the driver."""
    rng = random.Random(f"raw {seed}")
    for number in range(count):
        place = places[number % len(places)]
        sender = senders.sender_of(db, place.token)
        assert sender is not None
        find, sent = senders.finder(db, sender), Sent(now(), Reading(now()))
        items = [item(rng, place, number * BATCH + at, text=False) for at in range(BATCH)]
        prepared = intake.prepare([accept(one, find, sent) for one in items], sender)
        cells = sorted(merge(deltas(one.facts()) for one in prepared).items())
        store = prepared[0].row["store_id"]
        counted = [{**key._asdict(), **key.cell._asdict(), **sums._asdict(), "store_id": store} for key, sums in cells]
        yield Batch(
            _ready(db, Response.__table__, [one.row for one in prepared]),
            _ready(db, Rollup.__table__, counted),
            [(store,)],
        )


def _ready(db: Database, table: sa.Table, rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return rows as the driver takes them."""
    dialect = db.engine.dialect
    makers = [(column.name, column.type.dialect_impl(dialect).bind_processor(dialect)) for column in table.columns]
    return [tuple(make(row[name]) if make else row[name] for name, make in makers) for row in rows]


def _insert(table: sa.Table, mark: str) -> str:
    names = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join([mark] * len(table.columns))})"


def _statements(mark: str) -> tuple[str, str, str]:
    added = ", ".join(f"{name} = rollups.{name} + excluded.{name}" for name in ("n", "total", "squares"))
    rollups = f"{_insert(Rollup.__table__, mark)} ON CONFLICT ({', '.join(CELL)}) DO UPDATE SET {added}"
    return _insert(Response.__table__, mark), rollups, VERSION.format(mark=mark)


def sqlite_rate(path: str, ready: Sequence[Batch]) -> float:
    """Return taps a second of sqlite3's executemany: WAL, FULL, with the writer's cache, a transaction a batch."""
    link = sqlite3.connect(path, isolation_level=None)
    link.execute("PRAGMA journal_mode=WAL")
    link.execute("PRAGMA synchronous=FULL")
    link.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    statements = _statements("?")
    start = time.perf_counter()
    for batch in ready:
        link.execute("BEGIN IMMEDIATE")
        for statement, rows in zip(statements, (batch.responses, batch.rollups, batch.stores), strict=True):
            link.executemany(statement, rows)
        link.execute("COMMIT")
    taken = time.perf_counter() - start
    link.close()
    return len(ready) * BATCH / taken


def postgresql_rate(url: str, ready: Sequence[Batch]) -> float:
    """Return taps a second of psycopg's executemany, a transaction for each batch."""
    address = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    statements = _statements("%s")
    with psycopg.connect(address) as link, link.cursor() as cursor:
        start = time.perf_counter()
        for batch in ready:
            for statement, rows in zip(statements, (batch.responses, batch.rollups, batch.stores), strict=True):
                cursor.executemany(statement, rows)
            link.commit()
        taken = time.perf_counter() - start
    return len(ready) * BATCH / taken
