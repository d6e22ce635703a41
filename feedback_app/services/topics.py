"""New topics: words that come again in the comments of a period that name no aspect."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from analysis.intervals import wilson
from analysis.metrics import Estimate, shown
from analysis.topics import Topic, topics
from feedback_app.domain.access import Access, Right
from feedback_app.services import comments, own_aspects
from feedback_app.services.comments import Comment
from feedback_app.services.figure_cache import cache_of
from feedback_app.services.ground import Ground, ground
from feedback_app.services.own_aspects import Mapped
from feedback_app.services.periods import Filters
from feedback_app.storage import rollups_read, words_read
from feedback_app.storage.database import Database

READ_AT_MOST = 2_000
"""Comments read for one page, the newest."""
UNCOVERED = "other"


@dataclass(frozen=True)
class Heard:
    """A topic: its words, its share of the comments read in per cent, and one comment as an example."""

    topic: Topic
    share: Estimate
    example: Comment


@dataclass(frozen=True)
class Topics:
    """The topics, the commonest first, of so many comments; `more` says that older ones were left unread."""

    heard: tuple[Heard, ...]
    read: int
    more: bool


def found(db: Database, access: Access, filters: Filters) -> Topics:
    """Return what comes again in comments that name no aspect.

    Raises Forbidden without the right to read words, NotFound for an unknown store, region or touchpoint.
    """
    access.require(Right.READ_WORDS)
    own = own_aspects.of(db)
    with db.read(access) as session:
        at = ground(session, filters)
        version = rollups_read.data_version(session)
        key = ("topics", access.stores, filters, own.edition)
        return cache_of(db).get(key, version, lambda: _found(session, at, own))


def _found(session: Session, at: Ground, own: Mapped) -> Topics:
    rows = words_read.of_aspect_alone(session, comments.wanted_of(at), UNCOVERED, READ_AT_MOST + 1)
    read = rows[:READ_AT_MOST]
    said = topics([(row.comment or "", row.sentiment_language) for row in read], own_words=own.words)
    examples = comments.several(session, [read[topic.example_index] for topic in said], at)
    heard = [Heard(topic, _share(topic.n, len(read)), example) for topic, example in zip(said, examples, strict=True)]
    return Topics(tuple(heard), len(read), len(rows) > READ_AT_MOST)


def _share(n: int, all_of_them: int) -> Estimate:
    low, high = wilson(n, all_of_them)
    return shown(Estimate(100 * n / all_of_them, 100 * low, 100 * high, all_of_them))
