"""What people wrote, behind a figure: newest first, a page at a time, with the words that carried the sentiment."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import Invalid, NotFound, Problem
from feedback_app.domain.journey import B2C_STAGES
from feedback_app.services.ground import Ground, StoreName, TouchpointName, ground, store_name, touchpoint_name
from feedback_app.services.periods import Filters
from feedback_app.storage import corrections, words_read
from feedback_app.storage.database import Database
from feedback_app.storage.tables import MentionRow, Response
from feedback_app.storage.words_read import Place, Stretch, Wanted

PAGE = 20
MOST = 200


@dataclass(frozen=True)
class Segment:
    """A part of a comment; `mark` says how its words sounded, None where they carried nothing."""

    text: str
    mark: str | None = None


@dataclass(frozen=True)
class Comment:
    """A comment with what was read in it and where it was left; the segments joined are the text."""

    id: UUID
    text: str
    segments: tuple[Segment, ...]
    aspects: tuple[str, ...]
    polarity: float | None
    label: str | None
    language: str | None
    store: StoreName
    touchpoint: TouchpointName | None
    channel: str
    occurred_at: datetime
    local: datetime
    score: float | None
    flagged: bool
    corrected: bool


@dataclass(frozen=True)
class CommentPage:
    """A page of comments; `next_cursor` asks for the one after it, None where this is the last."""

    comments: tuple[Comment, ...]
    next_cursor: str | None


def behind(
    db: Database,
    access: Access,
    filters: Filters,
    *,
    stage: str | None = None,
    touchpoint: str | None = None,
    cursor: str | None = None,
    limit: int = PAGE,
) -> CommentPage:
    """Return a page of the comments behind a stage's figures, a touchpoint's, or all.

    Stage: comments with words located on it. Touchpoint: comments left at it. Raises Forbidden without the right to
    read words, Invalid for a bad cursor, NotFound for an unknown stage, touchpoint or store.
    """
    access.require(Right.READ_WORDS)
    if stage is not None and stage not in B2C_STAGES:
        raise NotFound("unknown_stage")
    if touchpoint is not None and touchpoint != filters.touchpoint:
        if filters.touchpoint is not None:
            return CommentPage((), None)
        filters = replace(filters, touchpoint=touchpoint)
    last, size = read_cursor(cursor), max(1, min(limit, MOST))
    with db.read(access) as session:
        at = ground(session, filters)
        wanted = wanted_of(at)
        if stage is None:
            rows = words_read.commented(session, wanted, last, size + 1)
        else:
            rows = words_read.located(session, wanted, stage, last, size + 1)
        return CommentPage(several(session, rows[:size], at), cursor_after(rows, size))


def latest(session: Session, at: Ground, limit: int) -> tuple[Comment, ...]:
    """Return the newest comments of a ground; the caller has asked for the right to read words."""
    return several(session, words_read.commented(session, wanted_of(at), None, limit), at)


def one(session: Session, row: Response) -> Comment:
    """Return a single comment of the reader's scope."""
    return several(session, [row], ground(session, Filters()))[0]


def several(session: Session, rows: Sequence[Response], at: Ground) -> tuple[Comment, ...]:
    """Return responses with words as comments; the caller has asked for the right to read words."""
    ids = [row.id for row in rows]
    mentions, corrected = words_read.mentions(session, ids), corrections.among(session, ids)
    return tuple(_comment(row, mentions.get(row.id, []), at, row.id in corrected) for row in rows)


def wanted_of(at: Ground) -> Wanted:
    """Return which responses filters leave, for reading them one by one."""
    stretches = tuple(
        Stretch(span.points, *at.filters.period.moments(span.zone)) for span in at.spans(at.filters.period)
    )
    narrowed = at.filters.stores or at.filters.region
    stores = tuple(sorted({place.store_id for place in at.places.values()})) if narrowed else ()
    return Wanted(stretches, stores, at.filters.channels, at.filters.flagged)


# --- pages ------------------------------------------------------------------------------------------------------


def cursor_after(rows: Sequence[Response], size: int) -> str | None:
    """Return the cursor of the page after this one; `rows` hold one more than the page where there is one."""
    if len(rows) <= size:
        return None
    last = rows[size - 1]
    return cursor_of(last.occurred_at, last.id)


def cursor_of(occurred_at: datetime, response_id: UUID) -> str:
    """Return the cursor that stands at a response."""
    return base64.urlsafe_b64encode(f"{occurred_at.isoformat()}~{response_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str | None) -> Place | None:
    """Return where a cursor stands, or raise Invalid for one that we did not write."""
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        moment, _, response_id = raw.partition("~")
        return Place(datetime.fromisoformat(moment).astimezone(UTC), UUID(response_id))
    except (ValueError, binascii.Error, OverflowError):
        raise Invalid([Problem("bad_cursor", "cursor")]) from None


# --- words ------------------------------------------------------------------------------------------------------


def _comment(row: Response, mentions: Sequence[MentionRow], at: Ground, corrected: bool) -> Comment:
    place, text = at.places[row.point_id], row.comment or ""
    store = store_name(place)
    return Comment(
        id=row.id,
        text=text,
        segments=segments(text, row.terms or (), [(m.start, m.end, m.polarity) for m in mentions]),
        aspects=tuple(dict.fromkeys(mention.aspect for mention in mentions)),
        polarity=row.sentiment,
        label=row.sentiment_label,
        language=row.sentiment_language or row.language,
        store=store,
        touchpoint=touchpoint_name(place),
        channel=row.channel,
        occurred_at=row.occurred_at,
        local=row.occurred_at.astimezone(ZoneInfo(place.zone)),
        score=row.score,
        flagged=bool(row.flags),
        corrected=corrected,
    )


def segments(
    text: str, terms: Iterable[Sequence[Any]], mentions: Iterable[tuple[int, int, float | None]]
) -> tuple[Segment, ...]:
    """Return a text cut where marks begin and end; joined, the segments are the text.

    Marked are the terms, [words as written, weight], in the order in which they stand in the text; where no term is
    found, the clauses of the mentions (start, end, polarity).
    """
    spans = _spans_of_terms(text, terms) or [
        (start, end, polarity) for start, end, polarity in sorted(mentions, key=lambda m: m[:2]) if polarity
    ]
    cut: list[Segment] = []
    cursor = 0
    for start, end, weight in spans:
        begin = max(start, cursor)
        if not begin < end <= len(text):
            continue
        if begin > cursor:
            cut.append(Segment(text[cursor:begin]))
        cut.append(Segment(text[begin:end], "positive" if weight > 0 else "negative"))
        cursor = end
    if cursor < len(text):
        cut.append(Segment(text[cursor:]))
    return tuple(cut)


def _spans_of_terms(text: str, terms: Iterable[Sequence[Any]]) -> list[tuple[int, int, float]]:
    spans: list[tuple[int, int, float]] = []
    cursor = 0
    for words, weight in terms:
        start = text.find(words, cursor) if words else -1
        if start < 0:
            continue
        cursor = start + len(words)
        if weight:
            spans.append((start, cursor, float(weight)))
    return spans
