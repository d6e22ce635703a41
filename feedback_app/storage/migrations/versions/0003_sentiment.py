"""Corrections of what the model read in comments, and the chain's own weights

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

from feedback_app.storage import database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Raise the schema."""
    op.create_table(
        "corrections",
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("mentions", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("corrected_at", database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("corrected_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["response_id"], ["responses.id"], name=op.f("fk_corrections_response_id_responses")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_corrections_store_id_stores")),
        sa.ForeignKeyConstraint(["corrected_by"], ["users.id"], name=op.f("fk_corrections_corrected_by_users")),
        sa.PrimaryKeyConstraint("response_id", name=op.f("pk_corrections")),
    )
    op.create_index("ix_corrections_store_id", "corrections", ["store_id"])
    op.create_table(
        "sentiment_models",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created_at", database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_sentiment_models")),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("sentiment_models")
    op.drop_table("corrections")
