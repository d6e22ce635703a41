"""The overview's one sentence, as data: what changed most, and whether it is chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.metrics import SMALL_GROUP, Estimate
from analysis.trends import Change
from feedback_app.services.ground import StoreName, TouchpointName

MAIN = "smiley"


@dataclass(frozen=True)
class Headline:
    """What to say first.

    `kind`: fell or rose (beyond chance), steady, no_before (nothing to compare with), too_few, empty. With a
    touchpoint it is about the smiley index there, else about the measure everywhere; `store` where only one is
    looked at.
    """

    kind: str
    measure: str
    now: Estimate
    before: Estimate | None
    change: Change | None
    touchpoint: TouchpointName | None = None
    store: StoreName | None = None


MeasureChange = tuple[str, Estimate, Estimate | None, Change | None]
TouchpointChange = tuple[TouchpointName, Estimate, Estimate | None, Change | None]


def headline(
    measures: Sequence[MeasureChange],
    touchpoints: Sequence[TouchpointChange],
    stores: Sequence[StoreName],
    responses: int,
) -> Headline:
    """Return the headline: the touchpoint that changed most beyond chance, else the measure, else that nothing did.

    Touchpoints compare by their difference, measures, whose scales differ, by how far the difference stands out of
    its own uncertainty.
    """
    store = stores[0] if len(stores) == 1 else None
    moved = [row for row in touchpoints if _beyond_chance(row[3])]
    if moved:
        name, now, before, change = max(moved, key=lambda row: (abs(_difference(row[3])), row[0].key))
        return Headline(_direction(change), MAIN, now, before, change, name, store)
    moved_measures = [row for row in measures if _beyond_chance(row[3])]
    if moved_measures:
        measure, now, before, change = max(moved_measures, key=lambda row: (_clarity(row[3]), row[0]))
        return Headline(_direction(change), measure, now, before, change, None, store)
    measure, now, before, change = next(row for row in measures if row[0] == MAIN)
    return Headline(_kind(now, before, responses), measure, now, before, change, None, store)


def _kind(now: Estimate, before: Estimate | None, responses: int) -> str:
    if responses == 0:
        return "empty"
    if now.n < SMALL_GROUP:
        return "too_few"
    return "steady" if before is not None and before.n >= SMALL_GROUP else "no_before"


def _beyond_chance(change: Change | None) -> bool:
    return change is not None and bool(change.beyond_chance)


def _difference(change: Change | None) -> float:
    return 0.0 if change is None or change.difference is None else change.difference


def _direction(change: Change | None) -> str:
    return "fell" if _difference(change) < 0 else "rose"


def _clarity(change: Change | None) -> float:
    if change is None or change.low is None or change.high is None:
        return 0.0
    width = change.high - change.low
    return math.inf if width == 0 else abs(_difference(change)) / width
