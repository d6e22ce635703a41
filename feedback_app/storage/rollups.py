"""Keeping the rollups: signed deltas in the same transaction as what they count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain.rollups import Cell, Key, Sums
from feedback_app.storage.many import ManyRows
from feedback_app.storage.tables import Point, Rollup, StoreVersion

_KEY_COLUMNS = ("point_id", "hour", "measure", "question", "stage", "aspect", "bucket", "source", "flagged")
_table = Rollup.__table__
_versions = StoreVersion.__table__
_added_up = ManyRows(
    _table,
    f"ON CONFLICT ({', '.join(_KEY_COLUMNS)}) DO UPDATE SET "
    + ", ".join(f"{name} = {_table.name}.{name} + excluded.{name}" for name in ("n", "total", "squares")),
)
_raised = ManyRows(
    _versions, f"ON CONFLICT (store_id) DO UPDATE SET version = {_versions.name}.version + excluded.version"
)


def _row(key: Key, sums: Sums, store_id: int) -> dict[str, object]:
    return {
        "point_id": key.point_id,
        "hour": key.hour,
        **key.cell._asdict(),
        "source": key.source,
        "flagged": key.flagged,
        "store_id": store_id,
        **sums._asdict(),
    }


def add(connection: Connection, deltas: Mapping[Key, Sums], stores: Mapping[int, int]) -> None:
    """Add signed deltas to the cells and raise the data version of each store touched.

    `stores` gives the store id of every point. Keys are sorted, so that two writers never lock each other out.
    """
    if not deltas:
        return
    rows = [_row(key, deltas[key], stores[key.point_id]) for key in sorted(deltas)]
    _added_up.insert(connection, rows)
    bump(connection, {stores[key.point_id] for key in deltas})


def bump(connection: Connection, store_ids: Iterable[int]) -> None:
    """Raise the data version of stores whose counts, or what stands beside them, changed."""
    touched = sorted(set(store_ids))
    _raised.insert(connection, [{"store_id": store_id, "version": 1} for store_id in touched])


def stores_of_points(connection: Connection) -> dict[int, int]:
    """Return the store id of every point."""
    rows = connection.execute(sa.select(Point.__table__.c.id, Point.__table__.c.store_id))
    return {row.id: row.store_id for row in rows}


def cells(connection: Connection) -> Iterator[tuple[Key, Sums]]:
    """Yield every cell that is not zero."""
    for row in connection.execution_options(yield_per=10_000).execute(sa.select(_table)).mappings():
        sums = Sums(row["n"], row["total"], row["squares"])
        if any(sums):
            cell = Cell(row["measure"], row["question"], row["stage"], row["aspect"], row["bucket"])
            yield Key(row["point_id"], row["source"], row["hour"], row["flagged"], cell), sums


def lock(connection: Connection) -> None:
    """Let nobody else count until the transaction ends; on SQLite nobody else writes anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"LOCK TABLE {_table.name} IN EXCLUSIVE MODE"))


def clear(connection: Connection) -> None:
    """Delete every cell, before they are counted anew in the same transaction."""
    connection.execute(sa.delete(_table))
