"""Moments of a week that is over, near enough to now that no clock is doubted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINSK = "Europe/Minsk"


def monday() -> date:
    """Return the Monday of the week before last."""
    today = datetime.now(UTC).astimezone(ZoneInfo(MINSK)).date()
    return today - timedelta(days=today.weekday() + 14)


def at(day: int, hour: int, minute: int = 0, zone: str = MINSK) -> datetime:
    """Return a local time, `day` days after that Monday."""
    return datetime.combine(monday() + timedelta(days=day), time(hour, minute), ZoneInfo(zone)).astimezone(UTC)
