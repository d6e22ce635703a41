"""The chain's settings of the feedback book: read in the transactions that need them, changed by the administrator."""

from __future__ import annotations

from time import monotonic

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain import book_settings
from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.domain.book_settings import BookSettings
from feedback_app.services.clock import now
from feedback_app.storage import house
from feedback_app.storage.database import Database

SETTING = "book"
AGE = 1.0
"""Seconds: every delivery with words asks; another process's change counts after this at the latest."""
Reader = Session | Connection


def of(reader: Reader) -> BookSettings:
    """Return the settings as the reader's transaction sees them."""
    return book_settings.parse(house.get_setting(reader, SETTING) or {})


def settings_of(db: Database) -> BookSettings:
    """Return the settings, at most a second old."""
    read_at, settings = db.memory.get(SETTING, (None, None))
    if read_at is None or monotonic() - read_at > AGE:
        with db.read(SYSTEM) as session:
            settings = of(session)
        db.memory[SETTING] = (monotonic(), settings)
    found: BookSettings = settings
    return found


def save(db: Database, access: Access, wanted: BookSettings) -> None:
    """Keep the settings; what changed is told to the audit trail. Entries keep the deadline of their receipt."""
    access.require(Right.MANAGE_BOOK)

    def work(connection: Connection) -> None:
        before, after = of(connection).stored(), wanted.stored()
        changed = {name: after[name] for name in after if after[name] != before[name]}
        if changed:
            house.put_setting(connection, SETTING, after)
            house.audit(connection, now(), access.actor, "book.settings", "chain", changed)

    db.write(work)
    db.memory.pop(SETTING, None)
