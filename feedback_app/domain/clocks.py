"""When a response was given, told from clocks that may be wrong: wall clock, monotonic clock, sequence, heartbeats.

One principle: counters cannot be set wrong, so they bound the time of a response; a wall clock is believed inside
those bounds and nowhere else. The reasons stand in docs/decisions/0013-clocks.md.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

NOTHING = timedelta(0)
TOLERANCE = timedelta(minutes=1)
"""How far two clocks may differ and still agree; less is the way of the request."""
FUTURE_TOLERANCE = timedelta(hours=1)
PAST_TOLERANCE = timedelta(days=366)
WELL_KNOWN = timedelta(days=1)
"""How wide a window may be for a response in it to count as well placed."""

FLAG_TIME = "implausible_time"
BY_SKEW, BY_MONOTONIC, BY_SEQUENCE, BY_RECEIPT = "skew", "monotonic", "sequence", "receipt"

BOOT_ID_LENGTH = 64
_MILLISECOND = timedelta(milliseconds=1)
_TOLERANCE_MS = TOLERANCE / _MILLISECOND
_LONGEST_MS = PAST_TOLERANCE / _MILLISECOND
_NUMBERS = (int, float)
_LARGEST_COUNT = 2**53


class Reading(NamedTuple):
    """What a device's clocks showed at one moment.

    `wall` is its clock of the day, which may be set wrong and jump; `monotonic_ms` counts milliseconds since its
    program began and never jumps; `boot_id` names that run of the program; `sequence` counts the device's items.
    """

    wall: datetime | None = None
    boot_id: str | None = None
    monotonic_ms: float | None = None
    sequence: int | None = None


class Beat(NamedTuple):
    """A heartbeat: a moment of the server's clock and where the device's counters stood at it."""

    received_at: datetime
    boot_id: str
    monotonic_ms: float
    sequence: int


class Placed(NamedTuple):
    """When a response counts, what is wrong with that, and what it was told by.

    `skew_ms` is by how much the sender's clock was behind the server's at the sending; `placed_by` is empty where the
    device's clock alone told the time.
    """

    occurred_at: datetime
    flags: tuple[str, ...] = ()
    skew_ms: int | None = None
    placed_by: str | None = None


_NO_CLOCKS = Reading()


def _no_beats() -> Sequence[Beat]:
    return ()


@dataclass(frozen=True)
class Sent:
    """A delivery: when the server got it, what the device's clocks showed then, and the heartbeats known of it.

    `beats` is asked only where the delivery's own clocks do not tell enough; they come in the order of their receipt.
    """

    received_at: datetime
    reading: Reading = _NO_CLOCKS
    beats: Callable[[], Sequence[Beat]] = _no_beats

    @cached_property
    def skew(self) -> timedelta | None:
        """Return by how much the device's clock was behind; None where it was not told."""
        return None if self.reading.wall is None else self.received_at - self.reading.wall

    @cached_property
    def correction(self) -> timedelta | None:
        """Return the skew where it is more than the way of a request takes."""
        return None if self.skew is None or abs(self.skew) <= TOLERANCE else self.skew

    @cached_property
    def skew_ms(self) -> int | None:
        """Return the skew in whole milliseconds."""
        return None if self.skew is None else self.skew // _MILLISECOND

    @cached_property
    def history(self) -> _History:
        """Return the heartbeats before this delivery, asked for once."""
        return _History([beat for beat in self.beats() if beat.received_at <= self.received_at])


class _History:
    """The heartbeats of a device since its counting last began anew, to be searched by sequence and within a run."""

    def __init__(self, beats: Sequence[Beat]) -> None:
        start = max((i for i in range(1, len(beats)) if beats[i].sequence < beats[i - 1].sequence), default=0)
        self._beats = beats[start:]
        self._runs: dict[str, list[Beat]] = {}
        for beat in self._beats:
            self._runs.setdefault(beat.boot_id, []).append(beat)

    def around(self, sequence: int) -> tuple[Beat | None, Beat | None]:
        """Return the last heartbeat before an item was given its number, and the first after."""
        return _neighbours(self._beats, bisect_left(self._beats, sequence, key=lambda beat: beat.sequence))

    def around_in_run(self, boot_id: str, monotonic_ms: float) -> tuple[Beat | None, Beat | None]:
        """Return the last heartbeat of a run before a moment of it, and the first after."""
        run = self._runs.get(boot_id, [])
        return _neighbours(run, bisect_right(run, monotonic_ms, key=lambda beat: beat.monotonic_ms))


def _neighbours(beats: Sequence[Beat], place: int) -> tuple[Beat | None, Beat | None]:
    return (beats[place - 1] if place else None, beats[place] if place < len(beats) else None)


def _is_count(value: Any) -> bool:
    # The type itself, as a boolean is an integer to Python and no count.
    return type(value) in _NUMBERS and 0 <= value <= _LARGEST_COUNT


def read(raw: Mapping[str, Any], wall: datetime | None) -> Reading:
    """Return the clocks that an item, a delivery or a heartbeat names beside its wall clock; bad ones are ignored."""
    boot_id, monotonic_ms, sequence = raw.get("boot_id"), raw.get("monotonic_ms"), raw.get("sequence")
    if not (isinstance(boot_id, str) and 0 < len(boot_id) <= BOOT_ID_LENGTH and boot_id.isprintable()):
        boot_id = None
    if not _is_count(monotonic_ms):
        monotonic_ms = None
    if not (isinstance(sequence, int) and _is_count(sequence)):
        sequence = None
    return Reading(wall, boot_id, monotonic_ms, sequence)


# --- the rule; an age is how long before the receipt a thing happened --------------------------------------------


_Told = tuple[timedelta, str | None]
"""An age, and what it was told by."""


@dataclass(frozen=True)
class _Bounds:
    """Between which ages a response lies, and the readings of its own run's counter, the nearest first."""

    youngest: timedelta = NOTHING
    oldest: timedelta = PAST_TOLERANCE
    counted: tuple[timedelta, ...] = ()

    def hold(self, age: timedelta) -> bool:
        """Say whether a wall clock's age can be true; only against the bare receipt it may be an hour ahead."""
        ahead = FUTURE_TOLERANCE if self.youngest <= NOTHING else TOLERANCE
        behind = TOLERANCE if self.oldest < PAST_TOLERANCE else NOTHING
        return self.youngest - ahead <= age <= self.oldest + behind

    def nearest(self, age: timedelta) -> timedelta:
        """Return the age, or the bound that it oversteps."""
        return max(self.youngest, min(age, self.oldest))


_NO_BOUNDS = _Bounds()


def place(claim: Reading, sent: Sent) -> Placed:
    """Return when a response counts: never after its receipt, and never refused, whatever its clocks say."""
    walls = _by_wall(claim, sent)
    if walls and _counters_agree(walls[0][0], claim, sent.reading):
        return _placed(sent, *walls[0])
    elapsed = _elapsed(claim, sent.reading)
    bounds = _NO_BOUNDS if elapsed is None else _Bounds(elapsed, counted=(elapsed,))
    if elapsed is not None or _other_run(claim, sent.reading) or not (walls and bounds.hold(walls[0][0])):
        bounds = _bounds(claim, sent, bounds)
    for age, by in walls:
        if bounds.hold(age):
            return _placed(sent, age, by)
    if bounds.counted:
        return _placed(sent, bounds.nearest(bounds.counted[0]), BY_MONOTONIC)
    if bounds.oldest < PAST_TOLERANCE:
        width = bounds.oldest - bounds.youngest
        age = bounds.nearest(bounds.oldest - width * _share(claim, sent))
        return _placed(sent, age, BY_SEQUENCE, well=width <= WELL_KNOWN)
    return _placed(sent, bounds.nearest(NOTHING), BY_RECEIPT, well=False)


def _placed(sent: Sent, age: timedelta, by: str | None, *, well: bool = True) -> Placed:
    occurred_at = sent.received_at - age if age > NOTHING else sent.received_at
    return Placed(occurred_at, () if well else (FLAG_TIME,), sent.skew_ms, by)


def _by_wall(claim: Reading, sent: Sent) -> tuple[_Told, ...]:
    """Return the ages that the wall clock tells, the likelier first.

    A skew beyond a year is that of a clock that tells no time at all, unless its run is still the same. In another
    run the clock may have been another's too: then the claim as it stands is the second guess.
    """
    if claim.wall is None:
        return ()
    age, correction = sent.received_at - claim.wall, sent.correction
    if correction is None:
        return ((age, None),)
    corrected: _Told = (age - correction, BY_SKEW)
    if claim.boot_id is not None and claim.boot_id == sent.reading.boot_id:
        return (corrected,)
    if abs(correction) > PAST_TOLERANCE:
        return ((age, None),)
    return (corrected, (age, None)) if _other_run(claim, sent.reading) else (corrected,)


def _counters_agree(age: timedelta, claim: Reading, sending: Reading) -> bool:
    """Say whether wall and monotonic clock of one run tell the same: with a right clock nothing more is asked."""
    if claim.boot_id is None or claim.boot_id != sending.boot_id:
        return False
    if claim.monotonic_ms is None or sending.monotonic_ms is None:
        return False
    elapsed_ms = sending.monotonic_ms - claim.monotonic_ms
    return 0 <= elapsed_ms <= _LONGEST_MS and abs(age / _MILLISECOND - elapsed_ms) <= _TOLERANCE_MS


def _other_run(claim: Reading, sending: Reading) -> bool:
    return claim.boot_id is not None and sending.boot_id is not None and claim.boot_id != sending.boot_id


def _elapsed(claim: Reading, sending: Reading) -> timedelta | None:
    """Return how long before the sending an item of the same run was made; the true time is that or longer."""
    if claim.boot_id is None or claim.boot_id != sending.boot_id:
        return None
    return _between(claim.monotonic_ms, sending.monotonic_ms)


def _between(earlier_ms: float | None, later_ms: float | None) -> timedelta | None:
    """Return the time between two readings of one counter; None where there is none that can be true."""
    if earlier_ms is None or later_ms is None or not 0 <= later_ms - earlier_ms <= _LONGEST_MS:
        return None
    return timedelta(milliseconds=later_ms - earlier_ms)


def _bounds(claim: Reading, sent: Sent, plain: _Bounds) -> _Bounds:
    """Return what the heartbeats add to the delivery's own bounds; nothing where they contradict each other."""
    youngest, oldest = [plain.youngest], [plain.oldest]
    counted = [(age, age) for age in plain.counted]
    if claim.sequence is not None:
        before, after = sent.history.around(claim.sequence)
        oldest += [sent.received_at - before.received_at] if before else []
        youngest += [sent.received_at - after.received_at] if after else []
    if claim.boot_id is not None and claim.monotonic_ms is not None:
        before, after = sent.history.around_in_run(claim.boot_id, claim.monotonic_ms)
        since = _between(before.monotonic_ms, claim.monotonic_ms) if before else None
        until = _between(claim.monotonic_ms, after.monotonic_ms) if after else None
        if before is not None and since is not None:
            oldest.append(sent.received_at - before.received_at - since)
            counted.append((since, oldest[-1]))
        if after is not None and until is not None:
            youngest.append(sent.received_at - after.received_at + until)
            counted.append((until, youngest[-1]))
    found = _Bounds(max(youngest), min(oldest), tuple(age for _, age in sorted(counted)))
    if found.youngest > found.oldest + TOLERANCE:
        return plain
    return found


def _share(claim: Reading, sent: Sent) -> float:
    """Return how far through its window an item lies, by its number among those collected there; else the middle."""
    if claim.sequence is None:
        return 0.5
    before, after = sent.history.around(claim.sequence)
    last = after.sequence if after else sent.reading.sequence
    if before is None or last is None or last < claim.sequence:
        return 0.5
    return (claim.sequence - before.sequence) / (last - before.sequence + 1)
