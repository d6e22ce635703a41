"""What people name: barriers chosen from a list, and aspects found in their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.metrics import Estimate, shown
from feedback_app.domain import rollups
from feedback_app.services.ground import Words, grouped
from feedback_app.services.metrics import mean
from feedback_app.storage.rollups_read import CellSum

REASON = "reason"
"""What the keys of questions begin with whose choices are barriers."""


@dataclass(frozen=True)
class Barrier:
    """A ready-made reason, how often it was named and its share of all reasons named there, 0..100."""

    key: str
    names: Words
    n: int
    share: float


@dataclass(frozen=True)
class AspectCount:
    """How often an aspect was mentioned, by sign, and the emotion of the mentions, 0..100."""

    aspect: str
    negative: int
    neutral: int
    positive: int
    n: int
    emotion: Estimate


def barriers(cells: Iterable[CellSum], words: Mapping[tuple[str, str], Any], limit: int = 5) -> tuple[Barrier, ...]:
    """Return the reasons named most, the most frequent first."""
    named: dict[str, int] = {}
    texts: dict[str, Words] = {}
    for cell in cells:
        if cell.measure == "choice" and cell.question.startswith(REASON):
            named[cell.bucket] = named.get(cell.bucket, 0) + cell.n
            texts.setdefault(cell.bucket, words.get((cell.question, cell.bucket), {}))
    everyone = sum(named.values())
    ranked = sorted(((key, n) for key, n in named.items() if n), key=lambda item: (-item[1], item[0]))
    return tuple(Barrier(key, texts[key], n, 100 * n / everyone) for key, n in ranked[:limit])


def of_polarity(polarity: Estimate) -> Estimate:
    """Return the emotion, 0..100, of a mean polarity: 50 + 50 x polarity."""
    value, low, high = (
        None if part is None else 50 + 50 * part for part in (polarity.value, polarity.low, polarity.high)
    )
    return Estimate(value, low, high, polarity.n)


def emotion_of_mentions(cells: Iterable[CellSum]) -> Estimate:
    """Return the emotion, 0..100, of the mentions among cells."""
    return of_polarity(mean((cell for cell in cells if cell.measure == rollups.MENTION), -1.0, 1.0))


def aspects(cells: Iterable[CellSum], limit: int = 6, *, worst_first: bool = False) -> tuple[AspectCount, ...]:
    """Return the aspects mentioned most; with `worst_first` those named badly alone, the most often so first."""
    mentions = [cell for cell in cells if cell.measure == rollups.MENTION]
    counted = [_aspect(name, part) for name, part in grouped(mentions, lambda cell: cell.aspect).items()]
    if worst_first:
        counted = [aspect for aspect in counted if aspect.negative]
        counted.sort(key=lambda aspect: (-aspect.negative, aspect.aspect))
    else:
        counted.sort(key=lambda aspect: (-aspect.n, aspect.aspect))
    return tuple(aspect for aspect in counted if aspect.n)[:limit]


def _aspect(name: str, cells: list[CellSum]) -> AspectCount:
    signs = {sign: sum(cell.n for cell in cells if cell.bucket == sign) for sign in ("negative", "neutral", "positive")}
    n = sum(signs.values())
    return AspectCount(
        name, signs["negative"], signs["neutral"], signs["positive"], n, shown(emotion_of_mentions(cells))
    )
