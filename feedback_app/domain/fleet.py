"""Which kiosks need a hand: what is told from their last heartbeat and the hours of their store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

SILENT_WHILE_OPEN = timedelta(minutes=15)
"""Three heartbeats missed and a restart; counted from the opening, for the cleaner unplugs at night."""
SILENT_AT_ALL = timedelta(hours=24)
"""Over night and over a day off a kiosk may be switched off; not longer."""
QUEUE_LIMIT = 1_000
"""A day of taps at a busy checkout: what is more was not delivered for a day."""
STORAGE_LIMIT = 0.8
"""A browser that runs short of storage begins to throw away."""
QUEUE_AGE = timedelta(days=1)
OUTDATED_AFTER = timedelta(days=1)
"""A kiosk takes a new version when it is next idle: one that has not yet is no alarm."""
SKEW_LIMIT_MS = 2 * 60 * 1_000
"""Delivered times are corrected; a clock this wrong says that nobody sets it, and spoils what is collected offline."""


class State(StrEnum):
    """Something that is not as it should be, the gravest first."""

    SILENT = "silent"
    FULL = "full"
    QUARANTINE = "quarantine"
    WRONG_CLOCK = "wrong_clock"
    NEVER_SEEN = "never_seen"
    OUTDATED = "outdated"
    UNPROTECTED = "unprotected"


NEEDS_A_HAND = frozenset(State) - {State.UNPROTECTED}
"""Storage that the browser may clear is a risk to know of; as long as all else is well nobody has to go there."""


@dataclass(frozen=True)
class Facts:
    """What is known of a kiosk; None where it did not say."""

    zone: str
    opens: int
    closes: int
    paired_at: datetime
    seen_at: datetime | None = None
    queue_length: int = 0
    oldest_queued_at: datetime | None = None
    quarantined: int = 0
    app_version: str | None = None
    storage_persisted: bool | None = None
    storage_used: int | None = None
    storage_quota: int | None = None
    skew_ms: int | None = None


@dataclass(frozen=True)
class Shell:
    """The version of the kiosk page that the server hands out, and since when."""

    version: str
    since: datetime


def open_since(zone: str, opens: int, closes: int, now: datetime) -> datetime | None:
    """Return since when a store has been open; None while it is closed. The same hour twice is round the clock."""
    local = now.astimezone(ZoneInfo(zone))
    if opens % 24 == closes % 24:
        return now - SILENT_AT_ALL
    over_midnight = closes % 24 < opens and closes != 24
    opened = local.replace(hour=opens % 24, minute=0, second=0, microsecond=0)
    if over_midnight and local.hour < closes:
        return opened - timedelta(days=1)
    is_open = local.hour >= opens and (over_midnight or local.hour < closes)
    return opened if is_open else None


def _is_silent(facts: Facts, seen_at: datetime, now: datetime) -> bool:
    if now - seen_at >= SILENT_AT_ALL:
        return True
    opened = open_since(facts.zone, facts.opens, facts.closes, now)
    return opened is not None and now - max(seen_at, opened) >= SILENT_WHILE_OPEN


def storage_share(facts: Facts) -> float | None:
    """Return which part of its storage a kiosk has used; None where it did not say."""
    if facts.storage_used is None or not facts.storage_quota:
        return None
    return facts.storage_used / facts.storage_quota


def _is_full(facts: Facts, seen_at: datetime) -> bool:
    waits_long = facts.oldest_queued_at is not None and seen_at - facts.oldest_queued_at > QUEUE_AGE
    share = storage_share(facts)
    return facts.queue_length > QUEUE_LIMIT or waits_long or (share is not None and share > STORAGE_LIMIT)


def _is_outdated(facts: Facts, seen_at: datetime, shell: Shell | None) -> bool:
    if shell is None or facts.app_version is None:
        return False
    return facts.app_version != shell.version and seen_at - shell.since > OUTDATED_AFTER


def states(facts: Facts, now: datetime, shell: Shell | None = None) -> frozenset[State]:
    """Return what is not as it should be with a kiosk; nothing for one that is well or was paired just now."""
    seen_at = facts.seen_at
    if seen_at is None:
        return frozenset({State.NEVER_SEEN} if now - facts.paired_at >= SILENT_WHILE_OPEN else ())
    found = {
        State.SILENT: _is_silent(facts, seen_at, now),
        State.FULL: _is_full(facts, seen_at),
        State.QUARANTINE: facts.quarantined > 0,
        State.WRONG_CLOCK: abs(facts.skew_ms or 0) > SKEW_LIMIT_MS,
        State.OUTDATED: _is_outdated(facts, seen_at, shell),
        State.UNPROTECTED: facts.storage_persisted is False,
    }
    return frozenset(state for state, holds in found.items() if holds)


def in_order(found: frozenset[State]) -> tuple[State, ...]:
    """Return states, the gravest first."""
    return tuple(state for state in State if state in found)
