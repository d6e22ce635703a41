"""From what the encoder and the word lists say of a text to its polarity."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from analysis.sentiment.encoder import DIMENSIONS
from analysis.sentiment.labels import POSITIVE_FROM
from analysis.sentiment.logistic import probabilities

CLASSES = ("neg", "neu", "pos")
WEIGHTS = Path(__file__).with_name("weights.npz")
LISTED = 11
"""What the word lists add to the encoder's dimensions."""
FEATURES = DIMENSIONS + LISTED


class Told(Protocol):
    """What word lists say of a text; `analyzers.Reading` is one."""

    @property
    def polarity(self) -> float | None: ...
    @property
    def terms(self) -> list[tuple[str, float]]: ...
    @property
    def turned(self) -> float: ...
    @property
    def covered(self) -> float: ...
    @property
    def pattern(self) -> float: ...


def listed(told: Told) -> list[float]:
    """Return what word lists say of a text as LISTED numbers."""
    weights = [weight for _, weight in told.terms]
    glad = sum(weight for weight in weights if weight > 0)
    sorry = -sum(weight for weight in weights if weight < 0)
    return [
        told.polarity or 0.0,
        float(told.polarity is None),
        float(np.log1p(glad)),
        float(np.log1p(sorry)),
        weights[-1] if weights else 0.0,
        max(weights, default=0.0),
        min(weights, default=0.0),
        told.pattern,
        max(-1.0, min(1.0, told.turned)),
        (told.polarity or 0.0) * told.covered,
        told.covered,
    ]


UNLISTED = (0.0, 1.0) + (0.0,) * (LISTED - 2)
"""What word lists say of a text that holds none of their words."""


@cache
def _kept() -> dict[str, np.ndarray]:
    with np.load(WEIGHTS, allow_pickle=False) as kept:
        return dict(kept)


def shipped() -> np.ndarray:
    """Return the weights that come with the product, shape (FEATURES + 1, classes)."""
    return _kept()["polarity"]


def of_clauses() -> np.ndarray:
    """Return the weights of clauses: their features, those of their whole text, and what aspects the lists name."""
    return _kept()["clauses"]


def of_aspects() -> np.ndarray:
    """Return the weights of aspects: the vector of a clause, and what aspects the lists name."""
    return _kept()["aspects"]


def polarities(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return polarities in [-1, 1] of rows of features.

    A text that is likeliest neutral lies within the labels' neutral band, on the side it leans to; others lie beyond
    it, the further the surer: the difference of the two chances.
    """
    chance = probabilities(rows, weights)
    lean = chance[:, 2] - chance[:, 0]
    neutral = chance.argmax(axis=1) == 1
    band = POSITIVE_FROM
    scores: np.ndarray = np.where(neutral, lean * band * 0.99, np.sign(lean) * (band + (1 - band) * np.abs(lean)))
    return scores


def leans(vectors: np.ndarray, weights: np.ndarray) -> list[float]:
    """Return how far single words lean, in [-1, 1]: by their vectors alone, without the word lists."""
    bare = np.tile(np.array(UNLISTED, dtype=np.float32), (len(vectors), 1))
    chance = probabilities(np.hstack([vectors, bare]), weights)
    return [round(float(lean), 3) + 0.0 for lean in chance[:, 2] - chance[:, 0]]
