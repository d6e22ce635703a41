"""Moving the last day of a case: extended with a reason, or forwarded to another addressee; the writer is told."""

from __future__ import annotations

import json
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
from feedback_app.services.case_ground import NEW_TERM, Held, day_in, work_on
from feedback_app.storage.database import Database
from feedback_app.storage.tables import BookEntry, Case, RegisterLink


def extend(db: Database, access: Access, case_id: int, version: int, due_on: date | None, reason: str) -> None:
    """Give a case a later last day, and tell its writers why.

    Raises Invalid without a reason, for a day that is not later, past the country's limit, or where the law
    knows no extension.
    """
    written = rules.words_of(reason, "reason", rules.REASON_LIMIT)

    def work(held: Held) -> None:
        _require_open(held)
        last, may_be = last_day(held.connection, held.row, held.store)
        if not may_be:
            raise Invalid([Problem("no_extension", "due_on")])
        day = rules.require_later(due_on, held.row["due_on"], last)
        _move_day(held, "due", day, {"escalated_at": None}, {"reason": written})
        _tell(held, answer_rules.MORE_TIME, {"reason": written}, "reason")

    work_on(db, access, case_id, version, work)


def last_day(reader: terms.Reader, row: Mapping[str, Any], store: Mapping[str, Any]) -> tuple[date | None, bool]:
    """Return the last day to which the term of a case may be extended, and whether it may be extended at all.

    The law speaks of every entry that the case gathers, and the earliest of their days counts; of what is no entry
    it does not speak, and the day is None.
    """
    cases = Case.__table__
    gathered = sa.or_(cases.c.id == row["id"], cases.c.joined_to == row["id"])
    kind = BookEntry.__table__.c.kind.label("kind")
    query = sa.select(cases, kind).join(BookEntry.__table__, BookEntry.__table__.c.id == cases.c.entry_id)
    days = [
        terms.extended_until(reader, received_on(reader, one, store["timezone"]), store["country"], one["kind"])
        for one in reader.execute(query.where(gathered)).mappings().all()
    ]
    known = [day for day in days if day is not None]
    return min(known, default=None), len(known) == len(days)


def received_on(reader: terms.Reader, row: Mapping[Any, Any], timezone: str) -> date:
    """Return the day from which the term of a case runs.

    That of its last reopening after an answer; else that on which its entry was written, in the paper book where it
    was copied from there; else that of its opening.
    """
    links, entries = RegisterLink.__table__, BookEntry.__table__
    mine = sa.and_(links.c.case_id == row["id"], links.c.kind == rules.REOPENED)
    for link in reader.execute(sa.select(links.c.at, links.c.facts).where(mine).order_by(links.c.position.desc())):
        if json.loads(link.facts).get(NEW_TERM):
            return day_in(link.at, timezone)
    query = sa.select(entries.c.paper_on, entries.c.created_at).where(entries.c.id == row["entry_id"])
    entry = None if row["entry_id"] is None else reader.execute(query).first()
    if entry is None:
        return day_in(row["opened_at"], timezone)
    written = day_in(entry.created_at, timezone)
    return min(entry.paper_on or written, written)


def forward(db: Database, access: Access, case_id: int, version: int, addressee: str) -> None:
    """Forward a case to another addressee: it waits with a last day of its own, and its writers are told."""
    written = rules.words_of(addressee, "addressee", rules.ADDRESSEE_LIMIT)

    def work(held: Held) -> None:
        _require_open(held)
        day = _forwarded_until(held)
        values = {"status": rules.WAITING, "forwarded_to": written, "escalated_at": None}
        _move_day(held, "forwarded", day, values, None)
        if address := answer_rules.address_of(written):
            letters.queue_forwarded(held.connection, held.id, address, None, held.at)
        _tell(held, answer_rules.FORWARDED, {"addressee": written}, "addressee")

    work_on(db, access, case_id, version, work)


def _forwarded_until(held: Held) -> date:
    """Return the last day of what is forwarded.

    Forwarding brings no time where it is overdue, was forwarded before, or gathers what the law does not extend.
    """
    day, before = terms.forward_due_on(held.connection, held.today, held.store["country"]), held.row["due_on"]
    if before is None:
        return day
    fixed = before < held.today or held.row["forwarded_to"] or not last_day(held.connection, held.row, held.store)[1]
    return min(day, before) if fixed else day


def _require_open(held: Held) -> None:
    if held.row["status"] not in rules.OPEN:
        raise DomainError("no_such_move", status=held.row["status"])


def _move_day(held: Held, kind: str, day: date, values: Mapping[str, Any], words: Mapping[str, str] | None) -> None:
    told = {"from": plain(held.row["due_on"]), "to": plain(day)}
    held.change(kind, {**values, "due_on": day}, told=told, words=words)


def _tell(held: Held, use: str, more: Mapping[str, str], field: str) -> None:
    """Tell every writer of a case, by the chain's template for it, as an interim answer.

    Raises Invalid at `field` where what was written there would tell one writer of another.
    """
    for entry, others in answers.with_others(held):
        text = answer_templates.of_use(held.connection, use, answers.language_of(entry))
        places = answers.places_of(held, entry, more)
        answer_rules.require_own_name(answer_rules.fill(text, {**places, "name": None}), others, field)
        answers.tell(held, entry, answer_rules.fill(text, places), told={"interim": True})
