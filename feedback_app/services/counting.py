"""Recounting: whether the rollups tell the truth, building them anew, and scoring all texts anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain.access import SYSTEM
from feedback_app.domain.rollups import Facts, Key, Sums, deltas
from feedback_app.services import catalogue, facts, own_aspects, own_model, readings
from feedback_app.services.readings import Reading
from feedback_app.storage import responses as stored
from feedback_app.storage import rollups
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Response

Progress = Callable[[int], None]
SLICE = 500


def silent(_step: int) -> None:
    """Show no progress."""


def _facts(db: Database, connection: Connection, rows: Sequence[sa.RowMapping]) -> Iterator[Facts]:
    mentions = stored.mentions_of(connection, [row["id"] for row in rows if row["comment"] or row["sentiment_model"]])
    for row in rows:
        form = catalogue.shelf(db).get(connection, row["form_version_id"])
        yield facts.facts_of(row, mentions.get(row["id"], []), form)


def count_anew(db: Database, connection: Connection, progress: Progress = silent) -> dict[Key, Sums]:
    """Return every cell counted from the raw responses that are not voided."""
    counted: dict[Key, Sums] = {}
    for rows in stored.batches(connection):
        for known in _facts(db, connection, rows):
            for key, sums in deltas(known).items():
                counted[key] = counted.get(key, Sums()) + sums
        progress(len(rows))
    return {key: sums for key, sums in counted.items() if any(sums)}


def verify(db: Database, progress: Progress = silent) -> list[tuple[Key, Sums, Sums]]:
    """Return the cells that differ, as (key, kept, counted); empty where the rollups tell the truth."""
    with db.snapshot() as connection:
        counted = count_anew(db, connection, progress)
        kept = dict(rollups.cells(connection))
    nothing = Sums()
    return [
        (key, kept.get(key, nothing), counted.get(key, nothing))
        for key in sorted(kept.keys() | counted.keys())
        if kept.get(key, nothing) != counted.get(key, nothing)
    ]


def rebuild(db: Database, progress: Progress = silent) -> int:
    """Count all rollups anew in one transaction and return how many cells there are."""

    def work(connection: Connection) -> int:
        rollups.lock(connection)
        counted = count_anew(db, connection, progress)
        rollups.clear(connection)
        stores = rollups.stores_of_points(connection)
        rollups.add(connection, counted, stores)
        rollups.bump(connection, stores.values())
        return len(counted)

    return db.write(work)


def responses_in_all(db: Database, *, with_comment: bool = False) -> int:
    """Return how many responses a progress bar has to reach."""
    with db.read(SYSTEM) as session:
        query = sa.select(sa.func.count()).select_from(Response).where(Response.voided_at.is_(None))
        if with_comment:
            query = query.where(Response.comment.is_not(None))
        return session.execute(query).scalar_one()


def rescore(db: Database, progress: Progress = silent) -> int:
    """Score and locate all comments anew with the model in place; return how many changed.

    Texts are scored outside the transaction and written in short ones; each response is changed whole or not at all.
    What staff corrected stays as they said; the rest of such a comment follows the model.
    """
    own_model.keep_current(db, age=0)
    changed, last, own = 0, None, own_aspects.of(db)
    with db.engine.connect() as connection:
        places = readings.spots(connection)
    while True:
        with db.engine.connect() as connection:
            rows = stored.page(connection, last, with_comment=True, size=SLICE)
        if not rows:
            return changed
        last = rows[-1]["id"]
        changed += _written(db, readings.by_model(rows, places, own))
        progress(len(rows))


def _written(db: Database, read: Mapping[UUID, Reading]) -> int:
    return db.write(lambda connection: readings.write(db, connection, read))
