"""The one rule of what a response adds to the counts that pages read.

A cell is additive whole numbers: n, total and squares in thousandths, so that the order of adding, a late item and
a change taken back never leave a rounding behind. A histogram is the cells that differ in `bucket` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from feedback_app.domain import scales
from feedback_app.domain.checklists import VisitScore
from feedback_app.domain.forms import Form

SCALE = 1_000
"""Thousandths: what a stored whole number is divided by (squares by its square)."""

RESPONSE, SCORE = "response", "score"
SENTIMENT, UNSCORED, MENTION, CHECKLIST = "sentiment", "unscored", "mention", "checklist"
EARNED, POSSIBLE, CROSS = "earned", "possible", "cross"


class Cell(NamedTuple):
    """What is counted inside one point, source, hour and flag."""

    measure: str
    question: str = ""
    stage: str = ""
    aspect: str = ""
    bucket: str = ""


class Sums(NamedTuple):
    """n, total and sum of squares, in whole thousandths."""

    n: int = 0
    total: int = 0
    squares: int = 0

    def __add__(self, other: object) -> Sums:
        """Return the cell-wise sum."""
        if not isinstance(other, Sums):
            return NotImplemented
        return Sums(self.n + other.n, self.total + other.total, self.squares + other.squares)

    def __neg__(self) -> Sums:
        """Return what takes these sums away again."""
        return Sums(-self.n, -self.total, -self.squares)


class Key(NamedTuple):
    """Where a cell stands: point, source, UTC hour and flag, and the cell itself."""

    point_id: int
    source: str
    hour: int
    flagged: bool
    cell: Cell


@dataclass(frozen=True)
class MentionFact:
    """A scored mention, as far as counting needs it."""

    stage: str
    aspect: str
    polarity: float


@dataclass(frozen=True)
class Facts:
    """All that counting needs to know of one response."""

    point_id: int
    source: str
    occurred_at: datetime
    flagged: bool
    form: Form
    answers: Mapping[str, Any]
    score: float | None
    comment: str | None
    polarity: float | None
    label: str | None
    mentions: tuple[MentionFact, ...] = ()
    visit: VisitScore | None = None


def hour_of(moment: datetime) -> int:
    """Return the UTC hour in which a moment lies, in hours since 1970."""
    return int(moment.timestamp() // 3600)


def of_value(value: float) -> Sums:
    """Return the sums of a single value."""
    whole = round(value * SCALE)
    return Sums(1, whole, whole * whole)


def sign_of(polarity: float) -> str:
    """Return the bucket of a mention: negative, neutral or positive."""
    return "positive" if polarity > 0 else "negative" if polarity < 0 else "neutral"


def _answer_cells(facts: Facts) -> Iterable[tuple[Cell, Sums]]:
    for key, question in facts.form.by_key.items():
        value = facts.answers.get(key)
        if value is None or value == scales.NOT_APPLICABLE:
            continue
        if scales.bounds(question.type, question.size) is not None:
            yield Cell(question.measure, key, bucket=str(value)), of_value(value)
        elif question.type in ("choice", "yes_no"):
            yield Cell(question.type, key, bucket=value), Sums(1)


def _visit_cells(visit: VisitScore) -> Iterable[tuple[Cell, Sums]]:
    for stage, points in {"": visit.total, **visit.stages}.items():
        if not points.possible:
            continue
        earned, possible = round(points.earned * SCALE), round(points.possible * SCALE)
        yield Cell(CHECKLIST, stage=stage, bucket=EARNED), Sums(1, earned, earned * earned)
        yield Cell(CHECKLIST, stage=stage, bucket=POSSIBLE), Sums(1, possible, possible * possible)
        # The interval of pooled visits also needs the sum of products; it takes the place of the squares.
        yield Cell(CHECKLIST, stage=stage, bucket=CROSS), Sums(1, 0, earned * possible)


def _cells(facts: Facts) -> Iterable[tuple[Cell, Sums]]:
    yield Cell(RESPONSE), Sums(1)
    if facts.score is not None:
        yield Cell(SCORE), of_value(facts.score)
    yield from _answer_cells(facts)
    if facts.visit is not None:
        yield from _visit_cells(facts.visit)
    if facts.polarity is not None:
        yield Cell(SENTIMENT, bucket=facts.label or ""), of_value(facts.polarity)
    elif facts.comment:
        yield Cell(UNSCORED), Sums(1)
    for mention in facts.mentions:
        cell = Cell(MENTION, stage=mention.stage, aspect=mention.aspect, bucket=sign_of(mention.polarity))
        yield cell, of_value(mention.polarity)


def _add(cells: dict[Key, Sums], key: Key, sums: Sums) -> None:
    known = cells.get(key)
    cells[key] = sums if known is None else known + sums


def deltas(facts: Facts) -> dict[Key, Sums]:
    """Return what a response adds, a cell at a time."""
    hour = hour_of(facts.occurred_at)
    added: dict[Key, Sums] = {}
    for cell, sums in _cells(facts):
        _add(added, Key(facts.point_id, facts.source, hour, facts.flagged, cell), sums)
    return added


def times(added: Mapping[Key, Sums], count: int) -> dict[Key, Sums]:
    """Return what so many responses that add the same add together."""
    return {key: Sums(sums.n * count, sums.total * count, sums.squares * count) for key, sums in added.items()}


def merge(parts: Iterable[Mapping[Key, Sums]]) -> dict[Key, Sums]:
    """Return several sets of deltas as one, without the cells that cancel out."""
    merged: dict[Key, Sums] = {}
    for part in parts:
        for key, sums in part.items():
            _add(merged, key, sums)
    return {key: sums for key, sums in merged.items() if any(sums)}


def change(before: Facts | None, after: Facts | None) -> dict[Key, Sums]:
    """Return the signed deltas of a change: none before is a new response, none after a void."""
    taken = {key: -sums for key, sums in deltas(before).items()} if before else {}
    return merge([taken, deltas(after) if after else {}])
