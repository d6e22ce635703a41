"""Which words name which aspect of a visit: `aspects.tsv`, written for shops in three languages.

Columns: aspect, language, stem (patterns as in `analysis/sentiment/words/README.md`), strength. A `ware`
(«хлеб») speaks of product quality only where its clause names nothing else («хлеб дорогой» is price); what is `of_ware`
(«нет») names its aspect only beside a ware («хлеба опять нет» is availability).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from analysis.sentiment.patterns import PatternIndex
from feedback_app.domain.journey import ASPECTS

_TABLE = Path(__file__).with_name("aspects.tsv")


class Named(NamedTuple):
    """An aspect that a word names, and how: "" outright, "ware" for want of another, "of_ware" beside a ware."""

    aspect: str
    strength: str


@cache
def aspect_words(language: str) -> PatternIndex[Named]:
    """Return the words that name aspects in "ru", "be" or "en"; ValueError when the table names an unknown aspect."""
    entries = []
    for line in _TABLE.read_text("utf-8").splitlines()[1:]:
        aspect, spoken, stem, *strength = line.split("\t")
        if aspect not in ASPECTS:
            raise ValueError(f"unknown aspect in {_TABLE.name}: {aspect}")
        if spoken == language:
            entries.append((stem, Named(aspect, "".join(strength))))
    return PatternIndex(entries)
