"""Mystery visits, the feedback book and the cases that come of both."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from feedback_app.storage.database import Base, StoreScoped
from feedback_app.storage.tables.chain import Store


class Visit(Base, StoreScoped):
    """A mystery shopper's visit to one store, planned and then handed in."""

    __tablename__ = "visits"
    is_visit = True

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    form_version_id: Mapped[int] = mapped_column(sa.ForeignKey("form_versions.id"))
    shopper_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    planned_for: Mapped[date]
    submitted_at: Mapped[datetime | None]
    response_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("responses.id"))
    score: Mapped[float | None]
    store: Mapped[Store] = relationship(lazy="joined")


class BookEntry(Base, StoreScoped):
    """An entry of a store's feedback book; name and contact stand here alone, with their consent."""

    __tablename__ = "book_entries"
    __table_args__ = (sa.UniqueConstraint("store_id", "year", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    year: Mapped[int]
    number: Mapped[int]
    kind: Mapped[str]
    text: Mapped[str]
    name: Mapped[str | None]
    contact: Mapped[str | None]
    consent_version: Mapped[str | None]
    consent_language: Mapped[str | None]
    consent_at: Mapped[datetime | None]
    language: Mapped[str | None]
    created_at: Mapped[datetime]
    due_on: Mapped[date]
    response_id: Mapped[UUID] = mapped_column(sa.ForeignKey("responses.id"))


class BookCounter(Base, StoreScoped):
    """The last number given in a store's book in a year."""

    __tablename__ = "book_counters"

    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class Case(Base, StoreScoped):
    """Something that somebody has to act on."""

    __tablename__ = "cases"
    __table_args__ = (sa.Index("ix_cases_store_id_status", "store_id", "status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    response_id: Mapped[UUID] = mapped_column(sa.ForeignKey("responses.id"), unique=True)
    stage: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]
    opened_at: Mapped[datetime]
    due_on: Mapped[date | None]
