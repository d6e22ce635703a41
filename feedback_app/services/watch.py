"""What the clock looks at: deadlines to escalate, deadlines of today, the register's heads of the day.

Everything here may be done again, and by two programs at once: a case is escalated by whoever marks it first, and a
letter's key says what it is about.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain.cases import OPEN
from feedback_app.services import book_settings, letters, terms
from feedback_app.services.periods import CHAIN_ZONE, today
from feedback_app.services.register import keeper_of
from feedback_app.storage import register
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Case, Store

ESCALATED = "escalated"
"""The kind of link that tells of it."""
ACTOR = "system"
AHEAD = timedelta(days=75)
"""No more days than this lie before a deadline of which somebody is told: 30 working days and all holidays."""
FIRST_HOUR = 7
"""In the store's time: nobody is reminded at night."""
log = logging.getLogger(__name__)
_cases, _stores = Case.__table__, Store.__table__


class _Due(NamedTuple):
    """A case that waits, with what its deadline depends on."""

    id: int
    due_on: date
    timezone: str
    country: str
    opened_at: datetime | None = None

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.timezone))


PLAIN = (_cases.c.id, _cases.c.due_on, _stores.c.timezone, _stores.c.country)


def _waiting(
    connection: Connection, columns: tuple[sa.Column[Any], ...], until: date, *more: sa.ColumnElement[bool]
) -> list[_Due]:
    """Return the cases that wait; one with a value that cannot be read is left out and keeps no other."""
    joined = _cases.join(_stores, _stores.c.id == _cases.c.store_id)
    query = sa.select(*columns).select_from(joined)
    where = (_cases.c.status.in_(OPEN), _cases.c.due_on <= until, *more)
    order = (_cases.c.store_id, _cases.c.id)
    try:
        return [_Due(*row) for row in connection.execute(query.where(*where).order_by(*order))]
    except Exception:
        log.warning("the cases that wait cannot be read together, each is read alone")
    ids = connection.execute(sa.select(_cases.c.id).select_from(joined).where(*where).order_by(*order)).scalars().all()
    found = []
    for case_id in ids:
        try:
            found += [_Due(*row) for row in connection.execute(query.where(_cases.c.id == case_id))]
        except Exception:
            log.exception("case %s cannot be read", case_id)
    return found


def _those(found: list[_Due], wanted: Callable[[_Due], bool]) -> list[_Due]:
    """Return the cases for which something holds; one for which it cannot be told is left out."""
    chosen = []
    for due in found:
        try:
            if wanted(due):
                chosen.append(due)
        except Exception:
            log.exception("case %s cannot be looked at", due.id)
    return chosen


def look(db: Database, moment: datetime) -> int:
    """Do all that is due by a moment; return how many letters were queued. One part that fails keeps no other."""
    count = 0
    for part in (escalate_due, remind_due, tell_heads):
        try:
            count += part(db, moment)
        except Exception:
            log.exception("%s failed", part.__name__)
    return count


# --- escalation -------------------------------------------------------------------------------------------------


def escalate_due(db: Database, moment: datetime) -> int:
    """Tell the directors of every case whose deadline is near and that nobody has answered; return how many cases.

    Each case once for its deadline, with a link in the register, in a transaction of its own.
    """
    keeper_of(db)
    with db.engine.connect() as connection:
        settings = book_settings.of(connection)
        columns = (*PLAIN, _cases.c.opened_at)
        near = _waiting(connection, columns, moment.date() + AHEAD, _cases.c.escalated_at.is_(None))

    def wanted(due: _Due) -> bool:
        opened_on = None if due.opened_at is None else due.local(due.opened_at).date()
        return terms.escalate_by(settings, due.due_on, due.country, opened_on) <= due.local(moment).date()

    return sum(_escalate(db, due, moment) for due in _those(near, wanted))


def _escalate(db: Database, due: _Due, moment: datetime) -> bool:
    keeper = keeper_of(db)

    def work(connection: Connection) -> bool:
        still = (_cases.c.id == due.id, _cases.c.status.in_(OPEN), _cases.c.escalated_at.is_(None))
        mark = sa.update(_cases).where(*still, _cases.c.due_on == due.due_on)
        values = {"escalated_at": moment, "version": _cases.c.version + 1}
        if connection.execute(mark.values(values)).rowcount != 1:
            return False  # answered, put off or escalated meanwhile
        register.append_case(connection, keeper, due.id, ESCALATED, moment, ACTOR)
        letters.queue_escalated(connection, due.id, moment)
        return True

    try:
        return db.write(work)
    except Exception:
        log.exception("case %s could not be escalated", due.id)
        return False


# --- reminders --------------------------------------------------------------------------------------------------


def remind_due(db: Database, moment: datetime) -> int:
    """Remind who works on a case on its last day, from seven in the morning there; return how many letters."""
    with db.engine.connect() as connection:
        dates = _cases.c.due_on >= moment.date() - timedelta(days=1)
        found = _waiting(connection, PLAIN, moment.date() + timedelta(days=1), dates)

    def ends(due: _Due) -> bool:
        local = due.local(moment)
        return local.date() == due.due_on and local.hour >= FIRST_HOUR

    last = _those(found, ends)
    if not last:
        return 0
    return db.write(lambda connection: sum(_remind(connection, due, moment) for due in last))


def _remind(connection: Connection, due: _Due, moment: datetime) -> int:
    try:
        with connection.begin_nested():
            return letters.queue_due(connection, due.id, due.due_on, moment)
    except Exception:
        log.exception("nobody could be reminded of case %s", due.id)
        return 0


# --- heads ------------------------------------------------------------------------------------------------------


def tell_heads(db: Database, moment: datetime) -> int:
    """Queue the register's heads once a day to the addresses of the settings; return how many letters."""
    settings = book_settings.settings_of(db)
    if not settings.heads_daily or not settings.heads_to:
        return 0
    day = today(CHAIN_ZONE, moment)

    def work(connection: Connection) -> int:
        heads = _heads(connection)
        return letters.queue_heads(connection, day, settings.heads_to, heads, None, moment) if heads else 0

    return db.write(work)


def _heads(connection: Connection) -> list[tuple[Any, ...]]:
    codes = {row.id: row.code for row in connection.execute(sa.select(_stores.c.id, _stores.c.code))}
    found = register.heads(connection)
    return sorted((codes.get(head.store_id, f"#{head.store_id}"), head.count, head.link) for head in found)
