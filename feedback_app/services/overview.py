"""The overview's figures: what changed, what to mend first, stages, stores, touchpoints and hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from analysis.metrics import Estimate, shown
from analysis.trends import Change, rank_intervals
from feedback_app.domain import rollups
from feedback_app.domain.access import Access, Right
from feedback_app.services import comments as commented
from feedback_app.services.comments import Comment
from feedback_app.services.figure_cache import cache_of
from feedback_app.services.ground import Ground, StoreName, TouchpointName, ground, grouped
from feedback_app.services.headline import Headline, headline
from feedback_app.services.journey_map import (
    STAGES,
    all_sources,
    by_touchpoint,
    cases_here,
    cells_of,
    compared,
    responses_of,
    shown_or_none,
)
from feedback_app.services.mending import MendCard, mend_first
from feedback_app.services.metrics import FEEDS, estimate
from feedback_app.services.periods import Filters, local_hour
from feedback_app.services.sparks import SparkPoint, sparks
from feedback_app.storage import places_read, rollups_read
from feedback_app.storage.database import Database
from feedback_app.storage.places_read import OpenCases
from feedback_app.storage.rollups_read import CellSum

TILES: tuple[str, ...] = ("smiley", "csat", "nps", "ces", "checklist", "sentiment")
LATEST = 10
HOURLY_MEASURES: tuple[str, ...] = tuple(dict.fromkeys(fed for tile in (*TILES, "score") for fed in FEEDS[tile]))

Cells = Sequence[CellSum]


@dataclass(frozen=True)
class Tile:
    """One measure: now, before, the change, and its course."""

    measure: str
    now: Estimate
    before: Estimate | None
    change: Change | None
    spark: tuple[SparkPoint, ...]


@dataclass(frozen=True)
class StageStrip:
    """A stage in short: emotion of all sources and open cases."""

    stage: str
    emotion: Estimate
    before: Estimate | None
    change: Change | None
    open_cases: int = 0


@dataclass(frozen=True)
class StoreRow:
    """A store among the others: smiley index, the ranks it may hold, responses, open cases."""

    store: StoreName
    index: Estimate
    before: Estimate | None
    change: Change | None
    rank: tuple[int, int] | None
    responses: int
    open_cases: int = 0


@dataclass(frozen=True)
class TouchpointRow:
    """A touchpoint in all stores looked at: smiley index and responses."""

    touchpoint: TouchpointName
    index: Estimate
    before: Estimate | None
    change: Change | None
    responses: int


@dataclass(frozen=True)
class HeatCell:
    """The mean score of an hour of the local day on a weekday, Monday 1."""

    weekday: int
    hour: int
    estimate: Estimate


@dataclass(frozen=True)
class Overview:
    """All that the overview shows."""

    filters: Filters
    data_version: int
    responses: int
    responses_before: int | None
    headline: Headline
    tiles: tuple[Tile, ...]
    stages: tuple[StageStrip, ...]
    mend: tuple[MendCard, ...]
    stores: tuple[StoreRow, ...]
    touchpoints: tuple[TouchpointRow, ...]
    heat: tuple[HeatCell, ...]
    comments: tuple[Comment, ...] = ()
    open_cases: int = 0
    overdue: int = 0


def overview(
    db: Database, access: Access, filters: Filters, now: datetime | None = None, *, max_age: float = 0
) -> Overview:
    """Return the overview; raise NotFound for a store, region or touchpoint outside the scope.

    Figures come from the counts and are kept until these change, and for `max_age` seconds more; open cases and the
    latest comments are read afresh.
    """
    access.require(Right.READ_FIGURES)
    with db.read(access) as session:
        at = ground(session, filters)
        version = rollups_read.data_version(session)
        key = ("overview", access.stores, filters)
        counted = cache_of(db).get(key, version, lambda: _counted(session, at, version), max_age)
        cases = cases_here(session, at, now)
        latest = commented.latest(session, at, LATEST) if access.may(Right.READ_WORDS) else ()
    return replace(
        counted,
        stages=tuple(replace(row, open_cases=_open(cases, stage=row.stage)) for row in counted.stages),
        stores=tuple(replace(row, open_cases=_open_in(cases, at, row.store.code)) for row in counted.stores),
        comments=latest,
        open_cases=_open(cases),
        overdue=sum(case.overdue for case in cases),
    )


def _open(cases: Sequence[OpenCases], stage: str | None = None) -> int:
    return sum(case.n for case in cases if stage in (None, case.stage))


def _open_in(cases: Sequence[OpenCases], at: Ground, code: str) -> int:
    return sum(case.n for case in cases if at.places[case.point_id].store_code == code)


def _counted(session: Session, at: Ground, version: int) -> Overview:
    now, before = cells_of(session, at)
    # Hours tell whole visits from their stages by the cell's stage; pages need whole visits alone.
    hourly = at.parts(session, at.filters.period, ("hour",), HOURLY_MEASURES, stage="")
    tiles = _tiles(now, before, hourly, at)
    touchpoints = _touchpoints(now, before, at)
    return Overview(
        filters=at.filters,
        data_version=version,
        responses=responses_of(now),
        responses_before=None if before is None else responses_of(before),
        headline=headline(
            [(tile.measure, tile.now, tile.before, tile.change) for tile in tiles],
            [(row.touchpoint, row.index, row.before, row.change) for row in touchpoints],
            tuple(at.stores().values()),
            responses_of(now),
        ),
        tiles=tiles,
        stages=tuple(_strip(stage, now, before, at) for stage in STAGES),
        mend=mend_first(now, before, at, places_read.choice_words(session)),
        stores=_stores(now, before, at),
        touchpoints=touchpoints,
        heat=_heat(hourly),
    )


def of_all(measure: str, cells: Cells) -> Estimate:
    """Return a measure over all cells, visits as a whole."""
    whole = (cell for cell in cells if cell.measure != rollups.CHECKLIST or not cell.stage)
    return estimate(measure, whole)


def _tiles(now: Cells, before: Cells | None, hourly: Sequence[tuple[str, Cells]], at: Ground) -> tuple[Tile, ...]:
    courses = sparks(hourly, TILES, at.filters.period)
    tiles = []
    for measure in TILES:
        actual = of_all(measure, now)
        earlier = None if before is None else of_all(measure, before)
        change = compared(earlier, actual)
        tiles.append(Tile(measure, shown(actual), shown_or_none(earlier), change, courses[measure]))
    return tuple(tiles)


def _strip(stage: str, now: Cells, before: Cells | None, at: Ground) -> StageStrip:
    emotion = all_sources(stage, now, at)
    earlier = None if before is None else all_sources(stage, before, at)
    return StageStrip(stage, shown(emotion), shown_or_none(earlier), compared(earlier, emotion))


def _indices(
    groups: Mapping[Any, Cells], groups_before: Mapping[Any, Cells] | None, key: str
) -> tuple[Estimate, Estimate | None, Change | None]:
    index = estimate("smiley", groups.get(key, ()))
    earlier = None if groups_before is None else estimate("smiley", groups_before.get(key, ()))
    return shown(index), shown_or_none(earlier), compared(earlier, index)


def _stores(now: Cells, before: Cells | None, at: Ground) -> tuple[StoreRow, ...]:
    def by_store(cells: Cells) -> dict[str, list[CellSum]]:
        return grouped(cells, lambda cell: at.places[cell.point_id].store_code)

    groups, groups_before = by_store(now), None if before is None else by_store(before)
    names = at.stores()
    figures = {code: _indices(groups, groups_before, code) for code in names}
    ranks = dict(zip(names, rank_intervals([figures[code][0] for code in names]), strict=True))
    rows = [
        StoreRow(name, *figures[code], rank=ranks[code], responses=responses_of(groups.get(code, ())))
        for code, name in names.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.index.value is None, -(row.index.value or 0), row.store.code)))


def _touchpoints(now: Cells, before: Cells | None, at: Ground) -> tuple[TouchpointRow, ...]:
    groups = by_touchpoint(now, at)
    groups_before = None if before is None else by_touchpoint(before, at)
    return tuple(
        TouchpointRow(name, *_indices(groups, groups_before, key), responses=responses_of(groups.get(key, ())))
        for key, name in at.touchpoints().items()
    )


def _heat(hourly: Sequence[tuple[str, Cells]]) -> tuple[HeatCell, ...]:
    found: dict[tuple[int, int], list[CellSum]] = {}
    for zone, cells in hourly:
        for cell in cells:
            if cell.measure == rollups.SCORE:
                local = local_hour(cell.hour, zone)
                found.setdefault((local.isoweekday(), local.hour), []).append(cell)
    return tuple(HeatCell(*place, shown(estimate("score", found[place]))) for place in sorted(found))
