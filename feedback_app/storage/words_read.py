"""Reading people's words, newest first, a page at a time by key: a page costs the same wherever it stands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from feedback_app.storage.tables import MentionRow, Response

NO_FLAGS = "[]"
CHUNK = 500
LONGEST_WALK = 2_000
"""Mentions walked by one query at most, where few of them are of responses that are wanted."""


class Place(NamedTuple):
    """Where a page ends: the moment and id of its last response."""

    occurred_at: datetime
    response_id: UUID


@dataclass(frozen=True)
class Stretch:
    """Points that share a time zone, and the moments looked at there; the end is left out, None is open."""

    points: tuple[int, ...]
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Wanted:
    """Which responses are read; empty channels and no stretch limits are all. Voided ones never are."""

    stretches: tuple[Stretch, ...]
    stores: tuple[int, ...] = ()
    channels: Collection[str] = ()
    flagged: bool = False


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [
        Response.voided_at.is_(None),
        sa.or_(sa.false(), *(_inside(stretch) for stretch in wanted.stretches)),
    ]
    if wanted.stores:
        conditions.append(Response.store_id.in_(wanted.stores))
    if wanted.channels:
        conditions.append(Response.channel.in_(sorted(wanted.channels)))
    if not wanted.flagged:
        conditions.append(sa.cast(Response.flags, sa.Text) == NO_FLAGS)
    return conditions


def _inside(stretch: Stretch) -> sa.ColumnElement[bool]:
    parts: list[sa.ColumnElement[bool]] = [Response.point_id.in_(stretch.points)]
    if stretch.since is not None:
        parts.append(Response.occurred_at >= stretch.since)
    if stretch.until is not None:
        parts.append(Response.occurred_at < stretch.until)
    return sa.and_(*parts)


def _after(when: Any, which: Any, last: Place | None) -> list[sa.ColumnElement[bool]]:
    if last is None:
        return []
    # The first condition says nothing new, but it is the one that an index can be walked by.
    same = sa.and_(when == last.occurred_at, which < last.response_id)
    return [when <= last.occurred_at, sa.or_(when < last.occurred_at, same)]


def commented(session: Session, wanted: Wanted, last: Place | None, limit: int) -> list[Response]:
    """Return responses with words, newest first, those after `last`."""
    return page(session, wanted, last, limit, [Response.comment.is_not(None)])


def of_aspect_alone(session: Session, wanted: Wanted, aspect: str, limit: int) -> list[Response]:
    """Return responses whose words speak of one aspect and nothing else, newest first."""
    its_own = sa.select(MentionRow.response_id).where(MentionRow.response_id == Response.id)
    further = [
        Response.comment.is_not(None),
        its_own.where(MentionRow.aspect == aspect).exists(),
        ~its_own.where(MentionRow.aspect != aspect).exists(),
    ]
    return page(session, wanted, None, limit, further)


def page(
    session: Session,
    wanted: Wanted,
    last: Place | None,
    limit: int | None,
    further: Sequence[sa.ColumnElement[bool]] = (),
) -> list[Response]:
    """Return responses, newest first, those after `last`; a `limit` of None is all of them."""
    query = (
        sa.select(Response)
        .where(*_conditions(wanted), *further, *_after(Response.occurred_at, Response.id, last))
        .order_by(Response.occurred_at.desc(), Response.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def located(session: Session, wanted: Wanted, stage: str, last: Place | None, limit: int) -> list[Response]:
    """Return responses with words located on a stage, newest first, those after `last`."""
    found: dict[UUID, Response] = {}
    size = 2 * limit
    while len(found) < limit:
        rows = session.execute(_with_responses(wanted, _newest_mentions(wanted, stage, last, size))).all()
        found.update((row[1], row[2]) for row in rows if row[2] is not None)
        if len(rows) < size:
            break
        # A response's other mentions share its moment and id, so that going on after it skips nobody else.
        last = Place(rows[-1][0], rows[-1][1])
        size = min(2 * size, max(LONGEST_WALK, 2 * limit))
    return list(found.values())[:limit]


def _newest_mentions(wanted: Wanted, stage: str, last: Place | None, limit: int) -> sa.Subquery:
    conditions = [MentionRow.stage == stage, *_after(MentionRow.occurred_at, MentionRow.response_id, last)]
    if wanted.stores:
        conditions.append(MentionRow.store_id.in_(wanted.stores))
    if wanted.channels:
        conditions.append(MentionRow.channel.in_(sorted(wanted.channels)))
    starts = [stretch.since for stretch in wanted.stretches if stretch.since is not None]
    ends = [stretch.until for stretch in wanted.stretches if stretch.until is not None]
    if starts and len(starts) == len(wanted.stretches):
        conditions.append(MentionRow.occurred_at >= min(starts))
    if ends and len(ends) == len(wanted.stretches):
        conditions.append(MentionRow.occurred_at < max(ends))
    return (
        sa.select(MentionRow.occurred_at, MentionRow.response_id)
        .where(*conditions)
        .order_by(MentionRow.occurred_at.desc(), MentionRow.response_id.desc())
        .limit(limit)
        .subquery()
    )


def _with_responses(wanted: Wanted, newest: sa.Subquery) -> sa.Select[Any]:
    """Join to each mention its response, none where that is not wanted.

    An outer join, because an inner one may be turned round: then SQLite walks all responses of a store and looks
    for each of them through all its mentions.
    """
    its_own = sa.and_(Response.id == newest.c.response_id, *_conditions(wanted))
    return (
        sa.select(newest.c.occurred_at, newest.c.response_id, Response)
        .select_from(newest)
        .outerjoin(Response, its_own)
        .order_by(newest.c.occurred_at.desc(), newest.c.response_id.desc())
    )


def mentions(session: Session, ids: Collection[UUID]) -> dict[UUID, list[MentionRow]]:
    """Return the mentions of responses, in the order of the text."""
    found: dict[UUID, list[MentionRow]] = {}
    every = list(ids)
    for start in range(0, len(every), CHUNK):
        query = sa.select(MentionRow).where(MentionRow.response_id.in_(every[start : start + CHUNK]))
        for row in session.scalars(query.order_by(MentionRow.response_id, MentionRow.position)):
            found.setdefault(row.response_id, []).append(row)
    return found
