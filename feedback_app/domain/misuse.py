"""What tells a crowd of people from a child's hands on a button: bursts, told from when the responses occurred."""

from __future__ import annotations

import threading
import time
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

FLAG_BURST, FLAG_HELD = "burst", "held"
FLAGS = (FLAG_BURST, FLAG_HELD)
"""What a device may say of its own items."""

MOST = 30
WITHIN = 10.0
"""Seconds: more than MOST responses inside as many are more than hands can give one after another."""
KEPT = 4 * MOST
"""Moments kept for a key, those told last; an old queue and people who tap now share them."""
FORGOTTEN_AFTER = 600.0
"""Seconds without a response after which a key is forgotten."""
KEYS = 5_000


def is_crowded(moments: Sequence[float], at: int) -> bool:
    """Say whether more than MOST of the sorted moments lie within one stretch of WITHIN seconds about `at`."""
    moment = moments[at]
    if bisect_left(moments, moment + WITHIN) - bisect_right(moments, moment - WITHIN) <= MOST:
        return False  # so few are near it at all
    first, last = max(0, at - MOST), min(at, len(moments) - 1 - MOST)
    return first <= last and any(moments[i + MOST] - moments[i] < WITHIN for i in range(first, last + 1))


@dataclass
class _Told:
    """The moments of a key that were not flagged, sorted and as they came, and when it was last asked about."""

    seen: float
    moments: array[float] = field(default_factory=lambda: array("d"))
    as_told: array[float] = field(default_factory=lambda: array("d"))

    def is_beyond(self, moment: float) -> bool:
        """Say whether a moment is one too many; keep it where it is not."""
        at = bisect_right(self.moments, moment)
        self.moments.insert(at, moment)
        if is_crowded(self.moments, at):
            self.moments.pop(at)
            return True
        self.as_told.append(moment)
        if len(self.as_told) > KEPT:
            self.moments.remove(self.as_told.pop(0))
        return False

    def forget(self, moment: float) -> None:
        """Take a moment back; one that was flagged is not there."""
        if moment in self.as_told:
            self.as_told.remove(moment)
            self.moments.remove(moment)


class Bursts:
    """What one server remembers of who sent how much, to flag what no crowd of people can have given.

    Intake asks once for each point of a batch, after known ids are set aside and before the write, with the moments at
    which the responses occurred (an offline queue that arrives at once is no burst); it adds FLAG_BURST to those
    told. Where the write then fails it calls `forget`, so that the same items sent again are not counted twice.
    The key is (device, point), for an unpaired kiosk (None, point). Nothing is kept on disk: after a restart, or with
    several workers, a burst may pass as up to MOST more responses for each of them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: OrderedDict[Hashable, _Told] = OrderedDict()
        self._lock = threading.Lock()

    def flags(self, key: Hashable, moments: Sequence[datetime]) -> list[bool]:
        """Return which responses of a sender at a point are beyond MOST within WITHIN seconds, in any order."""
        seconds = [moment.timestamp() for moment in moments]
        with self._lock:
            told = self._of(key)
            return [told.is_beyond(second) for second in seconds]

    def forget(self, key: Hashable, moments: Sequence[datetime]) -> None:
        """Take back responses that were told and then not stored."""
        with self._lock:
            if key in self._told:
                for moment in moments:
                    self._told[key].forget(moment.timestamp())

    def _of(self, key: Hashable) -> _Told:
        now = self._clock()
        told = self._told.pop(key, None) or _Told(now)
        told.seen = now
        self._told[key] = told
        while len(self._told) > KEYS or next(iter(self._told.values())).seen < now - FORGOTTEN_AFTER:
            self._told.popitem(last=False)
        return told

    def __len__(self) -> int:
        """Return how many senders are remembered."""
        return len(self._told)
