"""Logistic regression by numpy alone, for the shipped weights and for a chain's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STEPS = 2_000
SMALLEST_GAIN = 1e-7
Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]
Descend = Callable[[Loss, np.ndarray, float], np.ndarray]
"""Finds where a loss is least, from a start, with a bound of its curvature."""


def probabilities(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return class probabilities, shape (rows, classes), of rows (rows, features) by weights (features + 1, classes).

    The last row of the weights is the constant.
    """
    return _shares(rows @ weights[:-1] + weights[-1])


def chances(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the chance of each label by itself, shape (rows, labels), by weights (features + 1, labels)."""
    found: np.ndarray = 1.0 / (1.0 + np.exp(-np.clip(rows @ weights[:-1] + weights[-1], -30, 30)))
    return found


def descend(loss: Loss, start: np.ndarray, steepest: float) -> np.ndarray:
    """Return where a convex loss is least: Nesterov's accelerated gradient (1983) with restarts.

    `steepest` bounds the curvature. Restarts are those of O'Donoghue and Candès (2015).
    """
    weights = ahead = start
    momentum, before = 1.0, np.inf
    for _ in range(STEPS):
        now, gradient = loss(ahead)
        following = ahead - gradient / steepest
        if abs(before - now) < SMALLEST_GAIN:
            return following
        if now > before:
            momentum = 1.0
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / faster * (following - weights)
        weights, momentum, before = following, faster, now
    return weights


def fit(
    rows: np.ndarray,
    wanted: np.ndarray,
    counts: np.ndarray,
    penalty: float,
    prior: np.ndarray | None = None,
    possible: np.ndarray | None = None,
    downhill: Descend = descend,
    near: np.ndarray | None = None,
) -> np.ndarray:
    """Return the weights, shape (features + 1, classes), that make the wanted classes likeliest.

    `wanted` holds class probabilities (rows, classes), `counts` how often each row counts, `penalty` the weight of half
    the sum of the squared distances from the weights `prior` (None: from zero), the constant left out. `possible`
    (rows, classes) is false where a row could not have been of a class, as in a set without neutral texts: nothing is
    learned there of how frequent that class is. `downhill` is how the least loss is sought, beginning
    from the weights `near` (None: from the prior). The same input gives the same weights.
    """
    lifted, share, strength = _prepared(rows, counts, penalty)
    barred = 0.0 if possible is None else np.where(possible, 0.0, -1e9)
    start = np.zeros((lifted.shape[1], wanted.shape[1])) if prior is None else prior.astype(np.float64)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        guess = _shares(lifted @ weights + barred)
        gradient = lifted.T @ ((guess - wanted) * share) + strength * (weights - start)
        distance = float((strength * (weights - start) ** 2).sum())
        return 0.5 * distance - float((share * wanted * np.log(guess + 1e-12)).sum()), gradient

    begin = start if near is None else near.astype(np.float64)
    return downhill(loss, begin, 0.5 * _largest(lifted, share) + strength.max())


def fit_each(
    rows: np.ndarray, wanted: np.ndarray, counts: np.ndarray, penalty: float, downhill: Descend = descend
) -> np.ndarray:
    """Return the weights, shape (features + 1, labels), of labels that each hold or do not, whatever the others do.

    `wanted` is 1 or 0 for each row and label; `counts` and `penalty` are those of `fit`.
    """
    lifted, share, strength = _prepared(rows, counts, penalty)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        lean = lifted @ weights
        guess = 1.0 / (1.0 + np.exp(-np.clip(lean, -30, 30)))
        gradient = lifted.T @ ((guess - wanted) * share) + strength * weights
        surprise = np.logaddexp(0.0, lean) - wanted * lean
        return float((share * surprise).sum()) + 0.5 * float((strength * weights**2).sum()), gradient

    start = np.zeros((lifted.shape[1], wanted.shape[1]))
    return downhill(loss, start, 0.25 * _largest(lifted, share) + strength.max())


def _shares(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return found


def _prepared(rows: np.ndarray, counts: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows with a constant, the share of each, and the penalty of each weight."""
    lifted = np.hstack([rows, np.ones((len(rows), 1))]).astype(np.float64)
    strength = np.full((lifted.shape[1], 1), penalty / counts.sum())
    strength[-1] = 0.0
    return lifted, (counts / counts.sum())[:, None], strength


def _largest(rows: np.ndarray, share: np.ndarray) -> float:
    """Return the largest eigenvalue of the rows' weighted second moments, by the power method."""
    moments = rows.T @ (rows * share)
    vector = np.ones(len(moments))
    for _ in range(50):
        vector = moments @ vector
        vector /= np.linalg.norm(vector)
    return float(vector @ moments @ vector) * 1.01
