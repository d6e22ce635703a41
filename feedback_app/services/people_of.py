"""Who may work on the cases of a store, and who is behind a number of the register."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.storage.tables import Role, Store, User, user_regions, user_roles, user_stores

Reader = Session | Connection
users, roles, stores = User.__table__, Role.__table__, Store.__table__


@dataclass(frozen=True)
class Person:
    """Somebody of the staff, by address."""

    id: int
    email: str


def workers(reader: Reader, store_id: int) -> list[Person]:
    """Return the active managers and directors whose scope holds a store, by address.

    A director without stores and regions has every store in scope.
    """
    named = sa.select(user_stores.c.user_id).where(user_stores.c.store_id == store_id)
    of_region = (
        sa.select(user_regions.c.user_id)
        .join(stores, stores.c.region_id == user_regions.c.region_id)
        .where(stores.c.id == store_id)
    )
    bounded = sa.union(sa.select(user_stores.c.user_id), sa.select(user_regions.c.user_id))
    everywhere = sa.and_(roles.c.name == "director", users.c.id.not_in(bounded))
    query = (
        sa.select(users.c.id, users.c.email)
        .distinct()
        .join(user_roles, user_roles.c.user_id == users.c.id)
        .join(roles, roles.c.id == user_roles.c.role_id)
        .where(users.c.active, roles.c.name.in_(("manager", "director")))
        .where(sa.or_(users.c.id.in_(named), users.c.id.in_(of_region), everywhere))
        .order_by(users.c.email)
    )
    return [Person(row.id, row.email) for row in reader.execute(query)]


def emails(reader: Reader, ids: Iterable[int | None]) -> dict[int, str]:
    """Return addresses by the users' ids."""
    wanted = sorted({one for one in ids if one is not None})
    if not wanted:
        return {}
    query = sa.select(users.c.id, users.c.email).where(users.c.id.in_(wanted))
    return {row.id: row.email for row in reader.execute(query)}


def user_of(actor: str) -> int | None:
    """Return the user that an actor of the register names; None for the writer and the program."""
    kind, _, number = actor.partition(":")
    return int(number) if kind == "user" and number.isdecimal() else None
