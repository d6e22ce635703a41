"""Users, their roles and the stores they may see."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain.access import ROLES, SYSTEM, Access, access_of
from feedback_app.domain.errors import DomainError, NotFound
from feedback_app.services.clock import now
from feedback_app.storage import house
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Region, Role, Store, User, user_regions, user_roles, user_stores


@dataclass(frozen=True)
class Scope:
    """The stores given to a user, by themselves and by region."""

    stores: frozenset[int]
    regions_stores: frozenset[int]
    has_regions: bool


def scope_of(db: Database, user_id: int) -> Scope:
    """Return the stores that a user was given."""
    with db.read(SYSTEM) as session:
        stores = session.scalars(sa.select(user_stores.c.store_id).where(user_stores.c.user_id == user_id))
        regions = list(session.scalars(sa.select(user_regions.c.region_id).where(user_regions.c.user_id == user_id)))
        inside = session.scalars(sa.select(Store.id).where(Store.region_id.in_(regions))) if regions else ()
        return Scope(frozenset(stores), frozenset(inside), bool(regions))


def access_for(db: Database, user_id: int, actor: str, roles: Sequence[str]) -> Access:
    """Return what a user with these roles may see."""
    scope = scope_of(db, user_id)
    return access_of(
        roles,
        user_id=user_id,
        actor=actor,
        stores=scope.stores,
        regions_stores=scope.regions_stores,
        has_regions=scope.has_regions,
    )


def ensure_roles(connection: Connection) -> None:
    """Write the fixed roles that are not there yet."""
    table = Role.__table__
    known = set(connection.execute(sa.select(table.c.name)).scalars())
    missing = [{"name": name} for name in ROLES if name not in known]
    if missing:
        connection.execute(sa.insert(table), missing)


def _ids(connection: Connection, column: sa.Column[str], id_column: sa.Column[int], keys: Sequence[str]) -> list[int]:
    found = {row[0]: row[1] for row in connection.execute(sa.select(column, id_column).where(column.in_(keys)))}
    for key in keys:
        if key not in found:
            raise NotFound("unknown_store" if column.table.name == "stores" else "unknown_region", key=key)
    return [found[key] for key in keys]


def check_scope(db: Database, email: str, role: str, stores: Sequence[str], regions: Sequence[str]) -> None:
    """Raise what `create_user` would raise, before anybody is asked for a password."""
    with db.engine.connect() as connection:
        _check(connection, email.strip().lower(), role, stores, regions)


def _check(connection: Connection, email: str, role: str, stores: Sequence[str], regions: Sequence[str]) -> None:
    if role not in ROLES:
        raise DomainError("unknown_role", role=role)
    if role in {"manager", "coordinator"} and not stores and not regions:
        raise DomainError("scope_needed", role=role)
    users = User.__table__
    if connection.execute(sa.select(users.c.id).where(users.c.email == email)).first():
        raise DomainError("email_taken", email=email)
    _ids(connection, Store.__table__.c.code, Store.__table__.c.id, stores)
    _ids(connection, Region.__table__.c.key, Region.__table__.c.id, regions)


def create_user(
    connection: Connection,
    email: str,
    password_hash: str,
    role: str,
    *,
    stores: Sequence[str] = (),
    regions: Sequence[str] = (),
    language: str | None = None,
    actor: str = "system",
) -> int:
    """Create a user with a role and a scope, in the caller's transaction; return the id.

    A store or region named twice counts once.
    Raises DomainError `unknown_role`, `email_taken` or `scope_needed`, and NotFound for a store or region.
    """
    email, stores, regions = email.strip().lower(), list(dict.fromkeys(stores)), list(dict.fromkeys(regions))
    _check(connection, email, role, stores, regions)
    users, roles = User.__table__, Role.__table__
    ensure_roles(connection)
    moment = now()
    values = {
        "email": email,
        "password": password_hash,
        "active": True,
        "fs_uniquifier": secrets.token_hex(32),
        "language": language,
        "created_at": moment,
    }
    user_id: int = connection.execute(sa.insert(users).values(**values).returning(users.c.id)).scalar_one()
    role_id = connection.execute(sa.select(roles.c.id).where(roles.c.name == role)).scalar_one()
    connection.execute(sa.insert(user_roles).values(user_id=user_id, role_id=role_id))
    store_table, region_table = Store.__table__, Region.__table__
    for store_id in _ids(connection, store_table.c.code, store_table.c.id, stores):
        connection.execute(sa.insert(user_stores).values(user_id=user_id, store_id=store_id))
    for region_id in _ids(connection, region_table.c.key, region_table.c.id, regions):
        connection.execute(sa.insert(user_regions).values(user_id=user_id, region_id=region_id))
    details = {"role": role, "stores": stores, "regions": regions}
    house.audit(connection, moment, actor, "user.create", f"user:{user_id}", details)
    return user_id
