"""Responses and their mentions, in and out of the database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from feedback_app.storage.many import ManyRows, chunks
from feedback_app.storage.tables import MentionRow, Response

_responses = Response.__table__
_mentions = MentionRow.__table__
CHUNK = 500
Row = Mapping[str, Any]

_plain = ManyRows(_responses)
_unless_there = ManyRows(_responses, "ON CONFLICT (id) DO NOTHING")
_plain_mentions = ManyRows(_mentions)


def digests(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the content digest of each of these ids that is stored."""
    if not ids:
        return {}
    if connection.dialect.name == "postgresql":
        rows = connection.exec_driver_sql("SELECT id, digest FROM responses WHERE id = ANY(%s)", (list(ids),))
        return {row[0]: row[1] for row in rows}
    listed = json.dumps([response_id.hex for response_id in ids])
    query = "SELECT id, digest FROM responses WHERE id IN (SELECT value FROM json_each(?))"
    return {UUID(row[0]): row[1] for row in connection.exec_driver_sql(query, (listed,))}


def insert_missing(connection: Connection, rows: Sequence[Row]) -> set[UUID]:
    """Insert responses that are not there yet and return the ids of those that were.

    In the order of the ids, so that two who bring the same responses never wait for each other.
    """
    ordered = sorted(rows, key=lambda row: row["id"].int)
    if connection.dialect.name == "postgresql":
        new = _unless_there.insert(connection, ordered, returning="id")
        return {row["id"] for row in rows}.difference(new) if len(new) < len(rows) else set()
    there: set[UUID] = set()
    for part in chunks(ordered):
        there |= _insert_where_nobody_else_writes(connection, part)
    return there


def _insert_where_nobody_else_writes(connection: Connection, rows: Sequence[Row]) -> set[UUID]:
    """Insert rows as `insert_missing` does, on SQLite, where the transaction is the only one that writes.

    The primary key says whether one was there: it seldom was, so nothing is asked before.
    """
    try:
        _plain.insert(connection, rows)
    except IntegrityError:
        there = digests(connection, [row["id"] for row in rows]).keys()
        missing = {row["id"]: row for row in reversed(rows) if row["id"] not in there}
        if len(missing) == len(rows):
            raise
        _plain.insert(connection, list(missing.values()))
        return set(there)
    return set()


def insert_mentions(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert the mentions of responses that are new in this transaction."""
    _plain_mentions.insert(connection, rows)


def delete_mentions(connection: Connection, ids: Sequence[UUID]) -> None:
    """Delete the mentions of responses that are located anew in this transaction."""
    for part in chunks(ids, CHUNK):
        connection.execute(sa.delete(_mentions).where(_mentions.c.response_id.in_(part)))


def update(connection: Connection, response_id: UUID, values: Mapping[str, Any]) -> None:
    """Change columns of one response."""
    connection.execute(sa.update(_responses).where(_responses.c.id == response_id).values(**values))


def page(
    connection: Connection, after: UUID | None, *, with_comment: bool = False, size: int = 2_000
) -> list[sa.RowMapping]:
    """Return the next responses that count, by id; with `with_comment` those that hold words alone."""
    query = sa.select(_responses).where(_responses.c.voided_at.is_(None)).order_by(_responses.c.id).limit(size)
    if with_comment:
        query = query.where(_responses.c.comment.is_not(None))
    if after is not None:
        query = query.where(_responses.c.id > after)
    return list(connection.execute(query).mappings())


def batches(connection: Connection) -> Iterator[list[sa.RowMapping]]:
    """Yield all responses that count, in batches by id."""
    last: UUID | None = None
    while rows := page(connection, last):
        yield rows
        last = rows[-1]["id"]


def mentions_of(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, list[sa.RowMapping]]:
    """Return the mentions of responses, in the order of the text."""
    found: dict[UUID, list[sa.RowMapping]] = {}
    for part in chunks(list(ids), CHUNK):
        query = (
            sa.select(_mentions)
            .where(_mentions.c.response_id.in_(part))
            .order_by(_mentions.c.response_id, _mentions.c.position)
        )
        for row in connection.execute(query).mappings():
            found.setdefault(row["response_id"], []).append(row)
    return found


def locked(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, sa.RowMapping]:
    """Return responses that are about to change, voided or not, kept from other writers until the transaction ends."""
    found: dict[UUID, sa.RowMapping] = {}
    for part in chunks(ids, CHUNK):
        query = sa.select(_responses).where(_responses.c.id.in_(part)).order_by(_responses.c.id).with_for_update()
        found.update({row["id"]: row for row in connection.execute(query).mappings()})
    return found
