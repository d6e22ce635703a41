"""How well models read the same labelled comments: figures with their intervals, and what one gains on another.

Comments count by their weights. Intervals of shares are Wilson's by the effective number of comments,
(sum of weights)² / sum of squared weights (Kish 1965, "Survey Sampling"); all others are bootstrap percentiles (Efron
1979) with a fixed seed. Such a figure depends only on how many comments share label, guesses and weight: to draw these
counts from a multinomial distribution is to draw the comments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.intervals import LEVEL, wilson
from analysis.metrics import Estimate

ROUNDS = 4_000
SEED = 20_260_101
SURE = 0.8
"""From which chance on a model counts as sure."""
GAIN_LEVEL = 0.99
"""Level of the interval of a gain: it decides, and a chain trains again and again, each time with a chance to be
fooled by noise. At 95 % labels drawn by lot were taken for something learned in 5 of 240 trainings, at 99 % in 1."""
_NOTHING = Estimate(None, None, None, 0)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one model makes of comments: share right, macro-F1, log loss, and the share right where it is sure."""

    right: Estimate
    f1: Estimate
    log_loss: float
    sure_right: Estimate


def figures(chances: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> Figures:
    """Return the figures of chances (comments, labels) against the true labels' numbers; at least one comment."""
    guess = chances.argmax(axis=1)
    sure = chances.max(axis=1) >= SURE
    return Figures(
        share(guess == truth, weights),
        _macro_f1(truth, guess, weights),
        log_loss(chances, truth, weights),
        share((guess == truth)[sure], weights[sure]),
    )


def share(right: np.ndarray, weights: np.ndarray) -> Estimate:
    """Return the weighted share of what is right, with Wilson's interval by the effective number."""
    if not len(right):
        return _NOTHING
    value = float(weights[right].sum() / weights.sum())
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    low, high = wilson(min(value, 1.0) * effective, effective)
    return Estimate(value, low, high, len(right))


def log_loss(chances: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted mean of -ln(chance given to the true label)."""
    given = chances[np.arange(len(truth)), truth]
    return float(-(weights * np.log(given + 1e-12)).sum() / weights.sum())


def gain(old: np.ndarray, new: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> Estimate:
    """Return by how much the mean of the labels' shares right is higher with the new chances than with the old.

    Each label weighs the same ("balanced accuracy", Brodersen et al. 2010): labels that have nothing to do with the
    words gain nothing on average, however often each of them is guessed. The bootstrap is paired: both models read the
    same comments in each round. The interval is one of GAIN_LEVEL.
    """
    before, after = old.argmax(axis=1), new.argmax(axis=1)
    cells, drawn = _drawn(np.column_stack([truth, before, after, weights]))
    gains, there = [], []
    for label in np.unique(truth):
        own = cells[:, 3] * (cells[:, 0] == label)
        of_label = drawn @ own
        more = drawn @ (own * ((cells[:, 2] == label).astype(float) - (cells[:, 1] == label)))
        gains.append(more / np.maximum(of_label, 1e-12))
        there.append(of_label > 0)
    return _estimate(np.array(gains), np.array(there), len(truth), GAIN_LEVEL)


def _macro_f1(truth: np.ndarray, guess: np.ndarray, weights: np.ndarray) -> Estimate:
    cells, drawn = _drawn(np.column_stack([truth, guess, weights]))
    scores, there = [], []
    for label in np.unique(truth):
        true, guessed = cells[:, 0] == label, cells[:, 1] == label
        hits, of_label, named = (drawn @ (cells[:, 2] * some) for some in (true & guessed, true, guessed))
        scores.append(2 * hits / np.maximum(of_label + named, 1e-12))
        there.append(of_label + named > 0)
    return _estimate(np.array(scores), np.array(there), len(truth), LEVEL)


def _drawn(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different rows, and how often each is there: first as it is, then in each of the rounds."""
    cells, counts = np.unique(columns, axis=0, return_counts=True)
    rounds = np.random.default_rng(SEED).multinomial(len(columns), counts / len(columns), size=ROUNDS)
    return cells, np.vstack([counts, rounds]).astype(float)


def _estimate(values: np.ndarray, there: np.ndarray, n: int, level: float) -> Estimate:
    """Return the mean over labels (first axis), with the rounds' interval; a label that a round missed is left out."""
    means = (values * there).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    low, high = np.quantile(means[1:], ((1 - level) / 2, (1 + level) / 2))
    value = float(means[0])
    return Estimate(value, min(value, float(low)), max(value, float(high)), n)
