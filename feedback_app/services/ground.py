"""The ground figures stand on: which points a reader's filters leave, and the cells counted there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from feedback_app.domain.errors import NotFound
from feedback_app.services.cut_hours import Asked, cells_of_cut_hours, cells_of_span
from feedback_app.services.periods import Filters, Period, local_hour
from feedback_app.storage import places_read
from feedback_app.storage.places_read import Place
from feedback_app.storage.rollups_read import CellSum, Span

Words = Mapping[str, str]
GroupKey = TypeVar("GroupKey")


@dataclass(frozen=True)
class Named:
    """A region, by key and names."""

    key: str
    names: Words


@dataclass(frozen=True)
class StoreName:
    """A store, as lists name it."""

    code: str
    names: Words
    region: str
    timezone: str


@dataclass(frozen=True)
class TouchpointName:
    """A touchpoint, as lists name it, with its stage."""

    key: str
    names: Words
    stage: str


@dataclass(frozen=True)
class Ground:
    """The points that filters leave in a reader's scope, by id."""

    filters: Filters
    places: Mapping[int, Place]

    def spans(self, period: Period) -> list[Span]:
        """Return what a period is in each time zone that the points lie in."""
        zones: dict[str, list[int]] = {}
        for place in self.places.values():
            zones.setdefault(place.zone, []).append(place.point_id)
        return [Span(zone, tuple(points), *period.hours(zone)) for zone, points in sorted(zones.items())]

    def cells(
        self,
        session: Session,
        period: Period,
        by: Collection[str],
        measures: Sequence[str] | None = None,
        stage: str | None = None,
    ) -> list[CellSum]:
        """Return the cells of a period by dimensions other than the hour."""
        return [cell for _, part in self.parts(session, period, by, measures, stage) for cell in part]

    def parts(
        self,
        session: Session,
        period: Period,
        by: Collection[str],
        measures: Sequence[str] | None = None,
        stage: str | None = None,
    ) -> list[tuple[str, list[CellSum]]]:
        """Return the cells of a period, each time zone's with the zone, which tells local days from hours."""
        asked = Asked(tuple(by), measures, stage, self.filters.channels, self.filters.flagged)
        return [
            (span.zone, cells_of_span(session, span, asked) + cells_of_cut_hours(session, span, period, asked))
            for span in self.spans(period)
        ]

    def stores(self) -> dict[str, StoreName]:
        """Return the stores of the points by code, in the order of codes."""
        found = {place.store_code: store_name(place) for place in self.places.values()}
        return dict(sorted(found.items()))

    def touchpoints(self) -> dict[str, TouchpointName]:
        """Return the touchpoints of the points by key, in the order of the map."""
        at = sorted((place for place in self.places.values() if place.touchpoint), key=lambda place: place.position)
        return {place.touchpoint: name for place in at if place.touchpoint and (name := touchpoint_name(place))}


def store_name(place: Place) -> StoreName:
    """Return the store of a point."""
    return StoreName(place.store_code, place.store_names, place.region, place.zone)


def touchpoint_name(place: Place) -> TouchpointName | None:
    """Return the touchpoint of a point; None where the point is the store as a whole."""
    if place.touchpoint is None:
        return None
    return TouchpointName(place.touchpoint, place.touchpoint_names, place.stage or "")


def ground(session: Session, filters: Filters) -> Ground:
    """Return the ground of filters, or raise NotFound for a store, region or touchpoint outside the scope."""
    every = places_read.places(session)
    known = {
        "unknown_store": (filters.stores, {place.store_code for place in every}),
        "unknown_region": ({filters.region} - {None}, {place.region for place in every}),
        "unknown_touchpoint": ({filters.touchpoint} - {None}, {row.key for row in places_read.touchpoints(session)}),
    }
    for code, (wanted, there) in known.items():
        if not wanted <= there:
            raise NotFound(code)
    return Ground(filters, {place.point_id: place for place in every if _wanted(place, filters)})


def _wanted(place: Place, filters: Filters) -> bool:
    return (
        (not filters.stores or place.store_code in filters.stores)
        and filters.region in (None, place.region)
        and filters.touchpoint in (None, place.touchpoint)
    )


def grouped(cells: Iterable[CellSum], key: Callable[[CellSum], GroupKey]) -> dict[GroupKey, list[CellSum]]:
    """Return the cells by a key."""
    found: dict[GroupKey, list[CellSum]] = {}
    for cell in cells:
        found.setdefault(key(cell), []).append(cell)
    return found


def local_day(hour: int, zone: str) -> date:
    """Return the local date on which a UTC hour begins."""
    return local_hour(hour, zone).date()


def names_of(row: Any) -> Named:
    """Return a region's row as its name."""
    return Named(row.key, row.names)
