"""Answering the entries of a case: a draft, a second person where the settings ask for one, and out to the writers.

What was sent stands in the register alone, one link for each writer; a draft's text is not kept beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from babel.dates import format_date
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain import answers as rules
from feedback_app.domain import cases
from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import DomainError, Invalid, NotFound, Problem
from feedback_app.domain.forms import LANGUAGES, word
from feedback_app.domain.journey import WHOLE_VISIT_STAGE
from feedback_app.domain.register import ANSWER
from feedback_app.services import answer_templates, book, book_settings, letters
from feedback_app.services.answer_defaults import SUBJECTS
from feedback_app.services.case_ground import Held, day_in, entries_of, work_on
from feedback_app.services.clock import now
from feedback_app.services.opening import open_case
from feedback_app.services.register import keeper_of
from feedback_app.storage import register
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Case, CaseAnswer, MentionRow, RegisterLink

Reader = Session | Connection
drafts, links = CaseAnswer.__table__, RegisterLink.__table__
LANGUAGE = "ru"
"""The language of an entry that names none."""
DAYS = {"ru": "d MMMM y 'года'", "be": "d MMMM y 'года'", "en": "long"}
"""How a day is written in a letter: the abbreviation «г.» would stand before a full stop."""


@dataclass(frozen=True)
class SentAnswer:
    """An answer that one writer got; `text` is None once it was erased. An interim one said that more will follow."""

    at: datetime
    text: str | None
    way: str
    language: str = LANGUAGE
    interim: bool = False


@dataclass(frozen=True)
class Typed:
    """An answer as somebody typed it: its text, the way it is to take, and whether more will follow."""

    text: str
    way: str | None = None
    interim: bool = False


def sent_answers(reader: Reader, entry_id: UUID) -> list[SentAnswer]:
    """Return what the writer of an entry was answered, oldest first, as the register has it."""
    query = (
        sa.select(links.c.at, links.c.facts, links.c.words)
        .where(links.c.entry_id == entry_id, links.c.kind == ANSWER)
        .order_by(links.c.position)
    )
    return [_sent(row.at, json.loads(row.facts), json.loads(row.words)) for row in reader.execute(query)]


def _sent(at: datetime, facts: Mapping[str, Any], words: Mapping[str, str]) -> SentAnswer:
    language, interim = facts.get("language", LANGUAGE), bool(facts.get("interim"))
    return SentAnswer(at, words.get("text"), facts["way"], language, interim)


def review_needed(db: Database) -> bool:
    """Say whether a second person has to approve answers."""
    with db.engine.connect() as connection:
        return _review_needed(connection)


def _review_needed(connection: Connection) -> bool:
    return book_settings.of(connection).review_answers


def language_of(entry: Mapping[str, Any]) -> str:
    """Return the language in which the writer of an entry is answered."""
    return str(entry["language"]) if entry["language"] in LANGUAGES else LANGUAGE


# --- a draft ----------------------------------------------------------------------------------------------------


def begin_with(db: Database, access: Access, case_id: int, template_id: int) -> str:
    """Return a template's text for a case: filled, or with its places where several writers will read it."""

    def work(held: Held) -> str:
        text = answer_templates.text_of(held.connection, template_id)
        found = entries_of(held)
        return rules.fill(text, places_of(held, found[0])) if len(found) == 1 else text

    return work_on(db, access, case_id, None, work)


def save(db: Database, access: Access, case_id: int, version: int, typed: Typed) -> None:
    """Keep an answer as a draft; one that waited for a second person is a draft again."""

    def work(held: Held) -> None:
        _require_open(held)
        text = cases.words_of(typed.text, "text", cases.ANSWER_LIMIT)
        _put(held, {**_row(held, typed), "text": text, "state": rules.DRAFT})
        held.keep()

    work_on(db, access, case_id, version, work)


def submit(db: Database, access: Access, case_id: int, version: int, typed: Typed) -> None:
    """Hand an answer to a second person."""

    def work(held: Held) -> None:
        _require_open(held)
        text = rules.answer_text(typed.text)
        filled_for(held, text)
        _put(held, {**_row(held, typed), "text": text, "state": rules.REVIEW})
        held.change("note", told={"review": "submitted"})

    work_on(db, access, case_id, version, work)


def send(db: Database, access: Access, case_id: int, version: int, typed: Typed) -> None:
    """Answer every writer of a case; raise DomainError `review_needed` where a second person has to approve it."""

    def work(held: Held) -> None:
        if _review_needed(held.connection):
            raise DomainError("review_needed")
        text = rules.answer_text(typed.text)
        deliver(held, text, typed.way, interim=typed.interim)
        _put(held, {**_row(held, typed), "text": "", "state": rules.SENT, "sent_at": held.at})

    work_on(db, access, case_id, version, work)


def approve(db: Database, access: Access, case_id: int, version: int) -> None:
    """Send what waits for a second person; raise DomainError `own_answer` for who wrote it."""

    def work(held: Held) -> None:
        draft = _waiting(held)
        rules.require_second_person(draft.written_by, held.user_id)
        told = {"reviewed_by": held.access.name}
        deliver(held, draft.text, draft.way, interim=draft.interim, told=told)
        reviewed = {"reviewed_by": held.user_id, "reviewed_at": held.at}
        _put(held, {**reviewed, "text": "", "state": rules.SENT, "sent_at": held.at})

    work_on(db, access, case_id, version, work)


def give_back(db: Database, access: Access, case_id: int, version: int, text: str) -> None:
    """Give what waits for a second person back to who wrote it, with a note."""

    def work(held: Held) -> None:
        _waiting(held)
        written = cases.words_of(text, "text", cases.NOTE_LIMIT)
        _put(held, {"state": rules.RETURNED, "reviewed_by": held.user_id, "reviewed_at": held.at})
        held.change("note", told={"review": "returned"}, words={"text": written})

    work_on(db, access, case_id, version, work)


def _require_open(held: Held) -> None:
    """Raise DomainError where the case cannot be answered: it is closed, or nobody waits for an answer in it."""
    cases.require_move(held.row["status"], cases.ANSWERED)
    if not entries_of(held):
        raise DomainError("nobody_to_answer")


def _row(held: Held, typed: Typed) -> dict[str, Any]:
    way = typed.way if typed.way in rules.WAYS else None
    return {"way": way, "interim": typed.interim, "written_by": held.user_id, "written_at": held.at}


def draft_of(reader: Reader, case_id: int) -> sa.Row[Any] | None:
    """Return the answer that is being written in a case."""
    query = sa.select(drafts).where(drafts.c.case_id == case_id, drafts.c.state != rules.SENT)
    return reader.execute(query.order_by(drafts.c.id.desc()).limit(1)).first()


def _waiting(held: Held) -> sa.Row[Any]:
    found = draft_of(held.connection, held.id)
    if found is None or found.state != rules.REVIEW:
        raise DomainError("nothing_to_review")
    return found


def _put(held: Held, values: Mapping[str, Any]) -> None:
    """Keep the one answer that is being written."""
    found = draft_of(held.connection, held.id)
    if found is not None:
        held.connection.execute(sa.update(drafts).where(drafts.c.id == found.id).values(**values))
        return
    whose = {"case_id": held.id, "store_id": held.row["store_id"]}
    held.connection.execute(sa.insert(drafts).values(**whose, **values))


# --- out to the writers -----------------------------------------------------------------------------------------


def places_of(held: Held, entry: Mapping[str, Any], more: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """Return what the places of a text are filled with for an entry, in its language."""
    language = language_of(entry)

    def day(value: date | None) -> str | None:
        return None if value is None else str(format_date(value, DAYS[language], locale=language))

    return {
        "number": str(entry["number"]),
        "year": str(entry["year"]),
        "date": day(day_in(entry["created_at"], held.store["timezone"])),
        "store": word(held.store["names"], language),
        "name": entry["name"],
        "due": day(held.row["due_on"]),
        "answer_date": day(held.today),
        **(more or {}),
    }


def filled_for(held: Held, text: str) -> list[tuple[dict[str, Any], str]]:
    """Return each entry of a case with the text that its writer gets.

    Raises Invalid where a place stays empty, or where a writer would read the name or contact of another.
    """
    filled = []
    for entry, others in with_others(held):
        places = places_of(held, entry)
        left = [
            f"{{{name}}}" for name in rules.PLACES if name != "name" and f"{{{name}}}" in text and not places.get(name)
        ]
        if left:
            raise Invalid([Problem("unknown_place", "text", places=", ".join(left))])
        rules.require_own_name(rules.fill(text, {**places, "name": None}), others)
        filled.append((entry, rules.fill(text, places)))
    return filled


def with_others(held: Held) -> list[tuple[dict[str, Any], list[str]]]:
    """Return each entry of a case with the names and contacts of the other writers, which its own is not to read."""
    found = entries_of(held)
    return [
        (
            entry,
            [
                other[field]
                for other in found
                for field in ("name", "contact")
                if other["id"] != entry["id"] and other[field] not in (None, entry["name"], entry["contact"])
            ],
        )
        for entry in found
    ]


def deliver(
    held: Held, text: str, wanted: str | None, *, interim: bool = False, told: Mapping[str, Any] | None = None
) -> None:
    """Answer the writer of each entry of a held case, each by a link of its own."""
    _require_open(held)
    filled = filled_for(held, text)
    first = held.row["answered_at"] or held.at  # an answer given in time stays so, whatever is added to it later
    values = {} if interim else {"status": cases.ANSWERED, "answered_at": first, "accepted": None}
    if held.row["entry_id"] is None and interim:
        held.keep()
    elif held.row["entry_id"] is None:
        held.change("status", values, told={"from": held.row["status"], "to": cases.ANSWERED})
    for entry, own in filled:
        tell(held, entry, own, wanted, values=values, told={**(told or {}), **({"interim": True} if interim else {})})


def tell(
    held: Held,
    entry: Mapping[str, Any],
    text: str,
    wanted: str | None = None,
    *,
    values: Mapping[str, Any] | None = None,
    told: Mapping[str, Any] | None = None,
) -> None:
    """Tell the writer of one entry something, by the way that was wanted or the surest one, and the register of it."""
    language = language_of(entry)
    way = rules.way_to(entry["contact"], entry["secret_hash"] is not None, wanted)
    facts, words = {**(told or {}), "way": way, "language": language}, {"text": text}
    if entry["id"] == held.row["entry_id"]:
        position = held.change(ANSWER, values, told=facts, words=words)
    else:
        position = _tell_taken(held, entry["id"], values or {}, facts, words)
    address = rules.address_of(entry["contact"])
    if way == rules.MAIL and address:
        subject = rules.fill(SUBJECTS[language], places_of(held, entry))
        key = f"answer:{held.row['store_id']}-{position}:{entry['id']}"
        letters.queue_answer(held.connection, key, address, language, subject, text, held.at)


def _tell_taken(
    held: Held, entry_id: UUID, values: Mapping[str, Any], facts: Mapping[str, Any], words: Mapping[str, str]
) -> int:
    """Tell the register of an answer to an entry whose case was taken in: that case stays closed."""
    table = Case.__table__
    taken = sa.and_(table.c.entry_id == entry_id, table.c.joined_to == held.id)
    kept = {name: value for name, value in values.items() if name != "status"}
    changed = sa.update(table).where(taken).values(**kept, version=table.c.version + 1).returning(table.c.id)
    case_id = held.connection.execute(changed).scalar_one()
    return register.append_case(
        held.connection, held.keeper, case_id, ANSWER, held.at, held.access.name, told=facts, words=words
    )


# --- an entry that opened no case -------------------------------------------------------------------------------


def case_for(db: Database, access: Access, entry_id: UUID) -> int:
    """Return the case of an entry, opened now where it had none; raise NotFound outside the reader's scope."""
    access.require(Right.WORK_CASES)
    keeper = keeper_of(db)

    def work(connection: Connection) -> int:
        entry = register.entry_row(connection, entry_id)
        if entry is None or not access.sees_store(entry["store_id"]):
            raise NotFound("unknown_entry")
        table, mentions = Case.__table__, MentionRow.__table__
        known: int | None = connection.execute(sa.select(table.c.id).where(table.c.entry_id == entry_id)).scalar()
        if known is not None:
            return known
        query = sa.select(mentions.c.stage).where(mentions.c.response_id == entry["response_id"])
        stage = connection.execute(query.order_by(mentions.c.position).limit(1)).scalar() or WHOLE_VISIT_STAGE
        at = now()
        return open_case(connection, keeper, {**book.entry_case(entry, stage), "opened_at": at}, access.name, at)

    return db.write(work)
