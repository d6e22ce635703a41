"""What cases teach: root causes by month and stage, the share answered in time, and how long answers took."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from analysis.intervals import wilson
from analysis.metrics import Estimate, shown
from feedback_app.domain.access import Access, Right
from feedback_app.domain.cases import OPEN
from feedback_app.domain.causes import ROOT_CAUSES
from feedback_app.domain.journey import B2C_STAGES
from feedback_app.services.clock import now
from feedback_app.services.ground import Ground, ground
from feedback_app.services.periods import Filters
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Case, Response

MOST_MONTHS = 12
BINS: tuple[tuple[int, int | None], ...] = (
    (0, 0),
    (1, 1),
    (2, 2),
    (3, 3),
    (4, 7),
    (8, 15),
    (16, 30),
    (31, None),
)
"""Days to an answer that are counted together: from and to; no end for the last."""
_CHUNK = 500


@dataclass(frozen=True)
class CauseRow:
    """A root cause: its cases in all, by month and by stage, in the order of those."""

    cause: str
    n: int
    by_month: tuple[int, ...]
    by_stage: tuple[int, ...]


@dataclass(frozen=True)
class Bin:
    """How many answers took so many days; `end` is None where there is no end."""

    start: int
    end: int | None
    n: int


@dataclass(frozen=True)
class Learned:
    """What the cases opened in a period teach.

    `in_time`: the share, in per cent, of the cases whose outcome is known (answered, settled, or past their day)
    that were answered or settled by their last day.
    """

    cases: int
    without_cause: int
    months: tuple[date, ...]
    stages: tuple[str, ...]
    rows: tuple[CauseRow, ...]
    in_time: Estimate
    bins: tuple[Bin, ...]
    answered: int
    median_days: float | None


@dataclass(frozen=True)
class _Told:
    """A case as far as it teaches, its days those of its store."""

    month: date
    stage: str
    cause: str | None
    status: str
    due_on: date | None
    opened_on: date
    settled_on: date | None
    answered_on: date | None
    today: date

    @property
    def in_time(self) -> bool | None:
        """Say whether it was settled by its last day; None while nobody can know."""
        if self.due_on is None:
            return None
        if self.settled_on is not None:
            return self.settled_on <= self.due_on
        return False if self.status in OPEN and self.due_on < self.today else None


def learned(db: Database, access: Access, filters: Filters, moment: datetime | None = None) -> Learned:
    """Return what the cases opened in the period teach; raise NotFound for a place outside the scope."""
    access.require(Right.READ_BOOK)
    with db.read(access) as session:
        told = _cases(session, ground(session, filters), moment or now())
    causes = [case for case in told if case.cause is not None]
    months = tuple(sorted({case.month for case in causes}))[-MOST_MONTHS:]
    took = sorted((case.answered_on - case.opened_on).days for case in told if case.answered_on is not None)
    return Learned(
        cases=len(told),
        without_cause=len(told) - len(causes),
        months=months,
        stages=B2C_STAGES,
        rows=_rows(causes, months),
        in_time=_share([case.in_time for case in told]),
        bins=tuple(Bin(start, end, sum(_inside(days, start, end) for days in took)) for start, end in BINS),
        answered=len(took),
        median_days=statistics.median(took) if took else None,
    )


def _inside(days: int, start: int, end: int | None) -> bool:
    return start <= days and (end is None or days <= end)


def _share(outcomes: Iterable[bool | None]) -> Estimate:
    known = [outcome for outcome in outcomes if outcome is not None]
    if not known:
        return Estimate(None, None, None, 0)
    low, high = wilson(sum(known), len(known))
    return shown(Estimate(100 * sum(known) / len(known), 100 * low, 100 * high, len(known)))


def _rows(cases: Sequence[_Told], months: Sequence[date]) -> tuple[CauseRow, ...]:
    """Return the causes that any case has, the commonest first; all months count for n, the last ones are shown."""
    in_month = Counter((case.cause, case.month) for case in cases)
    on_stage = Counter((case.cause, case.stage) for case in cases)
    in_all = Counter(case.cause for case in cases)
    rows = [
        CauseRow(
            cause,
            in_all[cause],
            tuple(in_month[cause, month] for month in months),
            tuple(on_stage[cause, stage] for stage in B2C_STAGES),
        )
        for cause in ROOT_CAUSES
        if in_all[cause]
    ]
    return tuple(sorted(rows, key=lambda row: -row.n))


def _cases(session: Session, at: Ground, moment: datetime) -> list[_Told]:
    found = []
    for span in at.spans(at.filters.period):
        zone = ZoneInfo(span.zone)
        for row in _of_zone(session, at, span.zone, span.points):
            settled = row.answered_at or row.closed_at
            opened_on = row.opened_at.astimezone(zone).date()
            found.append(
                _Told(
                    month=opened_on.replace(day=1),
                    stage=row.stage,
                    cause=row.root_cause if row.root_cause in ROOT_CAUSES else None,
                    status=row.status,
                    due_on=row.due_on,
                    opened_on=opened_on,
                    settled_on=settled.astimezone(zone).date() if settled else None,
                    answered_on=row.answered_at.astimezone(zone).date() if row.answered_at else None,
                    today=moment.astimezone(zone).date(),
                )
            )
    return found


def _of_zone(session: Session, at: Ground, zone: str, points: Collection[int]) -> list[Any]:
    """Return the cases of points in one time zone, opened in the period; one that another took in is left out."""
    start, after = at.filters.period.moments(zone)
    query = (
        sa.select(
            Case.opened_at, Case.stage, Case.root_cause, Case.status, Case.due_on, Case.answered_at, Case.closed_at
        )
        .join(Response, Response.id == Case.response_id)
        .where(Response.voided_at.is_(None), Case.joined_to.is_(None))
    )
    if start is not None:
        query = query.where(Case.opened_at >= start)
    if after is not None:
        query = query.where(Case.opened_at < after)
    if at.filters.channels:
        query = query.where(Response.channel.in_(sorted(at.filters.channels)))
    ids = sorted(points)
    rows: list[Any] = []
    for begin in range(0, len(ids), _CHUNK):
        rows += session.execute(query.where(Response.point_id.in_(ids[begin : begin + _CHUNK]))).all()
    return rows
