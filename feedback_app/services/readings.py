"""What is read in comments: by the models, then by staff, whose corrections outrank them; and writing it anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from analysis.journey import Mention, locate
from analysis.sentiment import Sentiment, score_comments
from feedback_app.domain import corrections as rule
from feedback_app.domain.corrections import Correction
from feedback_app.domain.journey import ASPECT_STAGES, stage_of_aspect
from feedback_app.domain.rollups import Key, Sums, change, merge
from feedback_app.services import catalogue, facts
from feedback_app.services.own_aspects import Mapped
from feedback_app.storage import corrections as kept
from feedback_app.storage import responses as stored
from feedback_app.storage import rollups
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Point, Touchpoint

Spot = tuple[str | None, str | None]
"""Key and stage of the touchpoint where a comment was left, None where it was the store as a whole."""


@dataclass(frozen=True)
class Reading:
    """What was read in a comment, where it was left, and the stage of each aspect in the chain."""

    comment: str
    spot: Spot
    sentiment: Sentiment
    mentions: Sequence[Mention]
    stages: Mapping[str, str] = field(default_factory=lambda: ASPECT_STAGES)


def spots(connection: Connection) -> dict[int, Spot]:
    """Return the touchpoint's key and stage of every point."""
    points, kinds = Point.__table__, Touchpoint.__table__
    query = sa.select(points.c.id, kinds.c.key, kinds.c.stage).outerjoin(kinds, kinds.c.id == points.c.touchpoint_id)
    return {row.id: (row.key, row.stage) for row in connection.execute(query)}


def by_model(rows: Sequence[Mapping[Any, Any]], places: Mapping[int, Spot], own: Mapped) -> dict[UUID, Reading]:
    """Return what the models in place and the chain's mapping read in comments, a touchpoint at a time."""
    found: dict[UUID, Reading] = {}
    groups: dict[Spot, list[Mapping[Any, Any]]] = {}
    for row in rows:
        groups.setdefault(places[row["point_id"]], []).append(row)
    for spot, members in groups.items():
        texts = [row["comment"] for row in members]
        hints = [row["language"] for row in members]
        sentiments = score_comments(texts, hints)
        located = locate(texts, hints, spot[0], aspect_stages=own.stages, touchpoint_stage=spot[1], own_words=own.words)
        for row, sentiment, mentions in zip(members, sentiments, located, strict=True):
            found[row["id"]] = Reading(row["comment"], spot, sentiment, mentions, own.stages)
    return found


def corrected(reading: Reading, correction: Correction | None) -> Reading:
    """Return a model's reading as staff corrected it; what they left to the model stays as it is."""
    if correction is None:
        return reading
    if correction.label is not None:
        reading = replace(reading, sentiment=_corrected_sentiment(reading.sentiment, correction.label))
    if correction.mentions is not None:
        reading = replace(reading, mentions=_corrected_mentions(reading, correction.mentions))
    return reading


def _corrected_sentiment(read: Sentiment, label: str) -> Sentiment:
    polarity = rule.polarity(label, read.label, read.polarity)
    terms = rule.carrying(read.terms, polarity)
    return replace(read, polarity=polarity, label=label, terms=terms, model=rule.MODEL)


def _corrected_mentions(reading: Reading, pairs: Sequence[rule.Pair]) -> list[Mention]:
    touchpoint, stage = reading.spot

    def stage_of(aspect: str) -> str:
        return stage_of_aspect(aspect, touchpoint, reading.stages, stage)

    found = rule.mentions(pairs, reading.mentions, reading.comment, stage_of)
    return [Mention(one.aspect, one.stage, one.polarity, one.start, one.end) for one in found]


def write(db: Database, connection: Connection, readings: Mapping[UUID, Reading]) -> int:
    """Write what models read, corrected by staff where they did, with the counts; return how many responses changed.

    The readings were made before anything was locked: a response voided or changed since then is left as it is.
    """
    ids = list(readings)
    rows_now = stored.locked(connection, ids)
    before_mentions = stored.mentions_of(connection, ids)
    corrections = kept.of(connection, ids)
    changes: list[dict[Key, Sums]] = []
    stores: dict[int, int] = {}
    for response_id, reading in readings.items():
        row = rows_now.get(response_id)
        if row is None or row["voided_at"] is not None or row["comment"] != reading.comment:
            continue
        final = corrected(reading, corrections.get(response_id))
        counted = _rewrite(db, connection, row, before_mentions.get(response_id, ()), final)
        if counted is not None:
            changes.append(counted)
            stores[row["point_id"]] = row["store_id"]
    # All together, so that the cells are taken in one order: two writers then never lock each other out.
    rollups.add(connection, merge(changes), stores)
    rollups.bump(connection, stores.values())
    return len(changes)


def _rewrite(
    db: Database,
    connection: Connection,
    row: Mapping[Any, Any],
    mentions: Iterable[Mapping[Any, Any]],
    reading: Reading,
) -> dict[Key, Sums] | None:
    """Write a response's reading and return what that adds to the counts; None where nothing differs."""
    before_rows = [dict(mention) for mention in mentions]
    columns = facts.sentiment_columns(reading.sentiment)
    rows = facts.mention_rows(row, reading.mentions)
    if all(row[name] == value for name, value in columns.items()) and before_rows == rows:
        return None
    form = catalogue.shelf(db).get(connection, row["form_version_id"])
    before = facts.facts_of(row, before_rows, form)
    after = facts.facts_of({**row, **columns}, rows, form)
    stored.update(connection, row["id"], columns)
    stored.delete_mentions(connection, [row["id"]])
    stored.insert_mentions(connection, rows)
    return change(before, after)
