"""Regions, stores, touchpoints, collection points and devices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from feedback_app.storage.database import Base, StoreScoped


class Region(Base):
    """A part of the chain that a director may be limited to."""

    __tablename__ = "regions"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    names: Mapped[dict[str, Any]]


class Store(Base):
    """A shop with a door; times of its reports are in its own time zone."""

    __tablename__ = "stores"
    is_store = True

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    region_id: Mapped[int] = mapped_column(sa.ForeignKey("regions.id"), index=True)
    names: Mapped[dict[str, Any]]
    addresses: Mapped[dict[str, Any]]
    timezone: Mapped[str]
    country: Mapped[str]
    opens: Mapped[int]
    closes: Mapped[int]
    region: Mapped[Region] = relationship(lazy="joined")


class Touchpoint(Base):
    """A kind of place or moment where customers meet the shop, with the stage it belongs to."""

    __tablename__ = "touchpoints"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    names: Mapped[dict[str, Any]]
    stage: Mapped[str]
    position: Mapped[int]


class Point(Base, StoreScoped):
    """A collection point: a touchpoint of one store, or the store as a whole where `touchpoint_id` is empty."""

    __tablename__ = "points"
    __table_args__ = (sa.UniqueConstraint("store_id", "touchpoint_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    touchpoint_id: Mapped[int | None] = mapped_column(sa.ForeignKey("touchpoints.id"))
    token: Mapped[str] = mapped_column(unique=True)
    kiosk_form_id: Mapped[int | None] = mapped_column(sa.ForeignKey("forms.id"))
    survey_form_id: Mapped[int | None] = mapped_column(sa.ForeignKey("forms.id"))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    survey_until: Mapped[datetime | None]
    """When the QR survey ends; empty where it has no end."""
    one_per_receipt: Mapped[bool] = mapped_column(server_default=sa.false())
    """Whether the QR survey takes one response per receipt."""
    store: Mapped[Store] = relationship(lazy="joined")
    touchpoint: Mapped[Touchpoint | None] = relationship(lazy="joined")


class Device(Base, StoreScoped):
    """A paired device; of its token only the SHA-256 is kept."""

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    """What differs from the chain's kiosk settings."""


class DevicePoint(Base):
    """A point that a device holds, or held: it may deliver what it collected there."""

    __tablename__ = "device_points"

    device_id: Mapped[int] = mapped_column(sa.ForeignKey("devices.id"), primary_key=True)
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("points.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime | None]


class DeviceState(Base, StoreScoped):
    """What a device said of itself in its last heartbeat; times are the server's."""

    __tablename__ = "device_states"

    device_id: Mapped[int] = mapped_column(sa.ForeignKey("devices.id"), primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    seen_at: Mapped[datetime]
    queue_length: Mapped[int]
    oldest_queued_at: Mapped[datetime | None]
    quarantined: Mapped[int]
    app_version: Mapped[str | None]
    storage_persisted: Mapped[bool | None]
    storage_used: Mapped[int | None] = mapped_column(sa.BigInteger)
    storage_quota: Mapped[int | None] = mapped_column(sa.BigInteger)
    skew_ms: Mapped[int | None] = mapped_column(sa.BigInteger)
    """By how much the device's clock is behind the server's; negative where it is ahead."""


class Heartbeat(Base):
    """A moment at which server and device agreed on where the device's counters stood.

    While nothing was collected between two heartbeats of one boot, the later one takes the place of the earlier.
    """

    __tablename__ = "heartbeats"
    __table_args__ = (sa.Index("ix_heartbeats_device_id_sequence", "device_id", "sequence"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(sa.ForeignKey("devices.id"))
    received_at: Mapped[datetime]
    boot_id: Mapped[str]
    monotonic_ms: Mapped[int] = mapped_column(sa.BigInteger)
    sequence: Mapped[int] = mapped_column(sa.BigInteger)


class PairingCode(Base, StoreScoped):
    """A short code that makes the kiosk it is typed into a device of the fleet, once; of it only a hash is kept."""

    __tablename__ = "pairing_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), index=True)
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("points.id"))
    device_id: Mapped[int | None] = mapped_column(sa.ForeignKey("devices.id"))
    """The device that it made or moved."""
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Picture(Base):
    """A picture that staff uploaded, re-encoded; `key` is the digest of its bytes."""

    __tablename__ = "pictures"

    key: Mapped[str] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)
    created_at: Mapped[datetime]


class StoreVersion(Base, StoreScoped):
    """How often the counts of a store changed; what is drawn from them is cached by it."""

    __tablename__ = "store_versions"

    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"), primary_key=True)
    version: Mapped[int] = mapped_column(sa.BigInteger)
