"""The one way in for every response: accepted by the rules, prepared, then written; each call one use case."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError

from feedback_app.domain import responses, surveys
from feedback_app.domain.access import Access, Right
from feedback_app.domain.clocks import Reading, Sent
from feedback_app.domain.errors import DomainError, Invalid, NotFound, Problem
from feedback_app.domain.responses import Accepted, PointForm
from feedback_app.domain.rollups import change
from feedback_app.services import automatic, catalogue, own_aspects, own_model, receipts
from feedback_app.services.clock import now
from feedback_app.services.deliveries import deliver, write
from feedback_app.services.facts import facts_of
from feedback_app.services.preparing import Analysed, Fate, Prepared, case_row, prepare
from feedback_app.services.senders import Sender, beats_of, finder
from feedback_app.storage import house, rollups
from feedback_app.storage import responses as stored
from feedback_app.storage.database import Database

__all__ = [
    "DUPLICATE",
    "REJECTED",
    "STORED",
    "Analysed",
    "Extra",
    "Outcome",
    "Prepared",
    "case_row",
    "hand_in",
    "prepare",
    "record",
    "rehearse",
    "store",
    "void",
    "write",
]

STORED, DUPLICATE, REJECTED = "stored", "duplicate", "rejected"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one item."""

    id: str | None
    status: str
    problem: DomainError | None = None


@dataclass(frozen=True)
class Extra:
    """What a hand-in brings beside the response: further rows of the same transaction."""

    beside: Callable[[Connection, Prepared], None] | None = field(default=None)


# --- deliveries of devices ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Taken:
    """A response of a delivery that the rules accept, and what becomes of it.

    `refusal` is why it is too late: it holds for what is not stored yet.
    """

    got: Accepted
    refusal: Problem | None = None
    fate: Fate = field(default_factory=Fate)

    def outcome(self, got: Accepted, shown: str | None) -> Outcome:
        """Return what became of one that was sent under this id, first or again."""
        if self.fate.problem is not None:
            return Outcome(shown, REJECTED, self.fate.problem)
        if self.fate.new and got is self.got:
            return Outcome(shown, STORED)
        return _repeat(got, self.got.digest if self.fate.new else self.fate.there, shown)


@dataclass
class _Batch:
    """A delivery on its way: what was accepted, and what became of each item."""

    outcomes: list[Outcome | None]
    places: list[tuple[int, Accepted, _Taken]] = field(default_factory=list)
    first: dict[UUID, _Taken] = field(default_factory=dict)

    def add(self, index: int, got: Accepted) -> None:
        """Note an accepted item; of those with one id the first is the one that is stored."""
        taken = self.first.get(got.id)
        if taken is None:
            taken = self.first[got.id] = _Taken(got, _refusal(got))
        self.places.append((index, got, taken))

    def answers(self, items: Sequence[Any]) -> list[Outcome]:
        """Return what became of each item, in the order sent."""
        for index, got, taken in self.places:
            self.outcomes[index] = taken.outcome(got, _id_of(items[index]))
        return [outcome for outcome in self.outcomes if outcome is not None]


def _id_of(item: Any) -> str | None:
    given = item.get("id") if isinstance(item, Mapping) else None
    return given[:64] if isinstance(given, str) else None


def _refusal(got: Accepted) -> Problem | None:
    try:
        surveys.check_end(got)
    except Problem as problem:
        return problem
    return None


def _accept_each(items: Sequence[Any], find: responses.FindForm, sent: Sent) -> _Batch:
    batch = _Batch([None] * len(items))
    for index, item in enumerate(items):
        try:
            batch.add(index, responses.accept(item, find, sent))
        except Invalid as invalid:
            batch.outcomes[index] = Outcome(_id_of(item), REJECTED, invalid.problems[0])
        except Problem as problem:
            batch.outcomes[index] = Outcome(_id_of(item), REJECTED, problem)
    return batch


def record(
    db: Database,
    items: Sequence[Any],
    sender: Sender,
    reading: Reading | None = None,
    *,
    read_at: datetime | None = None,
) -> list[Outcome]:
    """Take a batch of a device or a kiosk page in; answer item by item, in the order sent.

    `stored` means on disk. An id that is already there is a `duplicate` with the same content and a conflict with
    other; a bad item is `rejected` with its first problem and takes no neighbour with it. Ids come back as sent.
    `reading` is what the sender's clocks showed at the sending, by which its times are corrected; `read_at` is when
    that was, where the items did not come at once but by way of a file.
    """
    batch = _take(db, items, sender, reading, read_at)
    with_look = [taken for taken in batch.first.values() if _looked_up(taken)]
    if with_look:
        _look_up(db, with_look)
    missing = [taken for taken in batch.first.values() if taken.fate.there is None and taken.fate.problem is None]
    together = [taken for taken in missing if not surveys.wants_receipt(taken.got.at)]
    if together:
        own_model.keep_current(db)
        prepared = prepare([taken.got for taken in together], sender, own=own_aspects.of(db))
        for taken, ready in zip(together, prepared, strict=True):
            ready.fate = taken.fate
        automatic.note_cases(db, prepared)
        deliver(db, sender, prepared)
    for taken in missing:
        if surveys.wants_receipt(taken.got.at):
            _store_alone(db, taken, sender)
    return batch.answers(items)


def rehearse(
    db: Database,
    items: Sequence[Any],
    sender: Sender,
    reading: Reading | None = None,
    *,
    read_at: datetime | None = None,
) -> list[Outcome]:
    """Say what `record` would answer, and write nothing; whether a receipt is still free shows at the write alone."""
    batch = _take(db, items, sender, reading, read_at)
    _look_up(db, list(batch.first.values()))
    for taken in batch.first.values():
        taken.fate.new = taken.fate.there is None
    return batch.answers(items)


def _take(
    db: Database, items: Sequence[Any], sender: Sender, reading: Reading | None, read_at: datetime | None
) -> _Batch:
    received_at = now()
    sent = Sent(read_at or received_at, reading or Reading(), beats_of(db, sender))
    batch = _accept_each(items, finder(db, sender), sent)
    if read_at is not None:
        for _, got, _ in batch.places:
            got.received_at = received_at
    return batch


def _looked_up(taken: _Taken) -> bool:
    """Say whether it pays, or matters, to know before the write that a response is stored already.

    Its words are not scored again, its receipt is not hashed again, and what came too late is there all the same.
    """
    return bool(taken.got.comment) or taken.refusal is not None or surveys.wants_receipt(taken.got.at)


def _look_up(db: Database, asked: Sequence[_Taken]) -> None:
    """Note which responses are stored already, and of the others which are refused."""
    with db.engine.connect() as connection:
        there = stored.digests(connection, [taken.got.id for taken in asked])
    for taken in asked:
        taken.fate.there = there.get(taken.got.id)
        if taken.fate.there is None:
            taken.fate.problem = taken.refusal


def _store_alone(db: Database, taken: _Taken, sender: Sender) -> None:
    """Write a response that claims a receipt, in a transaction of its own that the claim may undo."""
    try:
        outcome = store(db, taken.got, sender, Extra(beside=receipts.claim_of(taken.got)))
    except Problem as problem:
        taken.fate.problem = problem
    except (DataError, IntegrityError):
        log.exception("a response with a receipt was refused by the database")
        taken.fate.problem = Problem("not_storable")
    else:
        taken.fate.new = outcome.status == STORED
        taken.fate.there = taken.got.digest


def _repeat(got: Accepted, there: str | None, shown: str | None) -> Outcome:
    if there is None:
        return Outcome(shown, REJECTED, Problem("not_storable"))
    if there == got.digest:
        return Outcome(shown, DUPLICATE)
    return Outcome(shown, REJECTED, Problem("conflict", "id"))


# --- one at a time ----------------------------------------------------------------------------------------------


def hand_in(
    db: Database,
    at: PointForm,
    response_id: UUID,
    answers: Mapping[str, Any],
    language: str | None,
    receipt: str | None = None,
) -> Outcome:
    """Take in one response of a page; raise Invalid with a problem per field, or a Problem with the whole."""
    accepted = surveys.check_end(responses.build(response_id, at, answers, now(), language=language))
    accepted.receipt = receipt
    extra = Extra(beside=receipts.claim_of(accepted))
    return store(db, accepted, Sender(points=frozenset({at.point_id})), extra)


def store(db: Database, accepted: Accepted, sender: Sender | None, extra: Extra | None = None) -> Outcome:
    """Write one accepted response with what stands beside it; the same id and content again changes nothing."""
    own_model.keep_current(db)
    prepared = prepare([accepted], sender, own=own_aspects.of(db))[0]
    automatic.note_cases(db, [prepared], bool(accepted.visit and accepted.visit.failed_critical))

    def work(connection: Connection) -> Outcome:
        known = stored.digests(connection, [accepted.id])
        if not known and write(connection, [prepared], db.keeper):
            if extra and extra.beside:
                extra.beside(connection, prepared)
            return Outcome(str(accepted.id), STORED)
        known = known or stored.digests(connection, [accepted.id])
        return _repeat(accepted, known.get(accepted.id), str(accepted.id))

    outcome = db.write(work)
    if outcome.problem:
        raise outcome.problem
    return outcome


def void(db: Database, access: Access, response_id: UUID, reason: str) -> None:
    """Take a response out of every count, with who did it and why; raise NotFound outside the reader's scope."""
    access.require(Right.CHANGE_RESPONSES)

    def work(connection: Connection) -> None:
        row = stored.locked(connection, [response_id]).get(response_id)
        if row is None or not access.sees_store(row["store_id"]):
            raise NotFound("unknown_response")
        if row["voided_at"] is not None:
            return
        moment: datetime = now()
        form = catalogue.shelf(db).get(connection, row["form_version_id"])
        mentions = stored.mentions_of(connection, [response_id]).get(response_id, [])
        taken = change(facts_of(row, mentions, form), None)
        rollups.add(connection, taken, {row["point_id"]: row["store_id"]})
        stored.update(connection, response_id, {"voided_at": moment})
        house.audit(connection, moment, access.actor, "response.void", f"response:{response_id}", {"reason": reason})

    db.write(work)
