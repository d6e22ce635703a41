"""Multinomial logistic regression by numpy alone, for the shipped weights and for a chain's own."""

from __future__ import annotations

import numpy as np

STEPS = 2_000
SMALLEST_GAIN = 1e-7


def probabilities(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return class probabilities, shape (rows, classes), of rows (rows, features) by weights (features + 1, classes).

    The last row of the weights is the constant.
    """
    logits = rows @ weights[:-1] + weights[-1]
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def fit(
    rows: np.ndarray,
    wanted: np.ndarray,
    counts: np.ndarray,
    penalty: float,
    prior: np.ndarray | None = None,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Return the weights, shape (features + 1, classes), that make the wanted classes likeliest.

    `wanted` holds class probabilities (rows, classes), `counts` how often each row counts, `penalty` the weight of half
    the sum of the squared distances from the weights `prior` (None: from zero), the constant left out. Nesterov's
    accelerated gradient (1983) with restarts (O'Donoghue and Candès 2015) from `start` (None: the prior), which saves
    steps where it is near: the same input gives the same weights.
    """
    lifted = np.hstack([rows, np.ones((len(rows), 1))]).astype(np.float64)
    share = (counts / counts.sum())[:, None]
    strength = np.full((lifted.shape[1], 1), penalty / counts.sum())
    strength[-1] = 0.0
    step = 1.0 / (0.5 * _largest(lifted, share) + strength.max())
    held = np.zeros((lifted.shape[1], wanted.shape[1])) if prior is None else prior.astype(np.float64)
    weights = ahead = held if start is None else start
    momentum, before = 1.0, np.inf
    for _ in range(STEPS):
        guess = probabilities(lifted[:, :-1], ahead)
        gradient = lifted.T @ ((guess - wanted) * share) + strength * (ahead - held)
        following = ahead - step * gradient
        distance = float((strength * (ahead - held) ** 2).sum())
        loss = 0.5 * distance - float((share * wanted * np.log(guess + 1e-12)).sum())
        if abs(before - loss) < SMALLEST_GAIN:
            return following
        if loss > before:
            momentum = 1.0
        faster = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / faster * (following - weights)
        weights, momentum, before = following, faster, loss
    return weights


def _largest(rows: np.ndarray, share: np.ndarray) -> float:
    """Return the largest eigenvalue of the rows' weighted second moments, by the power method."""
    moments = rows.T @ (rows * share)
    vector = np.ones(len(moments))
    for _ in range(50):
        vector = moments @ vector
        vector /= np.linalg.norm(vector)
    return float(vector @ moments @ vector) * 1.01
