"""Figures already computed, kept as long as nothing they were counted from has changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from feedback_app.storage.database import Database

Result = TypeVar("Result")
LIMIT = 128
"""Results kept at most; the one that was asked for longest ago goes first."""


class FigureCache:
    """Results by what was asked and by the data version they were counted at."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, version: int, make: Callable[[], Result]) -> Result:
        """Return the result kept for this version, else make it; an older version's result gives way."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None and found[0] == version:
                self._kept.move_to_end(key)
                kept: Result = found[1]
                return kept
        made = make()  # outside the lock: one slow page must not hold up the others
        with self._lock:
            self._kept[key] = (version, made)
            self._kept.move_to_end(key)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return made


def cache_of(db: Database) -> FigureCache:
    """Return the cache of a database."""
    found: FigureCache = db.memory.setdefault("figures", FigureCache())
    return found
