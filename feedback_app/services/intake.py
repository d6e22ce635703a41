"""The one way in for every response: prepare (validate, score, locate), then write (insert, rollups, case)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError

from analysis.journey import Mention, locate
from analysis.sentiment import Sentiment, score_comments
from feedback_app.domain import cases, journey, misuse, responses, surveys
from feedback_app.domain.access import Access, Right
from feedback_app.domain.clocks import Reading, Sent
from feedback_app.domain.errors import DomainError, Invalid, NotFound, Problem
from feedback_app.domain.responses import Accepted, PointForm
from feedback_app.domain.rollups import Facts, Key, Sums, change, deltas, merge
from feedback_app.services import catalogue, receipts
from feedback_app.services.clock import now
from feedback_app.services.facts import facts_of, mention_rows, sentiment_columns
from feedback_app.services.senders import Sender, beats_of, finder
from feedback_app.storage import house, rollups
from feedback_app.storage import responses as stored
from feedback_app.storage.database import Database
from feedback_app.storage.many import chunks
from feedback_app.storage.tables import Case

STORED, DUPLICATE, REJECTED = "stored", "duplicate", "rejected"
SLICE = 50
"""Texts analysed at a time."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one item."""

    id: str | None
    status: str
    problem: DomainError | None = None


@dataclass(slots=True)
class Prepared:
    """A response ready to be written: its row, its mentions, what it adds, and the case it opens."""

    row: dict[str, Any]
    mentions: list[dict[str, Any]]
    facts: Facts
    adds: dict[Key, Sums]
    case: dict[str, Any] | None = None

    @property
    def id(self) -> UUID:
        """Return the response's id."""
        found: UUID = self.row["id"]
        return found

    def flag(self, flag: str) -> None:
        """Flag the response: it is kept, and counted apart."""
        if flag not in self.row["flags"]:
            self.row["flags"] = [*self.row["flags"], flag]
        self.facts = replace(self.facts, flagged=True)
        self.adds = deltas(self.facts)


@dataclass(frozen=True)
class Extra:
    """What a hand-in brings beside the response: its case and further rows of the same transaction."""

    case_reason: str | None = None
    due_on: date | None = None
    beside: Callable[[Connection], None] | None = field(default=None)


Analysed = tuple[dict[UUID, Sentiment], dict[UUID, list[Mention]]]
Analyse = Callable[[Sequence[Accepted]], Analysed]

# --- prepare ----------------------------------------------------------------------------------------------------


def analyse_words(accepted: Sequence[Accepted]) -> Analysed:
    """Score and locate the comments, a touchpoint at a time."""
    sentiments: dict[UUID, Sentiment] = {}
    mentions: dict[UUID, list[Mention]] = {}
    groups: dict[tuple[str | None, str | None], list[Accepted]] = {}
    for item in accepted:
        if item.comment:
            groups.setdefault((item.at.touchpoint, item.at.stage), []).append(item)
    for (touchpoint, stage), items in groups.items():
        texts = [item.comment or "" for item in items]
        hints = [item.language for item in items]
        for item, sentiment in zip(items, score_comments(texts, hints), strict=True):
            sentiments[item.id] = sentiment
        located = locate(texts, hints, touchpoint, touchpoint_stage=stage)
        for item, found in zip(items, located, strict=True):
            mentions[item.id] = found
    return sentiments, mentions


def _analyse_safely(accepted: Sequence[Accepted], analyse: Analyse) -> Analysed:
    """Analyse together; where that fails, one by one: a text that cannot be analysed is stored unscored."""
    try:
        return analyse(accepted)
    except Exception:
        log.exception("%d comments could not be analysed together", len(accepted))
    sentiments: dict[UUID, Sentiment] = {}
    mentions: dict[UUID, list[Mention]] = {}
    for item in accepted:
        try:
            scored, located = analyse([item])
        except Exception:
            log.exception("the comment of response %s could not be analysed", item.id)
        else:
            sentiments.update(scored)
            mentions.update(located)
    return sentiments, mentions


def _analyse_in_slices(accepted: Sequence[Accepted], analyse: Analyse) -> Analysed:
    """Analyse the responses that hold words, some at a time."""
    sentiments: dict[UUID, Sentiment] = {}
    mentions: dict[UUID, list[Mention]] = {}
    with_words = [item for item in accepted if item.comment]
    for part in chunks(with_words, SLICE):
        scored, located = _analyse_safely(part, analyse)
        sentiments.update(scored)
        mentions.update(located)
    return sentiments, mentions


def _row(item: Accepted, sender: Sender | None, sentiment: Sentiment | None) -> dict[str, Any]:
    return {
        "id": item.id,
        "store_id": item.at.store_id,
        "point_id": item.at.point_id,
        "form_version_id": item.at.form_version_id,
        "device_id": sender.device_id if sender else None,
        "channel": item.at.channel,
        "occurred_at": item.occurred_at,
        "received_at": item.received_at,
        "claimed_at": item.claimed_at,
        "language": item.language,
        "answers": item.answers,
        "digest": item.digest,
        "score": item.score,
        "comment": item.comment,
        **sentiment_columns(sentiment),
        "flags": item.flags,
        "unpaired": sender.unpaired if sender else False,
        "voided_at": None,
        "sequence": item.sequence,
        "skew_ms": item.skew_ms,
        "placed_by": item.placed_by,
    }


def prepare(
    accepted: Sequence[Accepted], sender: Sender | None = None, analyse: Analyse | None = None
) -> list[Prepared]:
    """Return what is to be written for accepted responses: texts are scored and located here, before the write.

    `analyse` takes the place of the analysis where the caller keeps its results.
    """
    sentiments, mentions = _analyse_in_slices(accepted, analyse or analyse_words)
    prepared = []
    for item in accepted:
        row = _row(item, sender, sentiments.get(item.id))
        rows = mention_rows(row, mentions.get(item.id, ()))
        facts = facts_of(row, rows, item.at.form)
        prepared.append(Prepared(row, rows, facts, deltas(facts)))
    return prepared


def case_row(item: Prepared, stage: str, reason: str, due_on: date | None) -> dict[str, Any]:
    """Return the case that a response opens, on the stage it speaks of most."""
    return {
        "store_id": item.row["store_id"],
        "response_id": item.id,
        "stage": item.mentions[0]["stage"] if item.mentions else stage,
        "reason": reason,
        "status": "new",
        "opened_at": item.row["received_at"],
        "due_on": due_on,
    }


# --- write ------------------------------------------------------------------------------------------------------


def write(connection: Connection, prepared: Sequence[Prepared]) -> set[UUID]:
    """Insert what is new, count it, open its cases; return the ids that were new. All in the caller's transaction."""
    new = stored.insert_new(connection, [item.row for item in prepared])
    fresh = [item for item in prepared if item.id in new]
    stored.insert_mentions(connection, [row for item in fresh for row in item.mentions])
    stores = {item.facts.point_id: item.row["store_id"] for item in fresh}
    rollups.add(connection, merge(item.adds for item in fresh), stores)
    opened = [item.case for item in fresh if item.case is not None]
    if opened:
        connection.execute(sa.insert(Case.__table__), opened)
    return new


@dataclass
class _Delivery:
    """What one sender hands in at one moment, each response once; `told` is what was asked of its bursts."""

    db: Database
    sender: Sender
    prepared: Sequence[Prepared]
    told: list[tuple[Any, list[datetime]]] = field(default_factory=list)

    def flag_bursts(self, fresh: Sequence[Prepared]) -> None:
        """Flag what no crowd of people can have given, a point at a time."""
        by_point: dict[int, list[Prepared]] = {}
        for item in fresh:
            by_point.setdefault(item.row["point_id"], []).append(item)
        for point_id, items in by_point.items():
            key, moments = (self.sender.device_id, point_id), [item.row["occurred_at"] for item in items]
            self.told.append((key, moments))
            for item, beyond in zip(items, _bursts(self.db).flags(key, moments), strict=True):
                if beyond:
                    item.flag(misuse.FLAG_BURST)

    def take_back(self) -> None:
        """Forget what was told of bursts: it was not stored, and will be told again."""
        while self.told:
            _bursts(self.db).forget(*self.told.pop())


@dataclass
class _Written:
    """Which responses of a delivery were new, and the digests of those that were there before."""

    new: set[UUID] = field(default_factory=set)
    known: dict[UUID, str] = field(default_factory=dict)
    refused: dict[UUID, Problem] = field(default_factory=dict)

    def add(self, other: _Written) -> None:
        """Add what became of others."""
        self.new |= other.new
        self.known.update(other.known)
        self.refused.update(other.refused)


def _bursts(db: Database) -> misuse.Bursts:
    found: misuse.Bursts = db.memory.setdefault("bursts", misuse.Bursts())
    return found


def _write_together(connection: Connection, deliveries: Sequence[_Delivery]) -> list[_Written]:
    """Write deliveries in one transaction; of an id that several bring the first counts."""
    known = stored.digests(connection, [item.id for delivery in deliveries for item in delivery.prepared])
    first: dict[UUID, tuple[_Delivery, Prepared]] = {}
    for delivery in deliveries:
        delivery.take_back()
        fresh = [item for item in delivery.prepared if item.id not in known and item.id not in first]
        first.update((item.id, (delivery, item)) for item in fresh)
        delivery.flag_bursts(fresh)
    new = write(connection, [item for _, item in first.values()])
    raced = first.keys() - new  # another process was faster, which PostgreSQL alone allows
    if raced:
        known.update(stored.digests(connection, list(raced)))
    known.update((response_id, first[response_id][1].row["digest"]) for response_id in new)
    return [_written(delivery, first, new, known) for delivery in deliveries]


def _written(
    delivery: _Delivery, first: Mapping[UUID, tuple[_Delivery, Prepared]], new: set[UUID], known: Mapping[UUID, str]
) -> _Written:
    written = _Written()
    for item in delivery.prepared:
        if item.id in new and first[item.id][0] is delivery:
            written.new.add(item.id)
        elif item.id in known:
            written.known[item.id] = known[item.id]
    return written


def _write_each(db: Database, sender: Sender, prepared: Sequence[Prepared]) -> _Written:
    """Write a delivery; where the database refuses its content, an item at a time: a bad one takes nothing with it.

    A fault that passes (locked, full, gone) is raised: the sender keeps its items and tries again.
    """
    delivery = _Delivery(db, sender, prepared)
    try:
        return db.write_batch(_write_together, delivery)
    except (DataError, IntegrityError):
        delivery.take_back()
        if len(prepared) == 1:
            log.exception("a response was refused by the database")
            return _Written(refused={prepared[0].id: Problem("not_storable")})
        log.warning("a batch of %d was refused and is written item by item", len(prepared), exc_info=True)
    except BaseException:
        delivery.take_back()
        raise
    written = _Written()
    for item in prepared:
        written.add(_write_each(db, sender, [item]))
    return written


# --- use cases --------------------------------------------------------------------------------------------------


@dataclass
class _Batch:
    """A batch on its way: what was accepted at each place, and what became of each."""

    accepted: dict[int, Accepted] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def once(self) -> dict[UUID, Accepted]:
        """Return the accepted responses, the first of each id."""
        first: dict[UUID, Accepted] = {}
        for got in self.accepted.values():
            first.setdefault(got.id, got)
        return first


def _id_of(item: Any) -> str | None:
    given = item.get("id") if isinstance(item, Mapping) else None
    return given[:64] if isinstance(given, str) else None


def _accept_each(items: Sequence[Any], finder: responses.FindForm, sent: Sent) -> _Batch:
    batch = _Batch()
    for index, item in enumerate(items):
        try:
            batch.accepted[index] = surveys.check_end(responses.accept(item, finder, sent))
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
    batch = _taken(db, items, sender, reading, read_at)
    first = batch.once()
    written = _Written(known=_known_texts(db, first.values()))
    alone = [got for got in first.values() if surveys.wants_receipt(got.at)]
    fresh = [got for got in first.values() if got.id not in written.known and not surveys.wants_receipt(got.at)]
    if fresh:
        written.add(_write_each(db, sender, prepare(fresh, sender)))
    for got in alone:
        written.add(_store_alone(db, got, sender))
    for index, got in batch.accepted.items():
        batch.outcomes[index] = _outcome(got, _id_of(items[index]), written, is_first=first[got.id] is got)
    return [batch.outcomes[index] for index in range(len(items))]


def rehearse(
    db: Database,
    items: Sequence[Any],
    sender: Sender,
    reading: Reading | None = None,
    *,
    read_at: datetime | None = None,
) -> list[Outcome]:
    """Say what `record` would answer, and write nothing; whether a receipt is still free shows at the write alone."""
    batch = _taken(db, items, sender, reading, read_at)
    first = batch.once()
    with db.engine.connect() as connection:
        known = stored.digests(connection, list(first))
    written = _Written(first.keys() - known, known)
    for index, got in batch.accepted.items():
        batch.outcomes[index] = _outcome(got, _id_of(items[index]), written, is_first=first[got.id] is got)
    return [batch.outcomes[index] for index in range(len(items))]


def _taken(
    db: Database, items: Sequence[Any], sender: Sender, reading: Reading | None, read_at: datetime | None
) -> _Batch:
    received_at = now()
    sent = Sent(read_at or received_at, reading or Reading(), beats_of(db, sender))
    batch = _accept_each(items, finder(db, sender), sent)
    if read_at is not None:
        for got in batch.accepted.values():
            got.received_at = received_at
    return batch


def _known_texts(db: Database, accepted: Iterable[Accepted]) -> dict[UUID, str]:
    """Return the digests of those with words that are stored already: they are not scored again."""
    with_words = [got.id for got in accepted if got.comment]
    if not with_words:
        return {}
    with db.engine.connect() as connection:
        return stored.digests(connection, with_words)


def _store_alone(db: Database, got: Accepted, sender: Sender) -> _Written:
    """Write a response that claims a receipt, in a transaction of its own that the claim may undo."""
    try:
        outcome = store(db, got, sender, Extra(beside=receipts.claim_of(got)))
    except Problem as problem:
        return _Written(refused={got.id: problem})
    return _Written(new={got.id}) if outcome.status == STORED else _Written(known={got.id: got.digest})


def _outcome(got: Accepted, shown: str | None, written: _Written, *, is_first: bool) -> Outcome:
    if is_first and got.id in written.new:
        written.known[got.id] = got.digest
        return Outcome(shown, STORED)
    if got.id in written.refused:
        return Outcome(shown, REJECTED, written.refused[got.id])
    return _repeat(got, written.known, shown)


def _repeat(got: Accepted, known: Mapping[UUID, str], shown: str | None = None) -> Outcome:
    shown = shown or str(got.id)
    if got.id not in known:
        return Outcome(shown, REJECTED, Problem("not_storable"))
    if known[got.id] == got.digest:
        return Outcome(shown, DUPLICATE)
    return Outcome(shown, REJECTED, Problem("conflict", "id"))


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
    prepared = prepare([accepted], sender)[0]
    failed = bool(accepted.visit and accepted.visit.failed_critical)
    reason = extra.case_reason if extra else None
    if cases.needs_case(reason, failed):
        stage = accepted.at.stage or journey.WHOLE_VISIT_STAGE
        prepared.case = case_row(prepared, stage, reason or "critical", extra.due_on if extra else None)

    def work(connection: Connection) -> Outcome:
        known = stored.digests(connection, [accepted.id])
        if not known and write(connection, [prepared]):
            if extra and extra.beside:
                extra.beside(connection)
            return Outcome(str(accepted.id), STORED)
        known = known or stored.digests(connection, [accepted.id])
        return _repeat(accepted, known)

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
