"""The journey map's figures: emotion by stage and source, touchpoints, KPI actuals, barriers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from analysis.metrics import Estimate, mean_of_sources, shown
from analysis.trends import Change, change
from feedback_app.domain import rollups
from feedback_app.domain.access import Access, Right
from feedback_app.domain.journey import B2C_STAGES, TAPPED_CHANNELS, TEXT_CHANNELS, VISIT_CHANNELS
from feedback_app.services.figure_cache import cache_of
from feedback_app.services.ground import Ground, TouchpointName, ground, grouped
from feedback_app.services.metrics import FEEDS, estimate, mean
from feedback_app.services.periods import Filters, today
from feedback_app.services.voices import AspectCount, Barrier, aspects, barriers, emotion_of_mentions
from feedback_app.storage import places_read, rollups_read
from feedback_app.storage.database import Database
from feedback_app.storage.places_read import OpenCases
from feedback_app.storage.rollups_read import CellSum

STAGES = B2C_STAGES
COMMENT = "comment"
"""Source of the words that people leave with a tap or a survey: they speak for themselves, beside the score."""
SOURCES: tuple[str, ...] = ("button", "qr", COMMENT, "book", "mystery", "staff", "focus_group", "review")

KPI: Mapping[str, str] = MappingProxyType(
    {"awareness": "smiley", "evaluation": "checklist", "deal": "csat", "experience": "sentiment", "trigger": "nps"}
)
"""The measure that stands for each stage: smiley index and CSAT at its touchpoints, the checklist of its own criteria,
the polarity of the words located on it, and the NPS of everybody."""

BY = ("point_id", "question", "stage", "aspect", "source")
"""Dimensions of the cells that the pages' figures are made of."""
BEFORE_MEASURES: tuple[str, ...] = tuple(
    dict.fromkeys([measure for fed in FEEDS.values() for measure in fed] + [rollups.MENTION, rollups.RESPONSE])
)
"""What the period before is compared in; reasons are not."""


@dataclass(frozen=True)
class SourceEmotion:
    """The emotion of one source on a stage, 0..100."""

    source: str
    estimate: Estimate


@dataclass(frozen=True)
class Chip:
    """A touchpoint under its stage: smiley index, responses, open cases and how many of them are overdue."""

    touchpoint: TouchpointName
    index: Estimate
    responses: int
    open_cases: int = 0
    overdue: int = 0


@dataclass(frozen=True)
class Kpi:
    """A stage's actual figure and what it was in the period before."""

    measure: str
    now: Estimate
    before: Estimate | None
    change: Change | None


@dataclass(frozen=True)
class StageColumn:
    """All figures of one stage."""

    stage: str
    emotion: Estimate
    before: Estimate | None
    change: Change | None
    sources: tuple[SourceEmotion, ...]
    touchpoints: tuple[Chip, ...]
    kpi: Kpi
    barriers: tuple[Barrier, ...]
    aspects: tuple[AspectCount, ...]
    open_cases: int = 0
    overdue: int = 0


@dataclass(frozen=True)
class JourneyMap:
    """The figures of the map, a column a stage."""

    filters: Filters
    data_version: int
    stages: tuple[StageColumn, ...]


# --- emotion ----------------------------------------------------------------------------------------------------


def sources_on(stage: str, cells: Iterable[CellSum], at: Ground) -> dict[str, Estimate]:
    """Return the emotion of every source present on a stage, 0..100, in the order of SOURCES.

    Buttons and surveys: the mean score of the responses at the stage's touchpoints. Words: 50 + 50 x the mean
    polarity of the mentions located on the stage, those left with a tap or a survey as a source of their own, as
    score and words of one response are never added up. Visits: the pooled score of the stage's criteria.
    """
    found: dict[str, Estimate] = {}
    for source, part in grouped(cells, lambda cell: cell.source).items():
        if source in TAPPED_CHANNELS:
            found[source] = estimate("score", (cell for cell in part if at.places[cell.point_id].stage == stage))
        elif source in VISIT_CHANNELS:
            found[source] = estimate("checklist", (cell for cell in part if cell.stage == stage))
    words = [cell for cell in cells if cell.measure == rollups.MENTION and cell.stage == stage]
    for text_source, part in grouped(words, _text_source).items():
        if text_source:
            found[text_source] = emotion_of_mentions(part)
    return {source: found[source] for source in SOURCES if source in found and found[source].n}


def _text_source(cell: CellSum) -> str | None:
    if cell.source in TAPPED_CHANNELS:
        return COMMENT
    return cell.source if cell.source in TEXT_CHANNELS else None


def all_sources(stage: str, cells: Sequence[CellSum], at: Ground) -> Estimate:
    """Return the emotion of a stage over all sources, each weighing the same."""
    return mean_of_sources(sources_on(stage, cells, at).values())


# --- the parts of a column --------------------------------------------------------------------------------------


def kpi_of(stage: str, cells: Iterable[CellSum], at: Ground) -> Estimate:
    """Return the actual figure of a stage's measure; see KPI."""
    measure = KPI[stage]
    if measure == "nps":
        return estimate(measure, cells)
    if measure == "checklist":
        return estimate(measure, (cell for cell in cells if cell.stage == stage))
    if measure == "sentiment":
        return mean((cell for cell in cells if cell.measure == rollups.MENTION and cell.stage == stage), -1.0, 1.0)
    return estimate(measure, (cell for cell in cells if at.places[cell.point_id].stage == stage))


def compared(before: Estimate | None, now: Estimate) -> Change | None:
    """Return the change against the period before; None where there is no such period."""
    return None if before is None else change(before, now)


def shown_or_none(known: Estimate | None) -> Estimate | None:
    """Return an estimate as people may see it, none as none."""
    return None if known is None else shown(known)


def _kpi(stage: str, now: Sequence[CellSum], before: Sequence[CellSum] | None, at: Ground) -> Kpi:
    actual = kpi_of(stage, now, at)
    earlier = None if before is None else kpi_of(stage, before, at)
    return Kpi(KPI[stage], shown(actual), shown_or_none(earlier), compared(earlier, actual))


def responses_of(cells: Iterable[CellSum]) -> int:
    """Return how many responses cells count."""
    return sum(cell.n for cell in cells if cell.measure == rollups.RESPONSE)


def by_touchpoint(cells: Iterable[CellSum], at: Ground) -> dict[str | None, list[CellSum]]:
    """Return cells by the key of their point's touchpoint."""
    return grouped(cells, lambda cell: at.places[cell.point_id].touchpoint)


def _chips(stage: str, now: Sequence[CellSum], at: Ground) -> tuple[Chip, ...]:
    by_key = by_touchpoint(now, at)
    return tuple(
        Chip(name, shown(estimate("smiley", by_key.get(key, ()))), responses_of(by_key.get(key, ())))
        for key, name in at.touchpoints().items()
        if name.stage == stage
    )


def _column(
    stage: str, now: Sequence[CellSum], before: Sequence[CellSum] | None, at: Ground, words: Mapping[Any, Any]
) -> StageColumn:
    sources = sources_on(stage, now, at)
    emotion = mean_of_sources(sources.values())
    earlier = None if before is None else all_sources(stage, before, at)
    here = [cell for cell in now if at.places[cell.point_id].stage == stage]
    located = [cell for cell in now if cell.stage == stage]
    return StageColumn(
        stage=stage,
        emotion=shown(emotion),
        before=shown_or_none(earlier),
        change=compared(earlier, emotion),
        sources=tuple(SourceEmotion(name, shown(known)) for name, known in sources.items()),
        touchpoints=_chips(stage, now, at),
        kpi=_kpi(stage, now, before, at),
        barriers=barriers(here, words),
        aspects=aspects(located),
    )


# --- the map ----------------------------------------------------------------------------------------------------


def cells_of(session: Session, at: Ground) -> tuple[list[CellSum], list[CellSum] | None]:
    """Return the cells of the period and of the one before; None where there is none before."""
    now = at.cells(session, at.filters.period, BY)
    earlier = at.filters.period.before()
    if earlier is None:
        return now, None
    return now, at.cells(session, earlier, BY, BEFORE_MEASURES)


def journey(
    db: Database, access: Access, filters: Filters, now: datetime | None = None, *, max_age: float = 0
) -> JourneyMap:
    """Return the figures of the journey map; raise NotFound for a store, region or touchpoint outside the scope.

    `max_age`: how many seconds the figures may lag behind what was handed in; open cases never do.
    """
    access.require(Right.READ_FIGURES)
    with db.read(access) as session:
        at = ground(session, filters)
        version = rollups_read.data_version(session)
        key = ("journey", access.stores, filters)
        counted = cache_of(db).get(key, version, lambda: _counted(session, at, version), max_age)
        cases = cases_here(session, at, now)
    return replace(counted, stages=tuple(_with_cases(column, cases, at) for column in counted.stages))


def _counted(session: Session, at: Ground, version: int) -> JourneyMap:
    now, before = cells_of(session, at)
    words = places_read.choice_words(session)
    return JourneyMap(at.filters, version, tuple(_column(stage, now, before, at, words) for stage in STAGES))


def cases_here(session: Session, at: Ground, now: datetime | None) -> list[OpenCases]:
    """Return the open cases of what was collected at these points; they are counted afresh, at any age."""
    return [case for case in places_read.open_cases(session, today(now=now)) if case.point_id in at.places]


def _with_cases(column: StageColumn, cases: Sequence[OpenCases], at: Ground) -> StageColumn:
    def with_own(chip: Chip) -> Chip:
        count, late = _counts(case for case in cases if at.places[case.point_id].touchpoint == chip.touchpoint.key)
        return replace(chip, open_cases=count, overdue=late)

    count, late = _counts(case for case in cases if case.stage == column.stage)
    return replace(column, touchpoints=tuple(map(with_own, column.touchpoints)), open_cases=count, overdue=late)


def _counts(cases: Iterable[OpenCases]) -> tuple[int, int]:
    """Return how many cases are open, and how many of them overdue."""
    found = list(cases)
    return sum(case.n for case in found), sum(case.overdue for case in found)
