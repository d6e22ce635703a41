"""Responses, the mentions located in their words, and the rollups counted from both."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from feedback_app.storage.database import Base, StoreScoped
from feedback_app.storage.tables.chain import Point


class Response(Base, StoreScoped):
    """What one person handed in at one point, once."""

    __tablename__ = "responses"
    __table_args__ = (
        sa.Index("ix_responses_store_id_occurred_at", "store_id", "occurred_at", "id"),
        sa.Index("ix_responses_occurred_at", "occurred_at", "id"),
        sa.Index(
            "ix_responses_commented",
            "occurred_at",
            "id",
            sqlite_where=sa.text("comment IS NOT NULL"),
            postgresql_where=sa.text("comment IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("points.id"))
    form_version_id: Mapped[int] = mapped_column(sa.ForeignKey("form_versions.id"))
    device_id: Mapped[int | None] = mapped_column(sa.ForeignKey("devices.id"))
    channel: Mapped[str]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    claimed_at: Mapped[str | None]
    language: Mapped[str | None]
    answers: Mapped[dict[str, Any]]
    digest: Mapped[str]
    score: Mapped[float | None]
    comment: Mapped[str | None]
    sentiment: Mapped[float | None]
    sentiment_label: Mapped[str | None]
    sentiment_language: Mapped[str | None]
    sentiment_model: Mapped[str | None]
    terms: Mapped[list[Any] | None]
    flags: Mapped[list[Any]]
    unpaired: Mapped[bool]
    voided_at: Mapped[datetime | None]
    sequence: Mapped[int | None] = mapped_column(sa.BigInteger)
    """The how-manieth item of its device it was."""
    skew_ms: Mapped[int | None] = mapped_column(sa.BigInteger)
    """By how much the device's clock was behind the server's; negative where it was ahead."""
    placed_by: Mapped[str | None]
    """What `occurred_at` was told by, where that is not the device's clock alone (see `domain.clocks`)."""
    point: Mapped[Point] = relationship(lazy="raise")


class Receipt(Base, StoreScoped):
    """A receipt that a survey was answered for, once a store; of its number only a hash is kept."""

    __tablename__ = "receipts"

    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), primary_key=True)
    number_hash: Mapped[str] = mapped_column(primary_key=True)
    response_id: Mapped[UUID] = mapped_column(sa.ForeignKey("responses.id"), index=True)
    created_at: Mapped[datetime]


class MentionRow(Base, StoreScoped):
    """A part of a comment that speaks of one aspect, on the stage where it counts."""

    __tablename__ = "mentions"
    __table_args__ = (
        sa.Index("ix_mentions_stage_store_id_occurred_at", "stage", "store_id", "occurred_at"),
        sa.Index("ix_mentions_stage_occurred_at", "stage", "occurred_at"),
    )

    response_id: Mapped[UUID] = mapped_column(sa.ForeignKey("responses.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    occurred_at: Mapped[datetime]
    channel: Mapped[str]
    stage: Mapped[str]
    aspect: Mapped[str]
    polarity: Mapped[float | None]
    start: Mapped[int]
    end: Mapped[int]


class Correction(Base, StoreScoped):
    """How staff say a comment is to be read, where the model read it wrongly; it outranks every model."""

    __tablename__ = "corrections"

    response_id: Mapped[UUID] = mapped_column(sa.ForeignKey("responses.id"), primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    label: Mapped[str | None]
    """The label of the whole comment; None where the model's stands."""
    mentions: Mapped[list[Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    """What the comment speaks of, as [aspect, label] each; None where the model's mentions stand."""
    corrected_at: Mapped[datetime]
    corrected_by: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))


class SentimentModel(Base):
    """Weights that the chain's own responses taught, on top of those that come with the product."""

    __tablename__ = "sentiment_models"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[datetime]
    basis: Mapped[str]
    """The version of the shipped weights that it was fitted on; with others it is not used."""
    figures: Mapped[dict[str, Any]]
    """What cross-validation said of it and of the one before."""
    weights: Mapped[bytes]
    in_use: Mapped[bool]


class Rollup(Base, StoreScoped):
    """A cell of counts: whole thousandths, by the one rule of `domain.rollups`."""

    __tablename__ = "rollups"
    __table_args__ = (
        sa.Index("ix_rollups_store_id_hour", "store_id", "hour"),
        {"sqlite_with_rowid": False},
    )

    point_id: Mapped[int] = mapped_column(sa.ForeignKey("points.id"), primary_key=True)
    hour: Mapped[int] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    aspect: Mapped[str] = mapped_column(primary_key=True)
    bucket: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    flagged: Mapped[bool] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    n: Mapped[int] = mapped_column(sa.BigInteger)
    total: Mapped[int] = mapped_column(sa.BigInteger)
    squares: Mapped[int] = mapped_column(sa.BigInteger)
