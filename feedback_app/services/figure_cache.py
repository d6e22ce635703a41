"""Figures already computed, kept as long as nothing they were counted from has changed."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar

from feedback_app.storage.database import Database

Result = TypeVar("Result")
LIMIT = 128
"""Results kept at most; the one that was asked for longest ago goes first."""


class Kept(NamedTuple):
    """A result, the data version it was counted at, and when that was last seen to be the newest one."""

    version: int
    current_at: float
    result: Any


class FigureCache:
    """Results by what was asked and by the data version they were counted at."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, version: int, make: Callable[[], Result], max_age: float = 0) -> Result:
        """Return the result kept for this version, else make it; an older version's result gives way.

        An older one may still be served as long as it was the newest less than `max_age` seconds ago.
        """
        asked_at = time.monotonic()
        with self._lock:
            found = self._kept.get(key)
            if found is not None and (found.version == version or asked_at - found.current_at < max_age):
                if found.version == version:
                    self._kept[key] = found._replace(current_at=asked_at)
                self._kept.move_to_end(key)
                kept: Result = found.result
                return kept
        made = make()  # outside the lock: one slow page must not hold up the others
        with self._lock:
            self._kept[key] = Kept(version, asked_at, made)
            self._kept.move_to_end(key)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return made


def cache_of(db: Database) -> FigureCache:
    """Return the cache of a database."""
    found: FigureCache = db.memory.setdefault("figures", FigureCache())
    return found
