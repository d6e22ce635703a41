"""Moving the last day of a case: extended with a reason, or forwarded to another addressee; the writer is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from feedback_app.domain import answers as answer_rules
from feedback_app.domain import cases as rules
from feedback_app.domain.access import Access
from feedback_app.domain.errors import DomainError, Invalid, Problem
from feedback_app.domain.register import plain
from feedback_app.services import answer_templates, answers, letters, terms
from feedback_app.services.case_ground import Held, day_in, entries_of, work_on
from feedback_app.storage.database import Database
from feedback_app.storage.tables import RegisterLink


def extend(db: Database, access: Access, case_id: int, version: int, due_on: date | None, reason: str) -> None:
    """Give a case a later last day, and tell its writers why.

    Raises Invalid without a reason, for a day that is not later, past the country's limit, or where the law
    knows no extension.
    """
    written = rules.words_of(reason, "reason", rules.REASON_LIMIT)

    def work(held: Held) -> None:
        _require_open(held)
        last = last_day(held.connection, held.row, held.store)
        if last is None and held.row["entry_id"] is not None:
            raise Invalid([Problem("no_extension", "due_on")])
        day = rules.require_later(due_on, held.row["due_on"], last)
        _move_day(held, "due", day, {"escalated_at": None}, {"reason": written})
        _tell(held, answer_rules.MORE_TIME, {"reason": written})

    work_on(db, access, case_id, version, work)


def last_day(reader: terms.Reader, row: Mapping[str, Any], store: Mapping[str, Any]) -> date | None:
    """Return the last day to which the term of a case may be extended.

    None for an entry where the law knows no extension, and for what is no entry: no law speaks of that.
    """
    if row["entry_id"] is None:
        return None
    received = received_on(reader, row, store["timezone"])
    return terms.extended_until(reader, received, store["country"], row["reason"])


def received_on(reader: terms.Reader, row: Mapping[str, Any], timezone: str) -> date:
    """Return the day from which the term of a case runs: that of its opening, or of its last reopening."""
    links = RegisterLink.__table__
    mine = sa.and_(links.c.case_id == row["id"], links.c.kind == rules.REOPENED)
    reopened = reader.execute(sa.select(sa.func.max(links.c.at)).where(mine)).scalar()
    return day_in(reopened or row["opened_at"], timezone)


def forward(db: Database, access: Access, case_id: int, version: int, addressee: str) -> None:
    """Forward a case to another addressee: it waits with a last day of its own, and its writers are told."""
    written = rules.words_of(addressee, "addressee", rules.ADDRESSEE_LIMIT)

    def work(held: Held) -> None:
        _require_open(held)
        day = terms.forward_due_on(held.connection, held.today, held.store["country"])
        values = {"status": rules.WAITING, "forwarded_to": written, "escalated_at": None}
        _move_day(held, "forwarded", day, values, None)
        if address := answer_rules.address_of(written):
            letters.queue_forwarded(held.connection, held.id, address, None, held.at)
        _tell(held, answer_rules.FORWARDED, {"addressee": written})

    work_on(db, access, case_id, version, work)


def _require_open(held: Held) -> None:
    if held.row["status"] not in rules.OPEN:
        raise DomainError("no_such_move", status=held.row["status"])


def _move_day(held: Held, kind: str, day: date, values: Mapping[str, Any], words: Mapping[str, str] | None) -> None:
    told = {"from": plain(held.row["due_on"]), "to": plain(day)}
    held.change(kind, {**values, "due_on": day}, told=told, words=words)


def _tell(held: Held, use: str, more: Mapping[str, str]) -> None:
    """Tell every writer of a case, by the chain's template for it, as an interim answer."""
    for entry in entries_of(held):
        text = answer_templates.of_use(held.connection, use, answers.language_of(entry))
        filled = answer_rules.fill(text, answers.places_of(held, entry, more))
        answers.tell(held, entry, filled, told={"interim": True})
