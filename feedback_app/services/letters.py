"""Letters, written into the outbox beside their cause: to the people of a store, to directors, to the writer.

A letter's job says its kind, its reader's language and the values that its words need; the words are made at the
sending. No letter to staff holds personal data: it says where to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.storage import house
from feedback_app.storage.tables import Case, Role, Store, User, user_regions, user_roles, user_stores

LETTER = "letter"
ENTRY, OPENED, ASSIGNED, DUE, ESCALATED, FORWARDED, ANSWER, HEADS = (
    "entry",
    "opened",
    "assigned",
    "due",
    "escalated",
    "forwarded",
    "answer",
    "heads",
)
KINDS = (ENTRY, OPENED, ASSIGNED, DUE, ESCALATED, FORWARDED, ANSWER, HEADS)
DEFAULT_LANGUAGE = "ru"
Reader = tuple[str, str | None]
"""Address and language of somebody who gets a letter."""
_users, _roles, _stores, _cases = User.__table__, Role.__table__, Store.__table__, Case.__table__


# --- who is told ------------------------------------------------------------------------------------------------


def _active(role: str) -> sa.Select[Any]:
    return (
        sa.select(_users.c.email, _users.c.language)
        .join(user_roles, user_roles.c.user_id == _users.c.id)
        .join(_roles, _roles.c.id == user_roles.c.role_id)
        .where(_users.c.active, _roles.c.name == role)
        .order_by(_users.c.email)
    )


def _given(store_id: int) -> sa.ColumnElement[bool]:
    """Say that a store was given to a user, by itself or by its region."""
    by_store = sa.select(user_stores.c.user_id).where(user_stores.c.store_id == store_id)
    by_region = (
        sa.select(user_regions.c.user_id)
        .join(_stores, _stores.c.region_id == user_regions.c.region_id)
        .where(_stores.c.id == store_id)
    )
    return sa.or_(_users.c.id.in_(by_store), _users.c.id.in_(by_region))


def _readers(connection: Connection, query: sa.Select[Any]) -> list[Reader]:
    return [(row.email, row.language) for row in connection.execute(query)]


def managers_of(connection: Connection, store_id: int) -> list[Reader]:
    """Return the active managers of a store or of its region, each once."""
    return _readers(connection, _active("manager").where(_given(store_id)))


def directors_of(connection: Connection, store_id: int) -> list[Reader]:
    """Return the active directors who see a store; where there are none, the administrators."""
    limited = sa.union(sa.select(user_stores.c.user_id), sa.select(user_regions.c.user_id))
    sees_all = _users.c.id.not_in(limited)
    found = _readers(connection, _active("director").where(sa.or_(sees_all, _given(store_id))))
    return found or _readers(connection, _active("admin"))


def user_of(connection: Connection, user_id: int) -> list[Reader]:
    """Return an active user; nobody where there is no such user."""
    query = sa.select(_users.c.email, _users.c.language).where(_users.c.id == user_id, _users.c.active)
    return _readers(connection, query)


# --- what they are told -----------------------------------------------------------------------------------------


def queue(
    connection: Connection, key: str, to: str, language: str | None, kind: str, values: Mapping[str, Any], now: datetime
) -> bool:
    """Write a letter of a kind into the outbox and say whether it is new; the same key again changes nothing."""
    payload = {"to": to, "language": language or DEFAULT_LANGUAGE, "letter": kind, "values": dict(values)}
    return house.add_job(connection, key, LETTER, payload, now)


def _queue_all(
    connection: Connection, key: str, readers: Iterable[Reader], kind: str, values: Mapping[str, Any], now: datetime
) -> int:
    return sum(queue(connection, f"{key}:{email}", email, language, kind, values, now) for email, language in readers)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def case_values(connection: Connection, case_id: int) -> tuple[int, dict[str, Any]] | None:
    """Return the store of a case and what letters say of it: no name, no contact, no words."""
    query = (
        sa.select(_cases.c.store_id, _cases.c.reason, _cases.c.due_on, _cases.c.assignee_id, _stores.c.code)
        .join(_stores, _stores.c.id == _cases.c.store_id)
        .where(_cases.c.id == case_id)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return row.store_id, {"case": case_id, "store": row.code, "kind": row.reason, "due_on": _iso(row.due_on)}


def queue_new_entry(
    connection: Connection,
    entry_id: UUID,
    store_id: int,
    store_code: str,
    number: int,
    row: Mapping[str, Any],
    now: datetime,
) -> None:
    """Queue a letter to each manager of the store that an entry waits for an answer."""
    values = {
        "store": store_code,
        "number": number,
        "year": row["year"],
        "kind": row["kind"],
        "due_on": row["due_on"].isoformat(),
    }
    _queue_all(connection, f"entry:{entry_id}", managers_of(connection, store_id), ENTRY, values, now)


def queue_opened(connection: Connection, case_id: int, now: datetime) -> None:
    """Queue a letter to the store's managers, where it has none to the directors, that a case opened by itself."""
    found = case_values(connection, case_id)
    if found is not None:
        store_id, values = found
        readers = managers_of(connection, store_id) or directors_of(connection, store_id)
        _queue_all(connection, f"opened:{case_id}", readers, OPENED, values, now)


def queue_assigned(connection: Connection, case_id: int, store_code: str, user_id: int, now: datetime) -> None:
    """Queue a letter to a user that a case is theirs from now on; each assignment is a letter of its own."""
    found = case_values(connection, case_id)
    if found is not None:
        values = {**found[1], "store": store_code}
        key = f"assigned:{case_id}:{now.isoformat()}"
        _queue_all(connection, key, user_of(connection, user_id), ASSIGNED, values, now)


def queue_forwarded(
    connection: Connection,
    case_id: int,
    to: str,
    language: str | None,
    now: datetime,
) -> None:
    """Queue a letter to whom a case was forwarded: that it is there, and by when; the entry itself is not in it."""
    found = case_values(connection, case_id)
    if found is not None:
        queue(connection, f"forwarded:{case_id}:{now.isoformat()}:{to}", to, language, FORWARDED, found[1], now)


def queue_answer(
    connection: Connection, key: str, to: str, language: str | None, subject: str, body: str, now: datetime
) -> None:
    """Queue an answer to the writer, as it stands; once it is sent, the outbox forgets its words.

    `key` says which answer it is, without personal data: it is kept, and makes the letter's Message-ID.
    """
    one_line = " ".join(subject.split())
    queue(connection, key, to, language, ANSWER, {"subject": one_line, "body": body}, now)


def forget(connection: Connection, key: str, now: datetime) -> None:
    """Take an answer back out of the outbox: it is not sent any more, and its words are gone."""
    house.forget_job(connection, key, now)


def queue_due(connection: Connection, case_id: int, day: date, now: datetime) -> int:
    """Queue a reminder, once a day, to who works on a case, else to the store's managers; return how many."""
    found = case_values(connection, case_id)
    if found is None:
        return 0
    store_id, values = found
    assignee = connection.execute(sa.select(_cases.c.assignee_id).where(_cases.c.id == case_id)).scalar_one()
    readers = user_of(connection, assignee) if assignee is not None else []
    readers = readers or managers_of(connection, store_id) or directors_of(connection, store_id)
    return _queue_all(connection, f"due:{case_id}:{day.isoformat()}", readers, DUE, values, now)


def queue_escalated(connection: Connection, case_id: int, now: datetime) -> int:
    """Queue letters to the directors that nobody has answered yet, once for each deadline; return how many."""
    found = case_values(connection, case_id)
    if found is None:
        return 0
    store_id, values = found
    key = f"escalated:{case_id}:{values['due_on']}"
    return _queue_all(connection, key, directors_of(connection, store_id), ESCALATED, values, now)


def queue_heads(
    connection: Connection,
    day: date,
    addresses: Iterable[str],
    heads: Iterable[tuple[Any, ...]],
    language: str | None,
    now: datetime,
) -> int:
    """Queue the heads of the register, as they stand now: store code, count and last link; return how many letters."""
    values = {"day": day.isoformat(), "heads": [list(head) for head in heads]}
    readers = [(address, language) for address in addresses]
    return _queue_all(connection, f"heads:{day.isoformat()}", readers, HEADS, values, now)
