"""Measures with their intervals, from the counts alone, in the groups that readers ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from sqlalchemy.orm import Session

from analysis import metrics as measured
from analysis.metrics import Estimate, shown
from feedback_app.domain import rollups
from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import Invalid, Problem
from feedback_app.domain.journey import B2C_STAGES, CHANNELS
from feedback_app.services.figure_cache import cache_of
from feedback_app.services.ground import Ground, Named, StoreName, TouchpointName, ground, names_of
from feedback_app.services.periods import HOUR, Filters, local_hour
from feedback_app.storage import places_read, rollups_read
from feedback_app.storage.database import Database
from feedback_app.storage.rollups_read import CellSum

Group = str | int

_SMILEYS: Mapping[str, int] = MappingProxyType({"smiley4": 4, "smiley5": 5})
_SATISFACTION: Mapping[str, int] = MappingProxyType({**_SMILEYS, "rating5": 5, "rating7": 7, "rating10": 10})

FEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "smiley": tuple(_SMILEYS),
        "csat": tuple(_SATISFACTION),
        "nps": ("nps",),
        "ces": ("ces",),
        "checklist": (rollups.CHECKLIST,),
        "sentiment": (rollups.SENTIMENT,),
        "score": (rollups.SCORE,),
    }
)
"""Which cells feed a measure."""
PLACE_GROUPS: tuple[str, ...] = ("none", "stage", "touchpoint", "store", "region")
TIME_GROUPS: tuple[str, ...] = ("hour", "day", "week", "month", "hour_of_day", "weekday")
GROUPS: tuple[str, ...] = PLACE_GROUPS + TIME_GROUPS
ALL = "all"
"""The one group of "none"."""


@dataclass(frozen=True)
class Figure:
    """One group's figure; of a group of fewer than five only n is known."""

    group: Group
    estimate: Estimate


@dataclass(frozen=True)
class Figures:
    """A measure in its groups; `ungrouped` are the answers that belong to none, such as a visit to no touchpoint."""

    rows: tuple[Figure, ...]
    ungrouped: int
    data_version: int


@dataclass(frozen=True)
class Choices:
    """What a reader may filter by."""

    regions: tuple[Named, ...]
    stores: tuple[StoreName, ...]
    touchpoints: tuple[TouchpointName, ...]
    channels: tuple[str, ...]


def estimate(measure: str, cells: Iterable[CellSum]) -> Estimate:
    """Return a measure over cells; cells of other measures are passed over. See `analysis.metrics` for the rules.

    Of checklist cells the caller hands in either whole visits or the criteria of stages, never both.
    """
    fed = [cell for cell in cells if cell.measure in FEEDS[measure]]
    if measure == "smiley":
        return measured.smiley_index_of(_histograms(fed, _SMILEYS))
    if measure == "csat":
        return measured.csat_of(_histograms(fed, _SATISFACTION))
    if measure == "nps":
        return measured.nps(_histogram(fed))
    if measure == "ces":
        return measured.ces(_histogram(fed))
    if measure == "checklist":
        return _checklist(fed)
    return mean(fed, *((-1.0, 1.0) if measure == "sentiment" else (0.0, 100.0)))


def mean(cells: Iterable[CellSum], low: float, high: float) -> Estimate:
    """Return the mean of what cells hold, on the scale low..high."""
    n = total = squares = 0
    for cell in cells:
        n, total, squares = n + cell.n, total + cell.total, squares + cell.squares
    return measured.mean_of_moments(n, total / rollups.SCALE, squares / rollups.SCALE**2, low, high)


def _histogram(cells: Iterable[CellSum]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for cell in cells:
        counts[int(cell.bucket)] = counts.get(int(cell.bucket), 0) + cell.n
    return counts


def _histograms(cells: list[CellSum], sizes: Mapping[str, int]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {}
    for cell in cells:
        counts = found.setdefault(sizes[cell.measure], {})
        counts[int(cell.bucket)] = counts.get(int(cell.bucket), 0) + cell.n
    return found


def _checklist(cells: Iterable[CellSum]) -> Estimate:
    sums = {rollups.EARNED: [0, 0, 0], rollups.POSSIBLE: [0, 0, 0], rollups.CROSS: [0, 0, 0]}
    for cell in cells:
        for position, value in enumerate((cell.n, cell.total, cell.squares)):
            sums[cell.bucket][position] += value
    n, earned, earned_squares = sums[rollups.EARNED]
    _, possible, possible_squares = sums[rollups.POSSIBLE]
    square = rollups.SCALE**2
    return measured.pooled_checklist_of_sums(
        n,
        earned / rollups.SCALE,
        possible / rollups.SCALE,
        earned_squares / square,
        possible_squares / square,
        sums[rollups.CROSS][2] / square,
    )


def choices_of(db: Database, access: Access) -> Choices:
    """Return the regions, stores, touchpoints and channels that the reader may filter by."""
    access.require(Right.READ_FIGURES)
    with db.read(access) as session:
        return Choices(
            tuple(names_of(row) for row in places_read.regions(session)),
            tuple(StoreName(row.code, row.names, row.region, row.zone) for row in places_read.stores(session)),
            tuple(TouchpointName(row.key, row.names, row.stage) for row in places_read.touchpoints(session)),
            CHANNELS,
        )


def figures(db: Database, access: Access, filters: Filters, measure: str, group: str = "none") -> Figures:
    """Return a measure in groups, or raise Invalid for an unknown measure or group, NotFound for an unknown store.

    A response counts at the stage of its touchpoint; a visit's criteria at their own stages; a visit as a whole
    everywhere else. Days, weeks (by their Monday) and months (as yyyy-mm) are the store's own; an hour is the UTC
    moment at which it begins; `hour_of_day` is 0-23 local, `weekday` 1 (Monday) to 7.
    """
    access.require(Right.READ_FIGURES)
    problems = [Problem("unknown_choice", "measure")] if measure not in FEEDS else []
    problems += [Problem("unknown_choice", "group")] if group not in GROUPS else []
    if problems:
        raise Invalid(problems)
    with db.read(access) as session:
        version = rollups_read.data_version(session)
        key = ("figures", access.stores, filters, measure, group)
        return cache_of(db).get(key, version, lambda: _figures(session, filters, measure, group, version))


def _figures(session: Session, filters: Filters, measure: str, group: str, version: int) -> Figures:
    at = ground(session, filters)
    by_group = _by_time(session, at, measure, group) if group in TIME_GROUPS else _by_place(session, at, measure, group)
    ungrouped = estimate(measure, by_group.pop(None, []))
    rows = tuple(Figure(name, shown(estimate(measure, by_group[name]))) for name in _in_order(by_group, group, at))
    return Figures(tuple(row for row in rows if row.estimate.n), ungrouped.n, version)


def _by_place(session: Session, at: Ground, measure: str, group: str) -> dict[Group | None, list[CellSum]]:
    staged = measure == "checklist" and group == "stage"
    whole = "" if measure == "checklist" and not staged else None
    key = _stage_of_criteria if staged else _place_key(at, group)
    found: dict[Group | None, list[CellSum]] = {}
    for cell in at.cells(session, at.filters.period, ("point_id", "stage"), FEEDS[measure], whole):
        if not staged or cell.stage:
            found.setdefault(key(cell), []).append(cell)
    return found


def _stage_of_criteria(cell: CellSum) -> Group | None:
    return cell.stage


def _place_key(at: Ground, group: str) -> Callable[[CellSum], Group | None]:
    attribute = {"stage": "stage", "touchpoint": "touchpoint", "store": "store_code", "region": "region"}.get(group)

    def key(cell: CellSum) -> Group | None:
        found: str | None = getattr(at.places[cell.point_id], attribute) if attribute else ALL
        return found

    return key


def _by_time(session: Session, at: Ground, measure: str, group: str) -> dict[Group | None, list[CellSum]]:
    whole = "" if measure == "checklist" else None
    found: dict[Group | None, list[CellSum]] = {}
    for zone, cells in at.parts(session, at.filters.period, ("hour",), FEEDS[measure], whole):
        for cell in cells:
            found.setdefault(time_group(cell.hour, zone, group), []).append(cell)
    return found


def time_group(hour: int, zone: str, group: str) -> Group:
    """Return the time group of a UTC hour for a store of this zone."""
    local = local_hour(hour, zone)
    if group == "hour":
        return f"{datetime.fromtimestamp(hour * HOUR, UTC):%Y-%m-%dT%H:%M:%SZ}"
    if group == "hour_of_day":
        return local.hour
    if group == "weekday":
        return local.isoweekday()
    if group == "month":
        return f"{local:%Y-%m}"
    day = local.date() - timedelta(days=local.weekday() if group == "week" else 0)
    return day.isoformat()


def _in_order(groups: Iterable[Group | None], group: str, at: Ground) -> list[Group]:
    named = [name for name in groups if name is not None]
    order = {"stage": B2C_STAGES, "touchpoint": tuple(at.touchpoints())}.get(group, ())
    places = {name: position for position, name in enumerate(order)}
    return sorted(named, key=lambda name: (places.get(str(name), len(places)), name))
