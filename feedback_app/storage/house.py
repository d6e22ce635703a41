"""Settings, the audit trail and the outbox of jobs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.storage.database import insert_or
from feedback_app.storage.tables import AuditEvent, Job, Setting

_settings = Setting.__table__
_jobs = Job.__table__
LEASE = timedelta(minutes=2)


def get_setting(session: Session | Connection, key: str) -> dict[str, Any] | None:
    """Return a setting; None where it was never set."""
    found: dict[str, Any] | None = session.execute(
        sa.select(_settings.c.value).where(_settings.c.key == key)
    ).scalar_one_or_none()
    return found


def put_setting(connection: Connection, key: str, value: Mapping[str, Any]) -> None:
    """Set a setting, new or not."""
    insert = insert_or(connection, _settings).values(key=key, value=dict(value))
    connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_={"value": insert.excluded.value}))


def audit(
    connection: Connection, at: datetime, actor: str, action: str, thing: str, details: Mapping[str, Any] | None = None
) -> None:
    """Append who did what to what, in the transaction that does it."""
    connection.execute(
        sa.insert(AuditEvent.__table__).values(
            at=at, actor=actor, action=action, object=thing, details=dict(details or {})
        )
    )


def add_job(connection: Connection, key: str, kind: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Write a job beside its cause; the same key again changes nothing."""
    insert = insert_or(connection, _jobs).values(
        key=key, kind=kind, payload=dict(payload), created_at=now, due_at=now, attempts=0
    )
    connection.execute(insert.on_conflict_do_nothing(index_elements=["key"]))


def lease_jobs(connection: Connection, now: datetime, kinds: list[str], limit: int = 20) -> list[dict[str, Any]]:
    """Take due jobs under a lease: until it ends nobody else takes them; a runner that dies leaves them to others."""
    free = sa.or_(_jobs.c.leased_until.is_(None), _jobs.c.leased_until < now)
    query = (
        sa.select(_jobs.c.id)
        .where(_jobs.c.done_at.is_(None), _jobs.c.failed_at.is_(None), _jobs.c.due_at <= now, free)
        .where(_jobs.c.kind.in_(kinds))
        .order_by(_jobs.c.due_at, _jobs.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(connection.execute(query).scalars())
    if not ids:
        return []
    lease = secrets.token_hex(8)
    connection.execute(
        sa.update(_jobs)
        .where(_jobs.c.id.in_(ids))
        .values(lease=lease, leased_until=now + LEASE, attempts=_jobs.c.attempts + 1)
    )
    rows = connection.execute(sa.select(_jobs).where(_jobs.c.id.in_(ids)).order_by(_jobs.c.due_at, _jobs.c.id))
    return [dict(row) for row in rows.mappings()]


def finish_job(connection: Connection, job: Mapping[str, Any], now: datetime) -> None:
    """Mark a leased job as done; a lease that ended meanwhile belongs to another."""
    connection.execute(
        sa.update(_jobs)
        .where(_jobs.c.id == job["id"], _jobs.c.lease == job["lease"])
        .values(done_at=now, leased_until=None, last_error=None)
    )


def retry_job(connection: Connection, job: Mapping[str, Any], due_at: datetime | None, now: datetime, why: str) -> None:
    """Give a job that failed back to be tried at `due_at`, or for good where that is None."""
    values: dict[str, Any] = {"leased_until": None, "last_error": why[:500]}
    values.update({"failed_at": now} if due_at is None else {"due_at": due_at})
    connection.execute(sa.update(_jobs).where(_jobs.c.id == job["id"], _jobs.c.lease == job["lease"]).values(**values))
