"""A chain's own sentiment models, and the comments with a label that they learn from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.storage.tables import Correction, Response, SentimentModel

_models = SentimentModel.__table__
_responses = Response.__table__
_corrections = Correction.__table__
NO_FLAGS = "[]"
BATCH = 1_000


def in_use(connection: Connection) -> sa.Row[Any] | None:
    """Return version, created_at and basis of the model in use; None where the shipped one is."""
    query: sa.Select[Any] = sa.select(_models.c.version, _models.c.created_at, _models.c.basis).where(_models.c.in_use)
    return connection.execute(query).first()


def weights(connection: Connection, version: int) -> bytes:
    """Return the weights of a version as they were kept."""
    found: bytes = connection.execute(sa.select(_models.c.weights).where(_models.c.version == version)).scalar_one()
    return found


def lock(connection: Connection) -> None:
    """Let nobody else add a model until the transaction ends; on SQLite nobody else writes anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"LOCK TABLE {_models.name} IN EXCLUSIVE MODE"))


def add(connection: Connection, values: Mapping[str, Any]) -> int:
    """Insert a model under the next version, and return that; one that is in use takes the place of all others."""
    newest = connection.execute(sa.select(sa.func.max(_models.c.version))).scalar()
    version = (newest or 0) + 1
    if values["in_use"]:
        connection.execute(sa.update(_models).where(_models.c.in_use).values(in_use=False))
    connection.execute(sa.insert(_models).values(version=version, **values))
    return version


def labelled(connection: Connection, until: datetime) -> Iterator[sa.Row[Any]]:
    """Yield comments received by a time that have a score or were corrected by staff, newest first, not all at once.

    Left out are those voided or flagged. `label`, `mentions` and `corrected_at` are the correction's, None without one.
    """
    query: sa.Select[Any] = (
        sa.select(
            _responses.c.comment,
            _responses.c.language,
            _responses.c.score,
            _responses.c.occurred_at,
            _responses.c.received_at,
            _corrections.c.label,
            _corrections.c.mentions,
            _corrections.c.corrected_at,
        )
        .select_from(_responses.outerjoin(_corrections, _corrections.c.response_id == _responses.c.id))
        .where(
            _responses.c.comment.is_not(None),
            _responses.c.voided_at.is_(None),
            _responses.c.received_at <= until,
            sa.cast(_responses.c.flags, sa.Text) == NO_FLAGS,
            sa.or_(_responses.c.score.is_not(None), _corrections.c.response_id.is_not(None)),
        )
        .order_by(_responses.c.occurred_at.desc(), _responses.c.id.desc())
    )
    with connection.execute(query, execution_options={"stream_results": True, "yield_per": BATCH}) as rows:
        yield from rows
