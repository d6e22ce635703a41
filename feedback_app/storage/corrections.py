"""Corrections of staff, in and out of the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain.corrections import Correction
from feedback_app.storage.database import insert_or
from feedback_app.storage.many import chunks
from feedback_app.storage.tables import Correction as CorrectionRow
from feedback_app.storage.tables import User

_corrections = CorrectionRow.__table__
CHUNK = 500


class Made(NamedTuple):
    """A correction with when it was made and by whom: the user's e-mail."""

    correction: Correction
    at: datetime
    by: str


def of(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Correction]:
    """Return the corrections of responses, of those that have one."""
    found: dict[UUID, Correction] = {}
    for part in chunks(list(ids), CHUNK):
        for row in connection.execute(sa.select(_corrections).where(_corrections.c.response_id.in_(part))):
            found[row.response_id] = Correction(row.label, pairs(row.mentions))
    return found


def pairs(mentions: Sequence[Sequence[str]] | None) -> tuple[tuple[str, str], ...] | None:
    """Return corrected mentions as the domain has them, from how a row keeps them."""
    return None if mentions is None else tuple((aspect, label) for aspect, label in mentions)


def made(session: Session, response_id: UUID) -> Made | None:
    """Return the correction of a response in the reader's scope; None where there is none."""
    query = sa.select(CorrectionRow, User.email).join(User, User.id == CorrectionRow.corrected_by)
    found = session.execute(query.where(CorrectionRow.response_id == response_id)).one_or_none()
    if found is None:
        return None
    row, email = found
    return Made(Correction(row.label, pairs(row.mentions)), row.corrected_at, email)


def among(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Return which of these responses are corrected."""
    return {
        response_id
        for part in chunks(list(ids), CHUNK)
        for response_id in session.scalars(
            sa.select(CorrectionRow.response_id).where(CorrectionRow.response_id.in_(part))
        )
    }


def keep(
    connection: Connection, response_id: UUID, store_id: int, correction: Correction, at: datetime, user_id: int
) -> None:
    """Keep a correction in the place of the one before."""
    values = {**correction.stored(), "store_id": store_id, "corrected_at": at, "corrected_by": user_id}
    insert = insert_or(connection, _corrections).values(response_id=response_id, **values)
    anew = {name: insert.excluded[name] for name in values}
    connection.execute(insert.on_conflict_do_update(index_elements=["response_id"], set_=anew))


def remove(connection: Connection, response_id: UUID) -> bool:
    """Take a correction away and say whether there was one."""
    gone = connection.execute(sa.delete(_corrections).where(_corrections.c.response_id == response_id))
    return gone.rowcount > 0
