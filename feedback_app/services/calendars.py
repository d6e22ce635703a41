"""Which days are off in a country: weekends and public holidays, without Saturdays that a decree made working days."""

from __future__ import annotations

import logging
from datetime import date
from functools import cache

from holidays import country_holidays

COUNTRIES = ("BY", "RU")
"""Countries whose public holidays are known; elsewhere weekends alone are off."""
SATURDAY = 5
Known = tuple[frozenset[date], frozenset[date]]
log = logging.getLogger(__name__)


@cache
def _year(country: str, year: int) -> Known:
    """Return the public holidays of a year, and its weekend days on which people work."""
    if country not in COUNTRIES:
        return frozenset(), frozenset()
    try:
        found = country_holidays(country, years=year)
    except Exception:
        # A library that fails must not keep an entry from being written: the term is then counted by weekends alone.
        log.exception("the holidays of %s in %s are not known", country, year)
        return frozenset(), frozenset()
    public = frozenset(day for day in found if day.year == year)
    return public, frozenset(day for day in found.weekend_workdays if day.year == year) - public


class Calendar:
    """The days off of a country, to be asked with `in`."""

    def __init__(self, country: str) -> None:
        self.country = country

    def __contains__(self, day: object) -> bool:
        """Say whether a day is off."""
        if not isinstance(day, date):
            return False
        public, worked = _year(self.country, day.year)
        return day in public or (day.weekday() >= SATURDAY and day not in worked)


@cache
def days_off(country: str) -> Calendar:
    """Return the days off of a country by its code, ISO 3166."""
    return Calendar(country)
