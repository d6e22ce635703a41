"""Keeping what is drawn: one drawing for the same numbers and words, by whatever thread asks first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

SHELF_SIZE = 1_000
"""Drawings kept; one is 5 to 60 KiB."""


class Shelf:
    """A cache of the least recently used kind, safe among threads; a drawing is made once however many ask for it."""

    def __init__(self, size: int = SHELF_SIZE) -> None:
        self._kept: OrderedDict[Hashable, str] = OrderedDict()
        self._size = size
        self._shelf = threading.Lock()
        # matplotlib draws on one thread at a time anyway: who waits for it finds the drawing on the shelf.
        self._pen = threading.Lock()

    def get(self, key: Hashable, draw: Callable[[], str]) -> str:
        """Return the drawing of a key, drawn now if it is not there."""
        found = self._find(key)
        if found is not None:
            return found
        with self._pen:
            found = self._find(key)
            if found is None:
                found = draw()
                self._keep(key, found)
        return found

    def _find(self, key: Hashable) -> str | None:
        with self._shelf:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _keep(self, key: Hashable, drawing: str) -> None:
        with self._shelf:
            self._kept[key] = drawing
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        """Return how many drawings are kept."""
        return len(self._kept)
