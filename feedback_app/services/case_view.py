"""One case with all that its page shows: what was said, what happened, who may do what next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from feedback_app.domain import answers as answer_rules
from feedback_app.domain import cases as rules
from feedback_app.domain import register
from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import NotFound
from feedback_app.services import answer_templates, answers, case_terms, people_of, terms
from feedback_app.services.answer_templates import Template
from feedback_app.services.answers import SentAnswer
from feedback_app.services.case_ground import day_in
from feedback_app.services.clock import now
from feedback_app.services.people_of import Person
from feedback_app.storage.database import Database
from feedback_app.storage.tables import (
    BookEntry,
    BookPhoto,
    Case,
    CaseResponse,
    CaseStep,
    RegisterLink,
    Response,
    Store,
)

MOST_TO_JOIN = 100


@dataclass(frozen=True)
class Voice:
    """Something a customer said: an entry of the book, or a response; `text` is None where it was erased."""

    response_id: UUID
    entry_id: UUID | None
    text: str | None
    channel: str
    at: datetime
    language: str | None
    kind: str | None = None
    number: int | None = None
    year: int | None = None
    name: str | None = None
    contact: str | None = None
    photos: tuple[UUID, ...] = ()
    ways: tuple[str, ...] = ()
    answers: tuple[SentAnswer, ...] = ()
    case_id: int | None = None


@dataclass(frozen=True)
class Happening:
    """Something that happened to a case, as the register has it; `words` are empty where they were erased."""

    at: datetime
    kind: str
    actor: str
    email: str | None
    facts: Mapping[str, Any]
    words: Mapping[str, str]
    erased: bool


@dataclass(frozen=True)
class Step:
    """A step of a case's checklist."""

    id: int
    text: str
    done_at: datetime | None
    done_by: str | None


@dataclass(frozen=True)
class Draft:
    """The answer that is being written."""

    text: str
    state: str
    way: str | None
    interim: bool
    written_by: str | None
    written_at: datetime
    own: bool
    returned_with: str | None = None


@dataclass(frozen=True)
class CaseView:
    """A case as its page shows it."""

    case: Case
    store: Store
    today: date
    overdue: bool
    last_day: date | None
    extendable: bool
    """The last day to which it may be extended; None where the law names none."""
    forward_by: date
    """The last day to forward it to whom it concerns."""
    assignee: str | None
    voices: tuple[Voice, ...]
    happenings: tuple[Happening, ...]
    people: Mapping[int, str]
    steps: tuple[Step, ...]
    draft: Draft | None
    templates: tuple[Template, ...]
    workers: tuple[Person, ...]
    to_join: tuple[tuple[int, str, int | None, int | None], ...]
    """Open cases of the same store that it may take in: id, reason, and number and year of the entry."""
    review_needed: bool

    @property
    def entries(self) -> tuple[Voice, ...]:
        """Return the voices that wait for an answer."""
        return tuple(voice for voice in self.voices if voice.entry_id is not None)

    @property
    def may_extend(self) -> bool:
        """Say whether its last day may still be moved to a later one."""
        if self.case.status not in rules.OPEN or not self.extendable:
            return False
        return self.last_day is None or self.case.due_on is None or self.case.due_on < self.last_day

    @property
    def close_needs_reason(self) -> bool:
        """Say whether it is closed with a written reason only."""
        kinds = [voice.kind or "" for voice in self.entries]
        return rules.needs_reason_to_close(kinds, self.case.answered_at is not None)


def view(db: Database, access: Access, case_id: int) -> CaseView:
    """Return a case of the reader's stores; raise Forbidden without the right to read the book, NotFound elsewhere."""
    access.require(Right.READ_BOOK)
    if access.may(Right.WORK_CASES):
        answer_templates.lay_defaults(db)
    needs_review = answers.review_needed(db)
    with db.read(access) as session:
        query = sa.select(Case, Store).join(Store, Store.id == Case.store_id).where(Case.id == case_id)
        row = session.execute(query).first()
        if row is None:
            raise NotFound("unknown_case")
        return _view(session, access, row.Case, row.Store, needs_review)


def _view(session: Session, access: Access, case: Case, store: Store, needs_review: bool) -> CaseView:
    today = day_in(now(), store.timezone)
    voices = _voices(session, case)
    links = _links(session, case)
    people = people_of.emails(session, _named(case, links))
    own = next((voice for voice in voices if voice.entry_id is not None), None)
    kinds = {voice.kind for voice in voices if voice.kind}
    language = answers.language_of({"language": own.language if own else None})
    row = {"id": case.id, "entry_id": case.entry_id, "opened_at": case.opened_at, "reason": case.reason}
    zone = {"timezone": store.timezone, "country": store.country}
    received = case_terms.received_on(session, row, store.timezone)
    last_day, extendable = case_terms.last_day(session, row, zone)
    return CaseView(
        case=case,
        store=store,
        today=today,
        overdue=rules.is_overdue(case.status, case.due_on, today),
        last_day=last_day,
        extendable=extendable,
        forward_by=terms.forward_due_on(session, received, store.country),
        assignee=people.get(case.assignee_id or 0),
        voices=voices,
        happenings=tuple(_happening(link, people) for link in links),
        people=people,
        steps=_steps(session, case),
        draft=_draft(session, access, case, links),
        templates=tuple(answer_templates.offered(session, kinds, language)) if own else (),
        workers=tuple(people_of.workers(session, case.store_id)),
        to_join=_to_join(session, case),
        review_needed=needs_review,
    )


def _voices(session: Session, case: Case) -> tuple[Voice, ...]:
    """Return what opened the case, then what it gathered, in the order in which it came."""
    gathered = sa.select(CaseResponse.response_id).where(CaseResponse.case_id == case.id)
    query = (
        sa.select(Response, BookEntry)
        .outerjoin(BookEntry, BookEntry.response_id == Response.id)
        .where(sa.or_(Response.id == case.response_id, Response.id.in_(gathered)))
        .order_by(Response.id != case.response_id, Response.received_at, Response.id)
    )
    rows = session.execute(query).all()
    entry_ids = [row.BookEntry.id for row in rows if row.BookEntry is not None]
    photos: dict[UUID, list[UUID]] = {}
    shown = sa.select(BookPhoto.entry_id, BookPhoto.id).where(
        BookPhoto.entry_id.in_(entry_ids), BookPhoto.content.is_not(None)
    )
    for entry_id, photo_id in session.execute(shown.order_by(BookPhoto.position)):
        photos.setdefault(entry_id, []).append(photo_id)
    owned = sa.select(Case.entry_id, Case.id).where(Case.entry_id.in_(entry_ids))
    cases: dict[UUID | None, int] = {row.entry_id: row.id for row in session.execute(owned)}
    return tuple(_voice(session, row.Response, row.BookEntry, photos, cases) for row in rows)


def _voice(
    session: Session,
    response: Response,
    entry: BookEntry | None,
    photos: Mapping[UUID, list[UUID]],
    cases: Mapping[UUID | None, int],
) -> Voice:
    if entry is None:
        return Voice(response.id, None, response.comment, response.channel, response.occurred_at, response.language)
    return Voice(
        response_id=response.id,
        entry_id=entry.id,
        text=entry.text,
        channel=response.channel,
        at=entry.created_at,
        language=entry.language,
        kind=entry.kind,
        number=entry.number,
        year=entry.year,
        name=entry.name,
        contact=entry.contact,
        photos=tuple(photos.get(entry.id, ())),
        ways=answer_rules.ways(entry.contact, entry.secret_hash is not None),
        answers=tuple(answers.sent_answers(session, entry.id)),
        case_id=cases.get(entry.id),
    )


def _links(session: Session, case: Case) -> list[RegisterLink]:
    mine = RegisterLink.case_id == case.id
    if case.entry_id is not None:
        mine = sa.or_(mine, RegisterLink.entry_id == case.entry_id)
    query = sa.select(RegisterLink).where(RegisterLink.store_id == case.store_id, mine)
    return list(session.scalars(query.order_by(RegisterLink.position)))


def _named(case: Case, links: list[RegisterLink]) -> set[int | None]:
    """Return the users that a case's page names."""
    found = {case.assignee_id, *(people_of.user_of(link.actor) for link in links)}
    for link in links:
        if link.kind == "assigned":
            found.add(json.loads(link.facts).get("to"))
    return found


def _happening(link: RegisterLink, people: Mapping[int, str]) -> Happening:
    facts, words, seals = json.loads(link.facts), json.loads(link.words), json.loads(link.seals)
    entry = link.kind in (register.ENTRY, register.ADOPTED)
    email = people.get(people_of.user_of(link.actor) or 0)
    return Happening(link.at, link.kind, link.actor, email, facts, words, bool(seals) and not words and not entry)


def _steps(session: Session, case: Case) -> tuple[Step, ...]:
    rows = list(session.scalars(sa.select(CaseStep).where(CaseStep.case_id == case.id).order_by(CaseStep.position)))
    names = people_of.emails(session, {row.done_by for row in rows})
    return tuple(Step(row.id, row.text, row.done_at, names.get(row.done_by or 0)) for row in rows)


def _draft(session: Session, access: Access, case: Case, links: list[RegisterLink]) -> Draft | None:
    row = answers.draft_of(session, case.id)
    if row is None:
        return None
    returned = None
    if row.state == answer_rules.RETURNED:
        notes = [link for link in links if json.loads(link.facts).get("review") == "returned"]
        returned = json.loads(notes[-1].words).get("text") if notes else None
    author = people_of.emails(session, {row.written_by}).get(row.written_by)
    own = row.written_by == access.user_id
    return Draft(row.text, row.state, row.way, row.interim, author, row.written_at, own, returned)


def _to_join(session: Session, case: Case) -> tuple[tuple[int, str, int | None, int | None], ...]:
    if case.status not in rules.OPEN:
        return ()
    query = (
        sa.select(Case.id, Case.reason, BookEntry.number, BookEntry.year)
        .outerjoin(BookEntry, BookEntry.id == Case.entry_id)
        .where(Case.store_id == case.store_id, Case.id != case.id, Case.status.in_(sorted(rules.OPEN)))
        .order_by(Case.id.desc())
        .limit(MOST_TO_JOIN)
    )
    return tuple((row[0], row[1], row[2], row[3]) for row in session.execute(query))
