"""Reading the counts: sums of rollup cells over points and hours, by the dimensions a figure needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from feedback_app.storage.tables import Rollup, StoreVersion

DIMENSIONS: tuple[str, ...] = ("point_id", "hour", "question", "stage", "aspect", "source")
"""By what sums may be kept apart, beside measure and bucket; in the order of CellSum."""

_KEY_ORDER = ("point_id", "hour", "measure", "question", "stage", "aspect", "bucket", "source")
# Grouped in the order of the table's key, SQLite spares itself a part of the sorting.
_EMPTY = {
    name: sa.literal_column("0", sa.BigInteger) if name in ("point_id", "hour") else sa.literal_column("''", sa.Text)
    for name in DIMENSIONS
}


class CellSum(NamedTuple):
    """Sums of the cells of one measure and bucket; a dimension that was not asked for is empty."""

    measure: str
    bucket: str
    n: int
    total: int
    squares: int
    point_id: int = 0
    hour: int = 0
    question: str = ""
    stage: str = ""
    aspect: str = ""
    source: str = ""


@dataclass(frozen=True)
class Span:
    """Points of one time zone and the UTC hours looked at there: from `first`, `end` left out; None is open."""

    zone: str
    points: tuple[int, ...]
    first: int | None = None
    end: int | None = None


def cells(
    session: Session,
    span: Span,
    by: Collection[str] = (),
    *,
    measures: Sequence[str] | None = None,
    sources: Collection[str] = (),
    flagged: bool = False,
    stage: str | None = None,
) -> list[CellSum]:
    """Return the sums over a span in the reader's scope, by measure, bucket and the dimensions in `by`.

    None of `measures` and an empty `sources` are all; flagged cells are left out unless asked for; `stage` limits to
    the cells of one stage ('' are the whole visits among checklist cells).
    """
    grouped = [getattr(Rollup, name) for name in _KEY_ORDER if name in {"measure", "bucket", *by}]
    # Whole numbers: PostgreSQL sums BIGINT into NUMERIC, which would arrive as Decimal.
    sums = [sa.cast(sa.func.sum(column), sa.BigInteger) for column in (Rollup.n, Rollup.total, Rollup.squares)]
    kept = [getattr(Rollup, name) if name in by else _EMPTY[name] for name in DIMENSIONS]
    query = sa.select(Rollup.measure, Rollup.bucket, *sums, *kept).where(
        *_where(span, measures, sources, flagged, stage)
    )
    rows = session.execute(query.group_by(*grouped)).all()
    return [CellSum._make(row) for row in rows if row[2] or row[3] or row[4]]


def _where(
    span: Span,
    measures: Sequence[str] | None,
    sources: Collection[str],
    flagged: bool,
    stage: str | None,
) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [Rollup.point_id.in_(span.points)]
    if span.first is not None:
        conditions.append(Rollup.hour >= span.first)
    if span.end is not None:
        conditions.append(Rollup.hour < span.end)
    if measures is not None:
        conditions.append(Rollup.measure.in_(measures))
    if sources:
        conditions.append(Rollup.source.in_(sorted(sources)))
    if not flagged:
        conditions.append(Rollup.flagged.is_(False))
    if stage is not None:
        conditions.append(Rollup.stage == stage)
    return conditions


def data_version(session: Session) -> int:
    """Return a number that grows with every change to what is counted in the reader's stores."""
    return int(session.execute(sa.select(sa.func.coalesce(sa.func.sum(StoreVersion.version), 0))).scalar_one())
