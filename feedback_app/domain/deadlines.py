"""Until when a feedback book entry is answered."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

ANSWER_DAYS: dict[tuple[str, str], int] = {
    ("BY", "complaint"): 15,
    ("BY", "claim"): 15,
    ("BY", "suggestion"): 15,
    ("BY", "thanks"): 15,
    ("RU", "complaint"): 10,
    ("RU", "claim"): 10,
    ("RU", "suggestion"): 10,
    ("RU", "thanks"): 10,
}
"""Calendar days to answer by country and kind; Belarus: Law 300-Z, Russia: Consumer Protection Law, art. 22."""
DEFAULT_DAYS = 15


def due_date(received_on: date, country: str, kind: str) -> date:
    """Return the last day of the term in calendar days; the term begins the day after the receipt."""
    return received_on + timedelta(days=ANSWER_DAYS.get((country, kind), DEFAULT_DAYS))


def month_later(day: date) -> date:
    """Return the same day of the next month, or that month's last (Belarus, Law 300-Z: one month at most)."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, monthrange(year, month)[1]))
