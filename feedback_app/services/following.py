"""What a writer sees at the secret link of an entry, and what the writer says of the answer there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import book, cases, register
from feedback_app.domain.access import Access
from feedback_app.domain.errors import DomainError, NotFound
from feedback_app.domain.forms import Words
from feedback_app.domain.scales import text_value
from feedback_app.services.answers import SentAnswer, sent_answers
from feedback_app.services.book import WRITER, hash_secret
from feedback_app.services.case_changes import bring_back
from feedback_app.services.case_ground import hold
from feedback_app.services.clock import now
from feedback_app.services.register import keeper_of
from feedback_app.storage.database import Database
from feedback_app.storage.tables import BookEntry, BookPhoto, Case, RegisterLink, Store

VERDICT_DAYS = 30
"""How long after the last answer the writer may say whether it suits, and say otherwise."""
_WRITER = Access(rights=frozenset(), stores=None, actor=WRITER)
_entries, _cases, _links, _stores = BookEntry.__table__, Case.__table__, RegisterLink.__table__, Store.__table__


@dataclass(frozen=True)
class Followed:
    """An entry as its writer may follow it; name and contact are not shown again, a link may be seen by others."""

    store_code: str
    store_names: Words
    country: str
    timezone: str
    number: int
    year: int
    kind: str
    text: str | None
    photos: int
    written_at: datetime
    status: str
    """`received`, or that of the case."""
    due_on: date | None
    first_due_on: date | None
    forwarded_to: str | None
    answers: tuple[SentAnswer, ...]
    accepted: bool | None
    may_judge: bool

    @property
    def extended(self) -> bool:
        """Say whether the day of the answer was moved."""
        return self.due_on is not None and self.first_due_on is not None and self.due_on > self.first_due_on


def follow(db: Database, store_code: str, secret: str) -> Followed:
    """Return what stands at a secret link, or raise NotFound, whatever is wrong with it."""
    with db.engine.connect() as connection:
        entry = _entry(connection, store_code, secret)
        case = _case(connection, entry["id"])
        main = _taker(connection, case)
        answers = sent_answers(connection, entry["id"])
        photos = sa.select(sa.func.count()).where(
            BookPhoto.__table__.c.entry_id == entry["id"], BookPhoto.__table__.c.content.is_not(None)
        )
        held: Mapping[str, Any] = main or {}
        return Followed(
            store_code=entry["code"],
            store_names=entry["names"],
            country=entry["country"],
            timezone=entry["timezone"],
            number=entry["number"],
            year=entry["year"],
            kind=entry["kind"],
            text=entry["text"],
            photos=connection.execute(photos).scalar_one(),
            written_at=entry["created_at"],
            status=held.get("status", "received"),
            due_on=held.get("due_on") or entry["due_on"],
            first_due_on=held.get("first_due_on") or entry["due_on"],
            forwarded_to=held.get("forwarded_to"),
            answers=tuple(answers),
            accepted=(case or {}).get("accepted"),
            may_judge=case is not None and _open_until(answers) >= now(),
        )


def judge(db: Database, store_code: str, secret: str, accepted: bool, words: str = "") -> None:
    """Note whether the answer suits its writer; the same word again changes nothing, another one replaces it.

    An answer that does not suit opens the case again. Raises NotFound for a wrong link, Problem for too many words,
    DomainError where there is no answer yet (`verdict_early`) or the time is over (`verdict_late`).
    """
    keeper, told = keeper_of(db), text_value(words, "words", book.VERDICT_LIMIT)

    def work(connection: Connection) -> None:
        entry = _entry(connection, store_code, secret)
        case = _case(connection, entry["id"])
        answers = sent_answers(connection, entry["id"])
        if case is None or not _final(answers):
            raise DomainError("verdict_early")
        if _open_until(answers) < now():
            raise DomainError("verdict_late", days=VERDICT_DAYS)
        if case["accepted"] is accepted and told in ("", _said_last(connection, case["id"])):
            return
        held = hold(connection, keeper, _WRITER, case["id"])
        held.change(
            register.VERDICT, {"accepted": accepted}, told={"accepted": accepted}, words={"text": told} if told else {}
        )
        if not accepted and held.row["status"] in (cases.ANSWERED, cases.CLOSED):
            bring_back(held, "")

    db.write(work)


def _said_last(connection: Connection, case_id: int) -> str | None:
    query = sa.select(_links.c.words).where(_links.c.case_id == case_id, _links.c.kind == register.VERDICT)
    words = connection.execute(query.order_by(_links.c.position.desc())).scalars().first()
    return None if words is None else json.loads(words).get("text")


def _final(answers: Sequence[SentAnswer]) -> list[SentAnswer]:
    """Return the answers that were none to say only that more will follow."""
    return [answer for answer in answers if not answer.interim]


def _open_until(answers: Sequence[SentAnswer]) -> datetime:
    final = _final(answers)
    return final[-1].at + timedelta(days=VERDICT_DAYS) if final else now() - timedelta(days=1)


def _entry(connection: Connection, store_code: str, secret: str) -> Mapping[str, Any]:
    if not book.is_secret(secret):
        raise NotFound("unknown_entry")
    store = (_stores.c.code, _stores.c.names, _stores.c.country, _stores.c.timezone)
    query = sa.select(_entries, *store).join(_stores, _stores.c.id == _entries.c.store_id)
    query = query.where(_entries.c.secret_hash == hash_secret(secret), _stores.c.code == store_code)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound("unknown_entry")
    return dict(row)


def _taker(connection: Connection, case: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the case in which a case is worked on: the one that took it in, else itself."""
    if case is None or case["joined_to"] is None:
        return case
    return dict(connection.execute(sa.select(_cases).where(_cases.c.id == case["joined_to"])).mappings().one())


def _case(connection: Connection, entry_id: Any) -> Mapping[str, Any] | None:
    query = sa.select(_cases).where(_cases.c.entry_id == entry_id).order_by(_cases.c.id)
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)
