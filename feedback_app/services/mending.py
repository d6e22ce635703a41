"""What to mend first: the touchpoints of single stores that cost the most goodwill, with what people say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.metrics import SMALL_GROUP, Estimate, shown
from analysis.trends import Change, change
from feedback_app.services.ground import Ground, StoreName, TouchpointName, grouped, store_name, touchpoint_name
from feedback_app.services.journey_map import compared, shown_or_none
from feedback_app.services.metrics import estimate
from feedback_app.services.voices import AspectCount, Barrier, aspects, barriers
from feedback_app.storage.rollups_read import CellSum

CARDS = 3
REASONS = 3
MANAGER = "manager"


@dataclass(frozen=True)
class MendCard:
    """One touchpoint of one store.

    `why`: fell (beyond chance, since the period before), low (below all that is looked at, beyond chance) or lowest
    (neither, but nothing is lower: it could be chance). `who`: the role that can mend it.
    """

    store: StoreName
    touchpoint: TouchpointName
    why: str
    index: Estimate
    before: Estimate | None
    change: Change | None
    reasons: tuple[Barrier, ...]
    aspects: tuple[AspectCount, ...]
    who: str = MANAGER


def mend_first(
    now: Sequence[CellSum], before: Sequence[CellSum] | None, at: Ground, words: Mapping[tuple[str, str], Any]
) -> tuple[MendCard, ...]:
    """Return up to three cards, the heaviest first.

    Weight: answers x the points by which the smiley index lies below the index of all (where beyond chance) and
    below its own of the period before (where beyond chance). Fewer than three heavy ones are filled up with the
    lowest indices.
    """
    by_point = grouped(now, lambda cell: cell.point_id)
    before_by_point = None if before is None else grouped(before, lambda cell: cell.point_id)
    whole = estimate("smiley", now)
    weighed: list[tuple[float, float, MendCard]] = []
    for point_id, cells in by_point.items():
        name, index = touchpoint_name(at.places[point_id]), estimate("smiley", cells)
        if name is None or index.n < SMALL_GROUP or index.value is None:
            continue
        earlier = None if before_by_point is None else estimate("smiley", before_by_point.get(point_id, ()))
        fall, below = _loss(compared(earlier, index)), _loss(change(whole, index))
        card = MendCard(
            store=store_name(at.places[point_id]),
            touchpoint=name,
            why="fell" if fall >= below and fall else "low" if below else "lowest",
            index=shown(index),
            before=shown_or_none(earlier),
            change=compared(earlier, index),
            reasons=barriers(cells, words, REASONS),
            aspects=aspects(cells, REASONS, worst_first=True),
        )
        weighed.append((-index.n * (fall + below), index.value, card))
    weighed.sort(key=lambda item: (item[0], item[1], item[2].store.code, item[2].touchpoint.key))
    return tuple(card for _, _, card in weighed[:CARDS])


def _loss(against: Change | None) -> float:
    """Return the points lost beyond chance; 0 where nothing was."""
    if against is None or not against.beyond_chance or against.difference is None:
        return 0.0
    return max(0.0, -against.difference)
