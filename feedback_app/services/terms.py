"""Until when things are to be done, by the chain's settings and the country's calendar."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain import deadlines

Reader = Session | Connection


def due_on(_reader: Reader, received_on: date, country: str, kind: str) -> date:
    """Return the last day to answer an entry of a kind that was received on a day."""
    return deadlines.due_date(received_on, country, kind)


def extended_until(_reader: Reader, received_on: date, country: str, _kind: str) -> date | None:
    """Return the last day to which the term of an entry may be extended; None where the law knows no extension."""
    return deadlines.month_later(received_on) if country == "BY" else None


def forward_due_on(_reader: Reader, received_on: date, _country: str) -> date:
    """Return the last day to hand an entry on to whom it concerns, and to tell the writer."""
    return received_on + timedelta(days=7)
