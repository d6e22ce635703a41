"""Letters to the people of a store, written into the outbox beside their cause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.storage import house
from feedback_app.storage.tables import Role, Store, User, user_regions, user_roles, user_stores

LETTER = "letter"


def managers_of(connection: Connection, store_id: int) -> list[tuple[str, str | None]]:
    """Return the addresses and languages of the active managers of a store or of its region, each once."""
    users = User.__table__
    by_store = sa.select(user_stores.c.user_id).where(user_stores.c.store_id == store_id)
    by_region = (
        sa.select(user_regions.c.user_id)
        .join(Store.__table__, Store.__table__.c.region_id == user_regions.c.region_id)
        .where(Store.__table__.c.id == store_id)
    )
    query = (
        sa.select(users.c.email, users.c.language)
        .join(user_roles, user_roles.c.user_id == users.c.id)
        .join(Role.__table__, Role.__table__.c.id == user_roles.c.role_id)
        .where(users.c.active, Role.__table__.c.name == "manager")
        .where(sa.or_(users.c.id.in_(by_store), users.c.id.in_(by_region)))
        .order_by(users.c.email)
    )
    return [(row.email, row.language) for row in connection.execute(query)]


def queue_new_entry(
    connection: Connection,
    entry_id: UUID,
    store_id: int,
    store_code: str,
    number: int,
    row: Mapping[str, Any],
    now: datetime,
) -> None:
    """Queue a letter to each manager of the store that an entry waits for an answer; it holds no personal data."""
    for email, language in managers_of(connection, store_id):
        payload = {
            "to": email,
            "language": language or "ru",
            "values": {
                "store": store_code,
                "number": number,
                "year": row["year"],
                "kind": row["kind"],
                "due_on": row["due_on"].isoformat(),
            },
        }
        house.add_job(connection, f"entry:{entry_id}:{email}", LETTER, payload, now)
