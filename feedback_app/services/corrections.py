"""Corrections: staff say how a comment is to be read, and that outranks every model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain import corrections as rule
from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import Forbidden, NotFound
from feedback_app.services import comments, own_aspects, own_model, readings
from feedback_app.services.clock import now
from feedback_app.services.comments import Comment
from feedback_app.services.own_aspects import Mapped
from feedback_app.services.readings import Reading
from feedback_app.storage import corrections as kept
from feedback_app.storage import house, rollups
from feedback_app.storage import responses as stored
from feedback_app.storage.corrections import Made
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Response

__all__ = ["Made", "Subject", "correct", "look", "undo"]


@dataclass(frozen=True)
class Subject:
    """A comment to be corrected: what the model read, what counts now, and the correction where there is one."""

    comment: Comment
    model: Reading
    counts: Reading
    made: Made | None


def look(db: Database, access: Access, response_id: UUID) -> Subject:
    """Return a comment with what was read in it; raise NotFound outside the reader's scope or without words."""
    _require(access)
    own_model.keep_current(db)
    with db.read(access) as session:
        row = _commented(session, response_id)
        made = kept.made(session, response_id)
        comment, model = comments.one(session, row), _read(session, row, own_aspects.of(db))
    return Subject(comment, model, readings.corrected(model, made.correction if made else None), made)


def correct(
    db: Database,
    access: Access,
    response_id: UUID,
    label: str | None,
    mentions: Iterable[Sequence[str]] | None,
    at: datetime,
) -> None:
    """Keep how a comment is to be read, in the place of an earlier correction, and count it so.

    `label` and `mentions`, (aspect, label) each, are None where the model's stand. Raises Invalid for what is no
    correction (see `domain.corrections.parse`), NotFound outside the reader's scope or without words. The audit trail
    says what was corrected to what, without the words of the comment.
    """
    user_id, wanted = _require(access), rule.parse(label, mentions)

    def keep(link: Connection, store_id: int) -> bool:
        if kept.of(link, [response_id]).get(response_id) == wanted:
            return False
        kept.keep(link, response_id, store_id, wanted, at, user_id)
        house.audit(link, at, access.actor, "response.correct", f"response:{response_id}", wanted.stored())
        return True

    _change(db, access, response_id, keep)


def undo(db: Database, access: Access, response_id: UUID) -> None:
    """Take a correction away, so that the comment counts as the model reads it now; nothing where there is none.

    Raises NotFound outside the reader's scope or without words.
    """
    _require(access)

    def remove(link: Connection, _store_id: int) -> bool:
        if not kept.remove(link, response_id):
            return False
        house.audit(link, now(), access.actor, "response.undo_correction", f"response:{response_id}")
        return True

    _change(db, access, response_id, remove)


def _require(access: Access) -> int:
    """Return the id of somebody who may correct, or raise Forbidden: a correction has a person behind it."""
    access.require(Right.CORRECT_READINGS)
    if access.user_id is None:
        raise Forbidden("forbidden", right=str(Right.CORRECT_READINGS))
    return access.user_id


def _change(db: Database, access: Access, response_id: UUID, change: Callable[[Connection, int], bool]) -> None:
    """Change a response's correction and all that follows from it in one transaction.

    The model reads before anything is locked. `change` gets the store and says whether it changed anything.
    """
    own_model.keep_current(db)
    with db.read(access) as session:
        reading = _read(session, _commented(session, response_id), own_aspects.of(db))

    def work(link: Connection) -> None:
        row = stored.locked(link, [response_id]).get(response_id)
        if row is None or row["voided_at"] is not None or row["comment"] != reading.comment:
            raise NotFound("unknown_response")
        if change(link, row["store_id"]):
            readings.write(db, link, {response_id: reading})
            # Also where no count moved: the comment's mark did.
            rollups.bump(link, [row["store_id"]])

    db.write(work)


def _commented(session: Session, response_id: UUID) -> Response:
    query = sa.select(Response).where(
        Response.id == response_id, Response.voided_at.is_(None), Response.comment.is_not(None)
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound("unknown_response")
    return row


def _read(session: Session, row: Response, own: Mapped) -> Reading:
    asked = {"id": row.id, "comment": row.comment, "language": row.language, "point_id": row.point_id}
    return readings.by_model([asked], readings.spots(session.connection()), own)[row.id]
