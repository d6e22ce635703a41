"""What staff read of the feedback books: entries of a period, one entry whole, its photos and its history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from feedback_app.domain import register as rules
from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import NotFound
from feedback_app.services import catalogue
from feedback_app.services.clock import now
from feedback_app.services.comments import cursor_of, read_cursor
from feedback_app.services.register_period import Wanted, asked_of
from feedback_app.storage import register_pages_read as stored
from feedback_app.storage.database import Database

PAGE = 50
FIRST_WORDS = 160
OPEN_STATUSES = ("new", "in_work", "waiting", "reopened")
"""Statuses of a case that still waits for an answer."""
Words = Mapping[str, str]


@dataclass(frozen=True)
class EntryLine:
    """An entry as a list shows it; `due_on` is that of its case, else its own."""

    id: UUID
    store_id: int
    store_code: str
    store_names: Words
    store_addresses: Words
    timezone: str
    country: str
    year: int
    number: int
    kind: str
    text: str | None
    name: str | None
    created_at: datetime
    case_id: int | None
    status: str | None
    answered_at: datetime | None
    due_on: date

    @property
    def first_words(self) -> str:
        """Return the beginning of the text, cut at a word."""
        text = " ".join((self.text or "").split())
        if len(text) <= FIRST_WORDS:
            return text
        return f"{text[:FIRST_WORDS].rsplit(' ', 1)[0]}…"

    @property
    def waits(self) -> bool:
        """Say whether a case still waits for an answer."""
        return self.status in OPEN_STATUSES

    @property
    def overdue(self) -> bool:
        """Say whether it still waits though its day has passed in the store."""
        return self.waits and self.due_on < self.today

    @property
    def today(self) -> date:
        """Return the day that it is in the store."""
        return now().astimezone(ZoneInfo(self.timezone)).date()

    @property
    def answered_on(self) -> date:
        """Return the day of the answer in the store; that of the entry where there is none yet."""
        return (self.answered_at or self.created_at).astimezone(ZoneInfo(self.timezone)).date()

    @property
    def local(self) -> datetime:
        """Return when it was written, by the store's clock."""
        return self.created_at.astimezone(ZoneInfo(self.timezone))


@dataclass(frozen=True)
class StoreChoice:
    """A store whose book the reader may open."""

    code: str
    names: Words


@dataclass(frozen=True)
class EntryPage:
    """A page of the register; `total` and `overdue` count all that is asked for, not this page alone."""

    lines: tuple[EntryLine, ...]
    next_cursor: str | None
    total: int
    overdue: int
    years: tuple[int, ...]
    stores: tuple[StoreChoice, ...]


@dataclass(frozen=True)
class Actor:
    """Who did something: `writer`, `system`, or `user` with the e-mail address, where the user is still known."""

    kind: str
    email: str | None = None


@dataclass(frozen=True)
class Step:
    """A link of the chain that tells of the entry."""

    position: int
    kind: str
    at: datetime
    actor: Actor


@dataclass(frozen=True)
class SentAnswer:
    """An answer as it was sent; no text where it was erased."""

    at: datetime
    actor: Actor
    text: str | None


@dataclass(frozen=True)
class PhotoRef:
    """A photo of an entry; its content is asked for by id."""

    id: UUID
    erased: bool


@dataclass(frozen=True)
class Consent:
    """The consent that a name and contact are kept under."""

    version: str
    language: str | None
    at: datetime
    by: str


@dataclass(frozen=True)
class WholeEntry:
    """One entry with all that the register tells of it; `erased` says by name when words went away."""

    line: EntryLine
    contact: str | None
    language: str | None
    consent: Consent | None
    source: str
    paper_number: str | None
    paper_on: date | None
    first_due_on: date
    photos: tuple[PhotoRef, ...]
    erased: Mapping[str, datetime]
    history: tuple[Step, ...]
    answers: tuple[SentAnswer, ...]
    position: int
    link: str


def entries_page(
    db: Database, access: Access, wanted: Wanted, cursor: str | None = None, size: int = PAGE
) -> EntryPage:
    """Return a page of the entries in scope, the newest first.

    Raises NotFound for a store outside the scope, Invalid for a period that is none or a bad cursor.
    """
    access.require(Right.READ_BOOK)
    after = read_cursor(cursor)
    with db.read(access) as session:
        asked = asked_of(session, wanted)
        rows = stored.newest(session, asked, after, size + 1)
        lines = tuple(EntryLine(**row) for row in rows[:size])
        more = cursor_of(lines[-1].created_at, lines[-1].id) if len(rows) > size else None
        waiting = stored.open_by_due_day(session, asked, OPEN_STATUSES)
        overdue = sum(row["n"] for row in waiting if row["due_on"] < _today(row["timezone"]))
        return EntryPage(
            lines=lines,
            next_cursor=more,
            total=stored.counts(session, asked),
            overdue=overdue,
            years=tuple(stored.years(session, asked.store_id)),
            stores=tuple(StoreChoice(*row) for row in stored.stores(session)),
        )


def _today(timezone: str) -> date:
    return now().astimezone(ZoneInfo(timezone)).date()


def entry(db: Database, access: Access, store_code: str, year: int, number: int) -> WholeEntry:
    """Return one entry whole; raise NotFound where the reader's scope has none."""
    access.require(Right.READ_BOOK)
    with db.read(access) as session:
        store = catalogue.find_store(session, store_code)
        row = None if store is None else stored.by_number(session, store.id, year, number)
        if row is None:
            raise NotFound("unknown_entry")
        return _whole(session, dict(row))


def _whole(session: Session, row: dict[str, Any]) -> WholeEntry:
    line = EntryLine(**{name: row.pop(name) for name in EntryLine.__dataclass_fields__})
    links = stored.links(session, line.id, line.case_id)
    written = (link for link in links if link["entry_id"] == line.id and link["kind"] in (rules.ENTRY, rules.ADOPTED))
    first: Mapping[str, Any] = next(written, {"position": 0, "link": "—"})  # verification names the link that is gone
    actors = _actors(session, links)
    consent = [row.pop(f"consent_{name}") for name in ("version", "language", "at", "by")]
    return WholeEntry(
        line=line,
        consent=None if consent[0] is None else Consent(*consent),
        photos=tuple(PhotoRef(one["id"], bool(one["erased"])) for one in stored.photos(session, line.id)),
        erased=_erased(links, line.id, first["position"]),
        history=tuple(Step(one["position"], one["kind"], one["at"], actors[one["actor"]]) for one in links),
        answers=sent_answers([link for link in links if link["entry_id"] == line.id], actors),
        position=first["position"],
        link=first["link"],
        **row,
    )


def sent_answers(links: Iterable[Mapping[str, Any]], actors: Mapping[str, Actor]) -> tuple[SentAnswer, ...]:
    """Return the answers among links, in their order."""
    sent = (link for link in links if link["kind"] == rules.ANSWER)
    return tuple(SentAnswer(one["at"], actors[one["actor"]], json.loads(one["words"]).get("text")) for one in sent)


def _erased(links: Iterable[Mapping[str, Any]], entry_id: UUID, first: int) -> dict[str, datetime]:
    """Return when which of an entry's words were erased: `text`, `name`, `contact`, `photos`."""
    found: dict[str, datetime] = {}
    for link in links:
        if link["kind"] == rules.ERASURE and link["entry_id"] == entry_id:
            names = [name for position, name in json.loads(link["facts"]).get("erased", ()) if position == first]
            for name in names:
                found.setdefault("photos" if name.startswith("photo:") else name, link["at"])
    return found


def _actors(session: Session, links: Sequence[Mapping[str, Any]]) -> dict[str, Actor]:
    """Return who the actors of links are; a user who is gone has no address."""
    names = {link["actor"] for link in links}
    ids = {name: int(name[5:]) for name in names if name.startswith("user:") and name[5:].isdigit()}
    emails = stored.people(session, sorted(ids.values())) if ids else {}
    plain = {name: Actor("writer" if name == "writer" else "system") for name in names}
    return {**plain, **{name: Actor("user", emails.get(user_id)) for name, user_id in ids.items()}}


def answers_of(session: Session, lines: Iterable[EntryLine]) -> dict[int, tuple[SentAnswer, ...]]:
    """Return the answers that were sent, by the id of the case."""
    links = stored.answer_links(session, sorted({line.case_id for line in lines if line.case_id is not None}))
    actors = _actors(session, links)
    by_case: dict[int, list[Mapping[str, Any]]] = {}
    for link in links:
        by_case.setdefault(link["case_id"], []).append(link)
    return {case_id: sent_answers(found, actors) for case_id, found in by_case.items()}


@dataclass(frozen=True)
class Picture:
    """A photo's content and what it is."""

    media_type: str
    content: bytes


def photo(db: Database, access: Access, photo_id: UUID) -> Picture:
    """Return a photo; raise NotFound outside the reader's scope and where it was erased."""
    access.require(Right.READ_BOOK)
    with db.read(access) as session:
        row = stored.photo(session, photo_id)
    if row is None or row["content"] is None or not access.sees_store(row["store_id"]):
        raise NotFound("unknown_picture")
    return Picture(row["media_type"], row["content"])
