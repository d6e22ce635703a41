"""Where a polarity becomes a label; the one place that holds the thresholds."""

from __future__ import annotations

from typing import Literal, overload

Label = Literal["negative", "neutral", "positive"]

POSITIVE_FROM = 0.1
NEGATIVE_FROM = -0.1


@overload
def label_of(polarity: float) -> Label: ...
@overload
def label_of(polarity: None) -> None: ...
@overload
def label_of(polarity: float | None) -> Label | None: ...
def label_of(polarity: float | None) -> Label | None:
    """Return the label of a polarity in [-1, 1]; None stays None, "not scored"."""
    if polarity is None:
        return None
    if polarity >= POSITIVE_FROM:
        return "positive"
    return "negative" if polarity <= NEGATIVE_FROM else "neutral"
