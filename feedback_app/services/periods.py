"""What a reader looks at: a period in the stores' own days, and which stores, channels and touchpoint."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from feedback_app.domain.errors import Invalid, Problem
from feedback_app.domain.journey import CHANNELS

CHAIN_ZONE = "Europe/Minsk"
"""Whose "today" a period of the last days ends with."""
CHOICES = (7, 30, 90)
"""Days of the ready-made periods."""
HOUR = 3600

Bound = date | datetime | None

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOST_PLUS = re.compile(r"(?<=:\d\d) (\d\d:?\d\d)$")


@lru_cache(maxsize=65_536)
def local_hour(hour: int, zone: str) -> datetime:
    """Return the local time at which a UTC hour (hours since 1970) begins."""
    return datetime.fromtimestamp(hour * HOUR, ZoneInfo(zone))


def today(zone: str = CHAIN_ZONE, now: datetime | None = None) -> date:
    """Return the date in a zone."""
    return (now or datetime.now(UTC)).astimezone(ZoneInfo(zone)).date()


@dataclass(frozen=True)
class Period:
    """From start to end: dates are local days of each store, both included; times are moments, the end left out.

    None is open. Counts are kept by UTC hours; an hour belongs to the local day on which it begins.
    """

    start: Bound = None
    end: Bound = None

    @property
    def days(self) -> int | None:
        """Return the number of local days of a period of dates; None for another one."""
        if _is_day(self.start) and _is_day(self.end):
            return (self.end - self.start).days + 1  # type: ignore[operator]
        return None

    def before(self) -> Period | None:
        """Return the period of equal length that ends where this one begins; None where this one is open."""
        if self.start is None or self.end is None:
            return None
        if self.days is not None:
            return Period(self.start - timedelta(days=self.days), self.start - timedelta(days=1))
        start, end = self.moments(CHAIN_ZONE)
        assert start is not None
        assert end is not None
        return Period(start - (end - start), start)

    def moments(self, zone: str) -> tuple[datetime | None, datetime | None]:
        """Return the first moment and the first one after the period, UTC, for a store of this zone."""
        after: Bound = self.end
        if after is not None and _is_day(after):
            after += timedelta(days=1)
        return _moment(self.start, zone), _moment(after, zone)

    def hours(self, zone: str) -> tuple[int | None, int | None]:
        """Return the first whole UTC hour and the first one after the period, for a store of this zone."""
        start, end = self.moments(zone)
        first = None if start is None else math.ceil(start.timestamp() / HOUR)
        if end is None:
            return first, None
        # The hour in which a local day ends (zones off the full hour) belongs to that day; a moment cuts its hour.
        after = math.ceil(end.timestamp() / HOUR) if _is_day(self.end) else math.floor(end.timestamp() / HOUR)
        return first, after if first is None else max(first, after)

    def cut_hours(self) -> list[tuple[datetime, datetime]]:
        """Return the parts of hours, from and before, that moments leave beside the whole hours."""
        start = self.start if isinstance(self.start, datetime) else None
        end = self.end if isinstance(self.end, datetime) else None
        parts = []
        if start is not None and start != _full(start):
            parts.append((start, _full(start) + timedelta(hours=1)))
        if end is not None and end != _full(end):
            parts.append((_full(end), end))
        if start is not None and end is not None and _full(start) == _full(end):
            return [(start, end)] if parts else []
        return parts


def _full(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _is_day(bound: Bound) -> bool:
    return isinstance(bound, date) and not isinstance(bound, datetime)


def _moment(bound: Bound, zone: str) -> datetime | None:
    if bound is None or isinstance(bound, datetime):
        return bound
    return datetime.combine(bound, time(), ZoneInfo(zone)).astimezone(UTC)


def last_days(days: int, until: date) -> Period:
    """Return the period of this many days that ends with `until`, that day included."""
    return Period(until - timedelta(days=days - 1), until)


@dataclass(frozen=True)
class Filters:
    """What is looked at; an empty set of stores or channels is all of them."""

    period: Period = field(default_factory=Period)
    region: str | None = None
    stores: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    touchpoint: str | None = None
    flagged: bool = False


def read_filters(
    args: Mapping[str, str], default_days: int | None = 30, now: datetime | None = None, *, in_utc: bool = False
) -> Filters:
    """Return the filters of an address's query, or raise Invalid with a problem per field.

    `days` (7, 30, 90 or all) or `since` and `until` (ISO date: a local day, both included; ISO time: a moment, the
    end left out), `region`, `store` and `channel` (may repeat), `touchpoint`, `flagged` (exclude or include).
    `default_days` None is an open period. `in_utc` reads a date as its midnight in UTC, the end left out, as the
    export of responses does.
    """
    problems: list[Problem] = []
    period = _period(args, default_days, now, problems)
    if in_utc:
        period = Period(_midnight(period.start), _midnight(period.end))
    if _is_reversed(period):
        problems.append(Problem("until_before_since", "until"))
    channels = frozenset(_many(args, "channel"))
    if not channels <= set(CHANNELS):
        problems.append(Problem("unknown_choice", "channel"))
    flagged = args.get("flagged") or "exclude"
    if flagged not in ("exclude", "include"):
        problems.append(Problem("unknown_choice", "flagged"))
    if problems:
        raise Invalid(problems)
    return Filters(
        period=period,
        region=args.get("region") or None,
        stores=frozenset(_many(args, "store")),
        channels=channels,
        touchpoint=args.get("touchpoint") or None,
        flagged=flagged == "include",
    )


def _midnight(bound: Bound) -> Bound:
    return datetime.combine(bound, time(), UTC) if bound is not None and _is_day(bound) else bound


def _many(args: Mapping[str, str], key: str) -> list[str]:
    getlist = getattr(args, "getlist", None)
    values: Iterable[str] = getlist(key) if getlist else [args.get(key, "")]
    return [value for value in values if value]


def _period(args: Mapping[str, str], default_days: int | None, now: datetime | None, problems: list[Problem]) -> Period:
    if args.get("since") or args.get("until"):
        return Period(_bound(args, "since", problems), _bound(args, "until", problems))
    days = args.get("days") or ("all" if default_days is None else str(default_days))
    if days == "all":
        return Period()
    if days not in {*map(str, CHOICES), str(default_days)}:
        problems.append(Problem("unknown_choice", "days"))
        return Period()
    return last_days(int(days), today(now=now))


def _is_reversed(period: Period) -> bool:
    first, after = period.moments(CHAIN_ZONE)
    return first is not None and after is not None and after <= first


def _bound(args: Mapping[str, str], key: str, problems: list[Problem]) -> Bound:
    raw = (args.get(key) or "").strip()
    if not raw:
        return None
    try:
        if _DAY.fullmatch(raw):
            day = date.fromisoformat(raw)
            if not 1971 <= day.year <= 2999:
                raise ValueError(raw)
            return day
        # The "+" of an offset arrives as a space where an address was not encoded.
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", raw))
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if not 1971 <= moment.year <= 2999:
            raise ValueError(raw)
        return moment
    except (ValueError, OverflowError):
        problems.append(Problem("bad_time", key))
        return None
