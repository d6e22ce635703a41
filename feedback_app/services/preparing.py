"""From an accepted response to what is written of it: texts are scored and located here, before any write waits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from analysis.journey import Mention, locate
from analysis.sentiment import Sentiment, score_comments
from feedback_app.domain.errors import Problem
from feedback_app.domain.forms import Form
from feedback_app.domain.responses import Accepted
from feedback_app.domain.rollups import Facts, hour_of
from feedback_app.services.facts import facts_of, mention_rows, sentiment_columns
from feedback_app.services.own_aspects import Mapped
from feedback_app.services.senders import Sender
from feedback_app.storage.many import chunks

SLICE = 50
"""Texts analysed at a time."""
Analysed = tuple[dict[UUID, Sentiment], dict[UUID, list[Mention]]]
Analyse = Callable[[Sequence[Accepted]], Analysed]
_NOT_SCORED = sentiment_columns(None)
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Fate:
    """What became of a response: new, or the digest of the one of its id that was there, or why it was refused."""

    new: bool = False
    there: str | None = None
    problem: Problem | None = None


@dataclass(slots=True)
class Prepared:
    """A response ready to be written: its row and mentions, and the case it opens."""

    row: dict[str, Any]
    mentions: list[dict[str, Any]]
    form: Form
    stage: str | None = None
    """The stage of the touchpoint where it was left."""
    case: dict[str, Any] | None = None
    tells: bool = False
    """Whether the managers get a letter of its case."""
    fate: Fate = field(default_factory=Fate)

    @property
    def id(self) -> UUID:
        """Return the response's id."""
        found: UUID = self.row["id"]
        return found

    def facts(self) -> Facts:
        """Return what counting needs of the response."""
        return facts_of(self.row, self.mentions, self.form)

    def alike(self) -> Hashable:
        """Return what responses that add the same to the counts have in common; one with words is like no other."""
        row = self.row
        if row["comment"] is not None or self.mentions:
            return row["id"]
        return row["digest"], row["channel"], hour_of(row["occurred_at"]), bool(row["flags"])

    def flag(self, flag: str) -> None:
        """Flag the response: it is kept, and counted apart."""
        if flag not in self.row["flags"]:
            self.row["flags"] = [*self.row["flags"], flag]


def analyse_words(accepted: Sequence[Accepted], own: Mapped | None = None) -> Analysed:
    """Score and locate the comments, a touchpoint at a time; `own` is the chain's mapping of words and stages."""
    own = own or Mapped()
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
        located = locate(
            texts, hints, touchpoint, aspect_stages=own.stages, touchpoint_stage=stage, own_words=own.words
        )
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
        **(_NOT_SCORED if sentiment is None else sentiment_columns(sentiment)),
        "flags": item.flags,
        "unpaired": sender.unpaired if sender else False,
        "voided_at": None,
        "sequence": item.sequence,
        "skew_ms": item.skew_ms,
        "placed_by": item.placed_by,
    }


def prepare(
    accepted: Sequence[Accepted],
    sender: Sender | None = None,
    analyse: Analyse | None = None,
    own: Mapped | None = None,
) -> list[Prepared]:
    """Return what is to be written for accepted responses.

    `analyse` takes the place of the analysis where the caller keeps its results; `own` is the chain's mapping.
    """
    sentiments, mentions = _analyse_in_slices(accepted, analyse or partial(analyse_words, own=own))
    prepared = []
    for item in accepted:
        if item.comment is None:
            prepared.append(Prepared(_row(item, sender, None), [], item.at.form, item.at.stage))
        else:
            row = _row(item, sender, sentiments.get(item.id))
            prepared.append(Prepared(row, mention_rows(row, mentions.get(item.id, ())), item.at.form, item.at.stage))
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
