"""Recounting: whether the rollups tell the truth, building them anew, and scoring all texts anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from analysis.journey import locate
from analysis.sentiment import score_comments
from feedback_app.domain.access import SYSTEM
from feedback_app.domain.rollups import Facts, Key, Sums, change, deltas, merge
from feedback_app.services import catalogue, facts, own_model
from feedback_app.storage import responses as stored
from feedback_app.storage import rollups
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Point, Response, Touchpoint

Progress = Callable[[int], None]
SLICE = 500


def silent(_step: int) -> None:
    """Show no progress."""


def _facts(db: Database, connection: Connection, rows: Sequence[sa.RowMapping]) -> Iterator[Facts]:
    mentions = stored.mentions_of(connection, [row["id"] for row in rows if row["comment"]])
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


def _touchpoints(connection: Connection) -> dict[int, tuple[str | None, str | None]]:
    points, kinds = Point.__table__, Touchpoint.__table__
    query = sa.select(points.c.id, kinds.c.key, kinds.c.stage).outerjoin(kinds, kinds.c.id == points.c.touchpoint_id)
    return {row.id: (row.key, row.stage) for row in connection.execute(query)}


def _scored(rows: Sequence[sa.RowMapping], places: dict[int, tuple[str | None, str | None]]) -> dict[UUID, Any]:
    """Return the new sentiment and mentions of responses, scored before anything is locked."""
    found: dict[UUID, Any] = {}
    groups: dict[tuple[str | None, str | None], list[sa.RowMapping]] = {}
    for row in rows:
        groups.setdefault(places[row["point_id"]], []).append(row)
    for (touchpoint, stage), members in groups.items():
        texts = [row["comment"] for row in members]
        hints = [row["language"] for row in members]
        sentiments = score_comments(texts, hints)
        located = locate(texts, hints, touchpoint, touchpoint_stage=stage)
        for row, sentiment, mentions in zip(members, sentiments, located, strict=True):
            found[row["id"]] = (row["comment"], sentiment, mentions)
    return found


def _rescore_slice(db: Database, ids: Sequence[UUID], scored: dict[UUID, Any]) -> int:
    def work(connection: Connection) -> int:
        rows_now = stored.locked(connection, ids)
        before_mentions = stored.mentions_of(connection, ids)
        changes: list[dict[Key, Sums]] = []
        stores: dict[int, int] = {}
        for response_id in ids:
            row = rows_now.get(response_id)
            comment, sentiment, mentions = scored[response_id]
            if row is None or row["voided_at"] is not None or row["comment"] != comment:
                continue
            form = catalogue.shelf(db).get(connection, row["form_version_id"])
            before = facts.facts_of(row, before_mentions.get(response_id, []), form)
            columns = facts.sentiment_columns(sentiment)
            rows = facts.mention_rows(row, mentions)
            if (
                all(row[name] == value for name, value in columns.items())
                and [dict(mention) for mention in before_mentions.get(response_id, [])] == rows
            ):
                continue
            after = facts.facts_of({**row, **columns}, rows, form)
            stored.update(connection, response_id, columns)
            stored.delete_mentions(connection, [response_id])
            stored.insert_mentions(connection, rows)
            changes.append(change(before, after))
            stores[row["point_id"]] = row["store_id"]
        # All together, so that the cells are taken in one order: two writers then never lock each other out.
        rollups.add(connection, merge(changes), stores)
        rollups.bump(connection, stores.values())
        return len(changes)

    return db.write(work)


def rescore(db: Database, progress: Progress = silent) -> int:
    """Score and locate all comments anew with the model in place; return how many changed.

    Texts are scored outside the transaction and written in short ones; each response is changed whole or not at all.
    """
    own_model.keep_current(db, age=0)
    changed, last = 0, None
    with db.engine.connect() as connection:
        places = _touchpoints(connection)
    while True:
        with db.engine.connect() as connection:
            rows = stored.page(connection, last, with_comment=True, size=SLICE)
        if not rows:
            return changed
        last = rows[-1]["id"]
        changed += _rescore_slice(db, [row["id"] for row in rows], _scored(rows, places))
        progress(len(rows))
