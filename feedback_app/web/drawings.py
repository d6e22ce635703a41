"""Keeping what is drawn: one drawing for the same numbers and words, by whatever thread asks first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

SHELF_SIZE = 1_000
"""Drawings kept; one is 5 to 60 KiB."""
READY, DRAWN, FAILED = "ready", "drawn", "failed"
"""What a process that draws says, each with a text: nothing, the markup, the traceback."""


Options = tuple[tuple[str, Any], ...]


class NotDrawnError(Exception):
    """A chart that could not be drawn, or not in time; the page comes without it."""


@dataclass(frozen=True)
class Order:
    """One chart to be drawn: finished numbers and words, plain data that another process can take.

    `chart` names a function of `analysis.charts`, `content` and `options` are what it is given. What is drawn follows
    from the order alone, which is why the order is also what the drawing is kept under.
    """

    chart: str
    content: tuple[Any, ...]
    options: Options
    title: str
    description: str
    prefix: str


Draw = Callable[[Order], str]
"""Returns the markup of a chart, or raises NotDrawnError."""


class Shelf:
    """A cache of the least recently used kind, safe among threads; a drawing is made once however many ask for it."""

    def __init__(self, draw: Draw, size: int = SHELF_SIZE) -> None:
        self._draw = draw
        self._size = size
        self._kept: OrderedDict[Order, str] = OrderedDict()
        self._under_way: dict[Order, Future[str]] = {}
        self._lock = threading.Lock()

    def get(self, order: Order) -> str:
        """Return the drawing of an order, drawn now if it is not there."""
        with self._lock:
            found = self._kept.get(order)
            if found is not None:
                self._kept.move_to_end(order)
                return found
            awaited = self._under_way.get(order)
            if awaited is None:
                mine = self._under_way[order] = Future()
        if awaited is not None:
            return awaited.result()
        return self._drawn(order, mine)

    def _drawn(self, order: Order, mine: Future[str]) -> str:
        try:
            drawing = self._draw(order)
        except BaseException as error:
            with self._lock:
                del self._under_way[order]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._under_way[order]
            self._kept[order] = drawing
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        mine.set_result(drawing)
        return drawing

    def __len__(self) -> int:
        """Return how many drawings are kept."""
        return len(self._kept)
