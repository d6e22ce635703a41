"""Kiosk fleet: device states, heartbeats, pairing codes, pictures, receipts; how responses were placed in time

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

from feedback_app.storage import database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEW_COLUMNS = (
    ("devices", sa.Column("settings", sa.JSON(), server_default="{}", nullable=False)),
    ("points", sa.Column("survey_until", database.UtcDateTime(timezone=True), nullable=True)),
    ("points", sa.Column("one_per_receipt", sa.Boolean(), server_default=sa.false(), nullable=False)),
    ("responses", sa.Column("sequence", sa.BigInteger(), nullable=True)),
    ("responses", sa.Column("skew_ms", sa.BigInteger(), nullable=True)),
    ("responses", sa.Column("placed_by", sa.Text(), nullable=True)),
)


def upgrade() -> None:
    """Raise the schema; columns are added in place, so that a large table is not copied."""
    for table, column in NEW_COLUMNS:
        op.add_column(table, column)
    op.create_table(
        "device_states",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("queue_length", sa.Integer(), nullable=False),
        sa.Column("oldest_queued_at", database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("app_version", sa.Text(), nullable=True),
        sa.Column("storage_persisted", sa.Boolean(), nullable=True),
        sa.Column("storage_used", sa.BigInteger(), nullable=True),
        sa.Column("storage_quota", sa.BigInteger(), nullable=True),
        sa.Column("skew_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_device_states_device_id_devices")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_device_states_store_id_stores")),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_states")),
    )
    op.create_index("ix_device_states_store_id", "device_states", ["store_id"])
    op.create_table(
        "heartbeats",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("received_at", database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("monotonic_ms", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_heartbeats_device_id_devices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeats")),
    )
    op.create_index("ix_heartbeats_device_id_sequence", "heartbeats", ["device_id", "sequence"])
    op.create_table(
        "pairing_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_pairing_codes_device_id_devices")),
        sa.ForeignKeyConstraint(["point_id"], ["points.id"], name=op.f("fk_pairing_codes_point_id_points")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_pairing_codes_store_id_stores")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pairing_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_pairing_codes_code_hash")),
    )
    op.create_index("ix_pairing_codes_store_id", "pairing_codes", ["store_id"])
    op.create_table(
        "pictures",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_pictures")),
    )
    op.create_table(
        "receipts",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("number_hash", sa.Text(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["response_id"], ["responses.id"], name=op.f("fk_receipts_response_id_responses")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_receipts_store_id_stores")),
        sa.PrimaryKeyConstraint("store_id", "number_hash", name=op.f("pk_receipts")),
    )
    op.create_index("ix_receipts_response_id", "receipts", ["response_id"])


def downgrade() -> None:
    """Lower the schema; what only the new tables held is lost."""
    for table in ("receipts", "pictures", "pairing_codes", "heartbeats", "device_states"):
        op.drop_table(table)
    for table, column in reversed(NEW_COLUMNS):
        op.drop_column(table, column.name)
