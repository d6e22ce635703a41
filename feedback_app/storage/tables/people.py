"""Users, their roles and their scope."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from feedback_app.storage.database import Base
from feedback_app.storage.tables.chain import Region, Store

user_roles = sa.Table(
    "user_roles",
    Base.metadata,
    sa.Column("user_id", sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("role_id", sa.ForeignKey("roles.id"), primary_key=True),
)
user_stores = sa.Table(
    "user_stores",
    Base.metadata,
    sa.Column("user_id", sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("store_id", sa.ForeignKey("stores.id"), primary_key=True),
)
user_regions = sa.Table(
    "user_regions",
    Base.metadata,
    sa.Column("user_id", sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("region_id", sa.ForeignKey("regions.id"), primary_key=True),
)


class Role(Base):
    """One of the fixed roles of `domain.access`."""

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)

    def get_permissions(self) -> set[str]:
        """Return none: what a role may do is said in `domain.access`; the sign-in library asks for this method."""
        return set()


class User(Base):
    """Somebody who signs in; the password stands as an argon2id hash."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str | None]
    active: Mapped[bool]
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    language: Mapped[str | None]
    created_at: Mapped[datetime]
    roles: Mapped[list[Role]] = relationship(secondary=user_roles, lazy="selectin")
    stores: Mapped[list[Store]] = relationship(secondary=user_stores, lazy="select")
    regions: Mapped[list[Region]] = relationship(secondary=user_regions, lazy="select")
