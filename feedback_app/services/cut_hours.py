"""Cells of a span, exact to the moment: whole hours from the rollups, the at most two cut ones from responses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from feedback_app.domain.rollups import Key, Sums, deltas, merge
from feedback_app.services.catalogue import FormShelf
from feedback_app.services.intake import facts_of
from feedback_app.services.periods import Period
from feedback_app.storage import rollups_read, words_read
from feedback_app.storage.rollups_read import CellSum, Span
from feedback_app.storage.tables import MentionRow, Response
from feedback_app.storage.words_read import Stretch, Wanted


@dataclass(frozen=True)
class Asked:
    """Which cells are wanted and which dimensions are kept apart; None of measures is all of them."""

    by: tuple[str, ...]
    measures: Sequence[str] | None = None
    stage: str | None = None
    sources: Collection[str] = ()
    flagged: bool = False


def cells_of_span(session: Session, span: Span, asked: Asked) -> list[CellSum]:
    """Return the cells of the whole hours of a span."""
    return rollups_read.cells(
        session,
        span,
        asked.by,
        measures=asked.measures,
        sources=asked.sources,
        flagged=asked.flagged,
        stage=asked.stage,
    )


def cells_of_cut_hours(session: Session, span: Span, period: Period, asked: Asked) -> list[CellSum]:
    """Return the cells of the hours that the period's moments cut, counted by the same rule from the responses."""
    stretches = tuple(Stretch(span.points, since, until) for since, until in period.cut_hours())
    if not stretches:
        return []
    rows = words_read.page(session, Wanted(stretches, (), asked.sources, asked.flagged), None, None)
    mentions = words_read.mentions(session, [row.id for row in rows])
    shelf = FormShelf()
    counted = merge(
        deltas(
            facts_of(
                _columns(row),
                [_columns(mention) for mention in mentions.get(row.id, ())],
                shelf.get(session, row.form_version_id),
            )
        )
        for row in rows
    )
    return list(_as_cells(counted, asked))


def _columns(row: Response | MentionRow) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def _as_cells(counted: Mapping[Key, Sums], asked: Asked) -> Iterator[CellSum]:
    for key, sums in counted.items():
        cell = key.cell
        if asked.measures is not None and cell.measure not in asked.measures:
            continue
        if asked.stage is not None and cell.stage != asked.stage:
            continue
        dimensions = {**key._asdict(), **cell._asdict()}
        yield CellSum(cell.measure, cell.bucket, *sums, **{name: dimensions[name] for name in asked.by})
