"""Question types: which JSON value answers which, and what a value is worth on 0-100."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Collection
from typing import Any

from feedback_app.domain.errors import Problem

TYPES: tuple[str, ...] = (
    "smiley4",
    "smiley5",
    "nps",
    "ces",
    "rating",
    "yes_no",
    "choice",
    "text",
    "number",
    "consent",
)
SCORED_TYPES = frozenset({"smiley4", "smiley5", "rating"})
"""Types that make up the score of a response."""
RATING_SIZES = (5, 7, 10)
TEXT_LIMIT = 4_000
"""Characters of one written answer, at most."""
NUMBER_LIMIT = 10**12
NOT_APPLICABLE = "na"

Check = Callable[[Any], Any]
"""Returns a cleaned answer, or raises Problem."""

_BOUNDS = {"smiley4": (1, 4), "smiley5": (1, 5), "nps": (0, 10), "ces": (1, 7)}
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What no database can keep, and the marks that turn the direction of all that follows, also of others' words."""


def bounds(kind: str, size: int | None = None) -> tuple[int, int] | None:
    """Return the lowest and highest value of a scale; None for a type that is no scale."""
    if kind == "rating":
        return (1, size or 5)
    return _BOUNDS.get(kind)


def measure_of(kind: str, size: int | None = None) -> str:
    """Return the rollup measure a scale feeds: the type, a rating with its size (`rating5`)."""
    return f"rating{size or 5}" if kind == "rating" else kind


def clean_text(text: str) -> str:
    """Return a text without what no database can keep (NUL, control characters, lone surrogates), trimmed.

    Marks that turn the direction of writing go too: one in a name would turn the words behind it. A text in which
    nobody can see anything is empty.
    """
    cleaned = _UNSTORABLE.sub("", text.replace("\r\n", "\n")).strip()
    return cleaned if any(unicodedata.category(character)[0] not in "CZ" for character in cleaned) else ""


def scale_value(value: Any, field: str, low: int, high: int) -> int:
    """Return the value of a scale's answer, or raise Problem: an integer inside the scale; never a boolean."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise Problem("wrong_type", field)
    if not low <= value <= high:
        raise Problem("out_of_scale", field, low=low, high=high)
    return value


def number_value(value: Any, field: str, low: float | None, high: float | None) -> float | int:
    """Return a finite number inside its bounds, or raise Problem."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Problem("wrong_type", field)
    if isinstance(value, float) and not math.isfinite(value):
        raise Problem("wrong_type", field)
    if abs(value) > NUMBER_LIMIT:
        raise Problem("out_of_range", field, low=-NUMBER_LIMIT, high=NUMBER_LIMIT)
    if low is not None and high is not None and not low <= value <= high:
        raise Problem("out_of_range", field, low=low, high=high)
    if low is not None and value < low:
        raise Problem("too_small", field, low=low)
    if high is not None and value > high:
        raise Problem("too_large", field, high=high)
    return value


def text_value(value: Any, field: str, limit: int = TEXT_LIMIT) -> str:
    """Return a cleaned text of at most `limit` characters, or raise Problem."""
    if not isinstance(value, str):
        raise Problem("wrong_type", field)
    if len(value) > limit:
        raise Problem("too_long", field, limit=limit)
    return clean_text(value)


def one_of(value: Any, field: str, keys: Collection[str]) -> str:
    """Return a key out of a closed list, or raise Problem."""
    if not isinstance(value, str):
        raise Problem("wrong_type", field)
    if value not in keys:
        raise Problem("unknown_choice", field)
    return value


def flag_value(value: Any, field: str) -> bool:
    """Return true or false, or raise Problem."""
    if not isinstance(value, bool):
        raise Problem("wrong_type", field)
    return value


def or_not_applicable(check: Check) -> Check:
    """Return a check that also takes "na"."""
    return lambda value: value if isinstance(value, str) and value == NOT_APPLICABLE else check(value)


def hundred(value: int, kind: str, size: int | None = None) -> float:
    """Return a scale's value brought to 0-100: (value - 1) / (max - 1) x 100."""
    limits = bounds(kind, size)
    if limits is None:
        raise Problem("wrong_type")
    low, high = limits
    return (value - low) / (high - low) * 100


def worths(kind: str, size: int | None = None) -> dict[int, float]:
    """Return what each value of a scale is worth on 0-100; empty for a type that is no scale."""
    low, high = bounds(kind, size) or (1, 0)
    return {value: hundred(value, kind, size) for value in range(low, high + 1)}
