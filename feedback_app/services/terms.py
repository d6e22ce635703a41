"""Until when things are to be done, by the chain's settings and the country's calendar.

All days are days of the store's own calendar: whoever calls turns a moment into the store's date first.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain import deadlines
from feedback_app.domain.book_settings import BookSettings
from feedback_app.domain.deadlines import WORKING, Term
from feedback_app.services import book_settings
from feedback_app.services.calendars import days_off

Reader = Session | Connection


def _last_day(settings: BookSettings, received_on: date, term: Term, country: str) -> date:
    moves = settings.move_to_working_day
    return deadlines.last_day(received_on, term, days_off(country), move_to_working_day=moves)


def due_on(reader: Reader, received_on: date, country: str, kind: str) -> date:
    """Return the last day to answer an entry of a kind that was received on a day."""
    return due_by(book_settings.of(reader), received_on, country, kind)


def due_by(settings: BookSettings, received_on: date, country: str, kind: str) -> date:
    """Return the last day to answer an entry by settings that are at hand."""
    return _last_day(settings, received_on, settings.term(country, kind), country)


def extended_until(reader: Reader, received_on: date, country: str, kind: str) -> date | None:
    """Return the last day in all, once a reason is told; None where the law knows no extension.

    Never earlier than without extension.
    """
    settings = book_settings.of(reader)
    longest = settings.longest(country, kind)
    if longest is None:
        return None
    first = due_by(settings, received_on, country, kind)
    return max(first, _last_day(settings, received_on, longest, country))


def forward_due_on(reader: Reader, received_on: date, country: str) -> date:
    """Return the last day to hand an entry on to whom it concerns, and to tell the writer."""
    days = book_settings.of(reader).forward_days
    return deadlines.last_day(received_on, Term(days, WORKING), days_off(country))


def response_due_on(reader: Reader, received_on: date, country: str) -> date:
    """Return the day by which a case that came of a response is to be settled."""
    return response_due_by(book_settings.of(reader), received_on, country)


def response_due_by(settings: BookSettings, received_on: date, country: str) -> date:
    """Return the day by which a case of a response is to be settled, by settings that are at hand."""
    return deadlines.last_day(received_on, Term(settings.response_case_days, WORKING), days_off(country))


def escalate_on(reader: Reader, due: date, country: str, opened_on: date | None = None) -> date:
    """Return the day from which the director is told of a deadline that nobody has met yet."""
    return escalate_by(book_settings.of(reader), due, country, opened_on)


def escalate_by(settings: BookSettings, due: date, country: str, opened_on: date | None = None) -> date:
    """Return the day of the escalation, by settings that are at hand."""
    return deadlines.warning_day(due, settings.escalate_before, days_off(country), opened_on)
