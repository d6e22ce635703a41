"""The register of the feedback books: one chain of links a store.

No foreign key points at rows that the chain protects: the chain says what is missing, and it must be possible to look
at a database where something is.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from feedback_app.storage.database import Base, StoreScoped


class BookEntry(Base, StoreScoped):
    """An entry of a store's feedback book; name and contact stand here alone, with their consent.

    Text, name and contact can be erased, and their salts with them; all else stands in the chain as it is.
    """

    __tablename__ = "book_entries"
    __table_args__ = (sa.UniqueConstraint("store_id", "year", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    year: Mapped[int]
    number: Mapped[int]
    kind: Mapped[str]
    text: Mapped[str | None]
    name: Mapped[str | None]
    contact: Mapped[str | None]
    consent_version: Mapped[str | None]
    consent_language: Mapped[str | None]
    consent_at: Mapped[datetime | None]
    consent_by: Mapped[str | None]
    """Who consented: `writer`, or `guardian` for somebody under 16."""
    language: Mapped[str | None]
    created_at: Mapped[datetime]
    due_on: Mapped[date]
    """Until when it was to be answered at its receipt; what came later stands in its case."""
    response_id: Mapped[UUID] = mapped_column(sa.ForeignKey("responses.id"))
    source: Mapped[str] = mapped_column(server_default="page")
    """Where it was written: `page`, `kiosk`, or `paper` where staff copied it from the paper book."""
    paper_number: Mapped[str | None]
    paper_on: Mapped[date | None]
    """Number and date in the paper book."""
    secret_hash: Mapped[str | None] = mapped_column(unique=True)
    """SHA-256 of the secret in the link by which the writer follows the answer."""
    salts: Mapped[str] = mapped_column(server_default="{}")


class BookPhoto(Base, StoreScoped):
    """A photo of an entry, drawn anew; content and salt can be erased."""

    __tablename__ = "book_photos"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(index=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    position: Mapped[int]
    media_type: Mapped[str]
    content: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    salt: Mapped[str | None]


class BookCounter(Base, StoreScoped):
    """The last number given in a store's book in a year."""

    __tablename__ = "book_counters"

    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class RegisterLink(Base, StoreScoped):
    """A link of a store's chain, appended and never changed; `words` alone can be erased, with their salts.

    `facts`, `seals`, `words` and `salts` are canonical JSON texts (see `domain.register`).
    """

    __tablename__ = "register_links"
    __table_args__ = (
        sa.Index("ix_register_links_entry_id", "entry_id"),
        sa.Index("ix_register_links_case_id", "case_id"),
    )

    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    kind: Mapped[str]
    entry_id: Mapped[UUID | None]
    case_id: Mapped[int | None]
    actor: Mapped[str]
    facts: Mapped[str]
    seals: Mapped[str]
    words: Mapped[str]
    salts: Mapped[str]
    previous: Mapped[str]
    link: Mapped[str]


class RegisterHead(Base, StoreScoped):
    """How far a store's chain reaches; its row is the lock by which two who append take turns."""

    __tablename__ = "register_heads"

    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), primary_key=True)
    count: Mapped[int]
    link: Mapped[str]
