"""Settings, the audit trail and the outbox of jobs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.storage.database import insert_or
from feedback_app.storage.tables import AuditEvent, Job, Setting

_settings = Setting.__table__
_jobs = Job.__table__
LEASE = timedelta(minutes=10)
"""Longer than the slowest job: a mail server may take its time at each of about ten steps of one letter."""


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


def add_setting(connection: Connection, key: str, value: Mapping[str, Any]) -> None:
    """Set a setting that was never set; leave one that was as it is."""
    insert = insert_or(connection, _settings).values(key=key, value=dict(value))
    connection.execute(insert.on_conflict_do_nothing(index_elements=["key"]))


def audit(
    connection: Connection, at: datetime, actor: str, action: str, thing: str, details: Mapping[str, Any] | None = None
) -> None:
    """Append who did what to what, in the transaction that does it."""
    connection.execute(
        sa.insert(AuditEvent.__table__).values(
            at=at, actor=actor, action=action, object=thing, details=dict(details or {})
        )
    )


def add_job(connection: Connection, key: str, kind: str, payload: Mapping[str, Any], now: datetime) -> bool:
    """Write a job beside its cause and say whether it is new; the same key again changes nothing."""
    insert = insert_or(connection, _jobs).values(
        key=key, kind=kind, payload=dict(payload), created_at=now, due_at=now, attempts=0
    )
    insert = insert.on_conflict_do_nothing(index_elements=["key"]).returning(_jobs.c.id)
    return connection.execute(insert).first() is not None


def lease_job(connection: Connection, now: datetime, kinds: Sequence[str], due_by: datetime) -> dict[str, Any] | None:
    """Take the job that is due longest under a lease that begins now; None where none was due by `due_by`.

    Until the lease ends nobody else takes it; a runner that dies leaves it to others.
    """
    free = sa.or_(_jobs.c.leased_until.is_(None), _jobs.c.leased_until < now)
    query = (
        sa.select(_jobs.c.id)
        .where(_jobs.c.done_at.is_(None), _jobs.c.failed_at.is_(None), _jobs.c.due_at <= due_by, free)
        .where(_jobs.c.kind.in_(kinds))
        .order_by(_jobs.c.due_at, _jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    job_id = connection.execute(query).scalar_one_or_none()
    if job_id is None:
        return None
    taken = (
        sa.update(_jobs)
        .where(_jobs.c.id == job_id)
        .values(lease=secrets.token_hex(8), leased_until=now + LEASE, attempts=_jobs.c.attempts + 1)
        .returning(*_jobs.c)
    )
    return dict(connection.execute(taken).mappings().one())


def finish_job(
    connection: Connection, job: Mapping[str, Any], now: datetime, left: Mapping[str, Any] | None = None
) -> None:
    """Mark a leased job as done; a lease that ended meanwhile belongs to another.

    `left` takes the place of the payload where that is not to be kept.
    """
    values: dict[str, Any] = {"done_at": now, "leased_until": None, "last_error": None}
    if left is not None:
        values["payload"] = dict(left)
    mine = sa.and_(_jobs.c.id == job["id"], _jobs.c.lease == job["lease"])
    connection.execute(sa.update(_jobs).where(mine).values(values))


def forget_job(connection: Connection, key: str, now: datetime) -> None:
    """Take a job's words away and never do it: what it was to say is erased."""
    wanted = sa.and_(_jobs.c.key == key, _jobs.c.done_at.is_(None))
    connection.execute(sa.update(_jobs).where(wanted).values(done_at=now, leased_until=None))
    connection.execute(sa.update(_jobs).where(_jobs.c.key == key).values(payload={}))


def forget_jobs(connection: Connection, like: str, now: datetime) -> None:
    """Take the words of all jobs away whose keys are like a pattern of SQL, and never do them."""
    for key in connection.execute(sa.select(_jobs.c.key).where(_jobs.c.key.like(like))).scalars().all():
        forget_job(connection, key, now)


@dataclass(frozen=True)
class Stuck:
    """Jobs that are not done, and what went wrong last with one of them; None where nothing was tried."""

    count: int
    last_error: str | None


def failed_jobs(connection: Connection, kind: str) -> Stuck:
    """Return the jobs of a kind that were given up."""
    return _stuck(connection, _jobs.c.kind == kind, _jobs.c.failed_at.is_not(None))


def waiting_jobs(connection: Connection, kind: str, before: datetime) -> Stuck:
    """Return the jobs of a kind that were written before a time and are neither done nor given up."""
    still = (_jobs.c.done_at.is_(None), _jobs.c.failed_at.is_(None), _jobs.c.created_at < before)
    return _stuck(connection, _jobs.c.kind == kind, *still)


def _stuck(connection: Connection, *conditions: sa.ColumnElement[bool]) -> Stuck:
    count = connection.execute(sa.select(sa.func.count()).where(*conditions).select_from(_jobs)).scalar_one()
    last = sa.select(_jobs.c.last_error).where(*conditions, _jobs.c.last_error.is_not(None))
    return Stuck(count, connection.execute(last.order_by(_jobs.c.id.desc()).limit(1)).scalar_one_or_none())


def retry_job(connection: Connection, job: Mapping[str, Any], due_at: datetime | None, now: datetime, why: str) -> None:
    """Give a job that failed back to be tried at `due_at`, or for good where that is None."""
    values: dict[str, Any] = {"leased_until": None, "last_error": why[:500]}
    values.update({"failed_at": now} if due_at is None else {"due_at": due_at})
    connection.execute(sa.update(_jobs).where(_jobs.c.id == job["id"], _jobs.c.lease == job["lease"]).values(**values))
