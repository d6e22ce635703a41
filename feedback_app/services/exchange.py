"""Out to files: responses, streamed row by row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import NotFound
from feedback_app.services import catalogue
from feedback_app.services.export_files import Progress, check_ending, iso, write_file
from feedback_app.storage.database import Database
from feedback_app.storage.tables import FormRow, FormVersion, Point, Region, Response, Store, Touchpoint

COLUMNS = (
    "id",
    "occurred_at",
    "occurred_local",
    "received_at",
    "store",
    "region",
    "touchpoint",
    "stage",
    "channel",
    "form",
    "form_version",
    "language",
    "score",
    "sentiment",
    "comment",
    "answers",
    "flags",
)
PAGE = 2_000


def _as_row(row: Any) -> dict[str, Any]:
    response: Response = row.Response
    return {
        "id": str(response.id),
        "occurred_at": iso(response.occurred_at),
        "occurred_local": response.occurred_at.astimezone(ZoneInfo(row.timezone)).isoformat(),
        "received_at": iso(response.received_at),
        "store": row.store,
        "region": row.region,
        "touchpoint": row.touchpoint,
        "stage": row.stage,
        "channel": response.channel,
        "form": row.form,
        "form_version": row.version,
        "language": response.language,
        "score": response.score,
        "sentiment": response.sentiment,
        "comment": response.comment,
        "answers": response.answers,
        "flags": response.flags,
    }


def _limited(query: Any, since: datetime | None, until: datetime | None, store: str | None) -> Any:
    query = query.where(Response.voided_at.is_(None))
    if since is not None:
        query = query.where(Response.occurred_at >= since)
    if until is not None:
        query = query.where(Response.occurred_at < until)
    return query.where(Store.code == store) if store is not None else query


def count_responses(
    db: Database,
    access: Access,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    store: str | None = None,
) -> int:
    """Return how many responses an export would hold."""
    with db.read(access) as session:
        query = sa.select(sa.func.count(Response.id)).join(Store, Store.id == Response.store_id)
        return session.execute(_limited(query, since, until, store)).scalar_one()


def page_of_responses(
    session: Session,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    store: str | None = None,
    touchpoint: str | None = None,
    channel: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = PAGE,
) -> list[dict[str, Any]]:
    """Return a page of responses in scope, oldest first, as export rows; voided ones are not among them.

    `since` is inside, `until` is not; `after` is the (occurred_at, id) of the last row of the page before.
    """
    query = (
        sa.select(
            Response,
            Store.code.label("store"),
            Store.timezone.label("timezone"),
            Region.key.label("region"),
            Touchpoint.key.label("touchpoint"),
            Touchpoint.stage.label("stage"),
            FormRow.key.label("form"),
            FormVersion.version.label("version"),
        )
        .join(Store, Store.id == Response.store_id)
        .join(Region, Region.id == Store.region_id)
        .join(Point, Point.id == Response.point_id)
        .outerjoin(Touchpoint, Touchpoint.id == Point.touchpoint_id)
        .join(FormVersion, FormVersion.id == Response.form_version_id)
        .join(FormRow, FormRow.id == FormVersion.form_id)
        .order_by(Response.occurred_at, Response.id)
        .limit(limit)
    )
    query = _limited(query, since, until, store)
    if touchpoint is not None:
        query = query.where(Touchpoint.key == touchpoint)
    if channel is not None:
        query = query.where(Response.channel == channel)
    if after is not None:
        query = query.where(sa.tuple_(Response.occurred_at, Response.id) > sa.tuple_(*_typed(after)))
    return [_as_row(row) for row in session.execute(query)]


def _typed(after: tuple[datetime, UUID]) -> tuple[Any, Any]:
    return sa.literal(after[0], Response.occurred_at.type), sa.literal(after[1], Response.id.type)


def responses(
    db: Database,
    access: Access,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    store: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield every response in scope as an export row, oldest first, page by page; raise NotFound for the store."""
    access.require(Right.READ_WORDS)
    with db.read(access) as session:
        if store is not None and catalogue.find_store(session, store) is None:
            raise NotFound("unknown_store")
        after: tuple[datetime, UUID] | None = None
        while page := page_of_responses(session, since=since, until=until, store=store, after=after):
            yield from page
            last = page[-1]
            after = (datetime.fromisoformat(last["occurred_at"]), UUID(last["id"]))
            session.expunge_all()


def export_responses(
    db: Database,
    access: Access,
    path: Path,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    store: str | None = None,
    progress: Progress = lambda _step: None,
) -> int:
    """Write the responses in scope to a file whose ending gives the format; return how many.

    The file appears under its name only when it is whole. Raises what `export_files.write_file` does, NotFound.
    """
    check_ending(path)
    return write_file(responses(db, access, since=since, until=until, store=store), COLUMNS, path, progress)
