"""The one way in for every response: prepare (validate, score, locate), then write (insert, rollups, case)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError

from analysis.journey import Mention, locate
from analysis.sentiment import Sentiment, score_comments
from feedback_app.domain import cases, journey, responses
from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.domain.errors import DomainError, Invalid, NotFound, Problem
from feedback_app.domain.responses import Accepted, PointForm
from feedback_app.domain.rollups import Facts, change, deltas, merge
from feedback_app.services import catalogue
from feedback_app.services.clock import now
from feedback_app.services.facts import facts_of, mention_rows, sentiment_columns
from feedback_app.services.senders import Sender, finder
from feedback_app.storage import house, rollups
from feedback_app.storage import responses as stored
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Case

STORED, DUPLICATE, REJECTED = "stored", "duplicate", "rejected"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one item."""

    id: str | None
    status: str
    problem: DomainError | None = None


@dataclass
class Prepared:
    """A response ready to be written: its row, its mentions, what it adds, and the case it opens."""

    row: dict[str, Any]
    mentions: list[dict[str, Any]]
    facts: Facts
    case: dict[str, Any] | None = None

    @property
    def id(self) -> UUID:
        """Return the response's id."""
        found: UUID = self.row["id"]
        return found


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
    }


def prepare(
    accepted: Sequence[Accepted], sender: Sender | None = None, analyse: Analyse | None = None
) -> list[Prepared]:
    """Return what is to be written for accepted responses: texts are scored and located here, before the write.

    `analyse` takes the place of the analysis where the caller keeps its results.
    """
    sentiments, mentions = _analyse_safely(accepted, analyse or analyse_words)
    prepared = []
    for item in accepted:
        row = _row(item, sender, sentiments.get(item.id))
        rows = mention_rows(row, mentions.get(item.id, ()))
        prepared.append(Prepared(row, rows, facts_of(row, rows, item.at.form)))
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
    rollups.add(connection, merge(deltas(item.facts) for item in fresh), stores)
    opened = [item.case for item in fresh if item.case is not None]
    if opened:
        connection.execute(sa.insert(Case.__table__), opened)
    return new


def _write_each(db: Database, prepared: Sequence[Prepared]) -> tuple[set[UUID], dict[UUID, Problem]]:
    """Write a batch; where the database refuses its content, an item at a time: a bad one takes nothing with it.

    A fault that passes (locked, full, gone) is raised: the sender keeps its items and tries again.
    """
    try:
        return db.write(lambda connection: write(connection, prepared)), {}
    except (DataError, IntegrityError):
        log.warning("a batch of %d was refused and is written item by item", len(prepared), exc_info=True)
    new: set[UUID] = set()
    failed: dict[UUID, Problem] = {}
    for item in prepared:
        try:
            new |= db.write(lambda connection, item=item: write(connection, [item]))  # type: ignore[misc]
        except (DataError, IntegrityError):
            log.exception("a response was refused by the database")
            failed[item.id] = Problem("not_storable")
    return new, failed


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


def _accept_each(
    items: Sequence[Any], finder: responses.FindForm, received_at: datetime, sent_at: datetime | None
) -> _Batch:
    batch = _Batch()
    for index, item in enumerate(items):
        try:
            batch.accepted[index] = responses.accept(item, finder, received_at, sent_at)
        except Invalid as invalid:
            batch.outcomes[index] = Outcome(_id_of(item), REJECTED, invalid.problems[0])
        except Problem as problem:
            batch.outcomes[index] = Outcome(_id_of(item), REJECTED, problem)
    return batch


def record(db: Database, items: Sequence[Any], sender: Sender, sent_at: datetime | None = None) -> list[Outcome]:
    """Take a batch of a device or a kiosk page in; answer item by item, in the order sent.

    `stored` means on disk. An id that is already there is a `duplicate` with the same content and a conflict with
    other; a bad item is `rejected` with its first problem and takes no neighbour with it. Ids come back as sent.
    `sent_at` is the sender's clock at the sending, by which its times are corrected.
    """
    with db.read(SYSTEM) as session:
        batch = _accept_each(items, finder(db, session, sender), now(), sent_at)
        first = batch.once()
        known = stored.digests(session, list(first))
    fresh = [got for response_id, got in first.items() if response_id not in known]
    new, failed = _write_each(db, prepare(fresh, sender)) if fresh else (set(), {})
    raced = [got.id for got in fresh if got.id not in new and got.id not in failed]
    if raced:
        with db.read(SYSTEM) as session:
            known.update(stored.digests(session, raced))
    for index, got in batch.accepted.items():
        if got.id in failed:
            batch.outcomes[index] = Outcome(_id_of(items[index]), REJECTED, failed[got.id])
        elif got.id in new and first[got.id] is got:
            batch.outcomes[index] = Outcome(_id_of(items[index]), STORED)
            known[got.id] = got.digest
        else:
            batch.outcomes[index] = _repeat(got, known, _id_of(items[index]))
    return [batch.outcomes[index] for index in range(len(items))]


def _repeat(got: Accepted, known: Mapping[UUID, str], shown: str | None = None) -> Outcome:
    shown = shown or str(got.id)
    if got.id not in known:
        return Outcome(shown, REJECTED, Problem("not_storable"))
    if known[got.id] == got.digest:
        return Outcome(shown, DUPLICATE)
    return Outcome(shown, REJECTED, Problem("conflict", "id"))


def hand_in(
    db: Database, at: PointForm, response_id: UUID, answers: Mapping[str, Any], language: str | None
) -> Outcome:
    """Take in one response of a page; raise Invalid with a problem per field, or a conflict of ids."""
    accepted = responses.build(response_id, at, answers, now(), language=language)
    return store(db, accepted, Sender(points=frozenset({at.point_id})))


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
