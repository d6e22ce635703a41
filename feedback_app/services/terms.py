"""Until when things are to be done, by the chain's settings and the country's calendar."""

from __future__ import annotations

from datetime import date

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain import deadlines

Reader = Session | Connection


def due_on(_reader: Reader, received_on: date, country: str, kind: str) -> date:
    """Return the last day to answer an entry of a kind that was received on a day."""
    return deadlines.due_date(received_on, country, kind)
