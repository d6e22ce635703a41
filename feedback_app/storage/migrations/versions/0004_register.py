"""The register of the feedback books, and the work on cases

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op

from feedback_app.storage import database

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, database.UtcDateTime(timezone=True), nullable=nullable)


def _of(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{of}.id"], name=op.f(f"fk_{table}_{column}_{of}"))


def upgrade() -> None:
    """Raise the schema."""
    _register()
    _book()
    _cases()
    _work()


def _register() -> None:
    op.create_table(
        "register_links",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        _moment("at", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=True),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("actor", "facts", "seals", "words", "salts", "previous", "link")
        ),
        _of("register_links", "store_id", "stores"),
        sa.PrimaryKeyConstraint("store_id", "position", name=op.f("pk_register_links")),
    )
    op.create_index("ix_register_links_entry_id", "register_links", ["entry_id"])
    op.create_index("ix_register_links_case_id", "register_links", ["case_id"])
    op.create_table(
        "register_heads",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        _of("register_heads", "store_id", "stores"),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_register_heads")),
    )


def _book() -> None:
    op.create_table(
        "book_photos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.Text(), nullable=True),
        _of("book_photos", "store_id", "stores"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book_photos")),
    )
    op.create_index("ix_book_photos_entry_id", "book_photos", ["entry_id"])
    with op.batch_alter_table("book_entries", schema=None) as batch:
        batch.alter_column("text", existing_type=sa.Text(), nullable=True)
        for name in ("consent_by", "paper_number", "secret_hash"):
            batch.add_column(sa.Column(name, sa.Text(), nullable=True))
        batch.add_column(sa.Column("source", sa.Text(), server_default="page", nullable=False))
        batch.add_column(sa.Column("paper_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("salts", sa.Text(), server_default="{}", nullable=False))
        batch.create_unique_constraint(op.f("uq_book_entries_secret_hash"), ["secret_hash"])


def _cases() -> None:
    with op.batch_alter_table("cases", schema=None) as batch:
        batch.add_column(sa.Column("entry_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("first_due_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("assignee_id", sa.Integer(), nullable=True))
        for name in ("answered_at", "closed_at", "escalated_at"):
            batch.add_column(_moment(name))
        for name in ("forwarded_to", "root_cause", "corrective_action"):
            batch.add_column(sa.Column(name, sa.Text(), nullable=True))
        batch.add_column(sa.Column("joined_to", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("accepted", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("labels", sa.JSON(), server_default="[]", nullable=False))
        batch.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        batch.create_foreign_key(op.f("fk_cases_assignee_id_users"), "users", ["assignee_id"], ["id"])
        batch.create_index("ix_cases_status_due_on", ["status", "due_on"])
        batch.create_index("ix_cases_entry_id", ["entry_id"])
    # Until now it was the writer alone who could consent.
    op.execute("UPDATE book_entries SET consent_by = 'writer' WHERE consent_at IS NOT NULL")
    # Until now a case of the book bore its entry's id as that of its response.
    op.execute(
        "UPDATE cases SET entry_id = response_id, first_due_on = due_on "
        "WHERE response_id IN (SELECT id FROM book_entries)"
    )


def _work() -> None:
    op.create_table(
        "case_responses",
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        _moment("added_at", nullable=False),
        _of("case_responses", "response_id", "responses"),
        _of("case_responses", "store_id", "stores"),
        sa.PrimaryKeyConstraint("response_id", name=op.f("pk_case_responses")),
    )
    op.create_index("ix_case_responses_case_id", "case_responses", ["case_id"])
    op.create_table(
        "case_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _moment("done_at"),
        sa.Column("done_by", sa.Integer(), nullable=True),
        _of("case_steps", "store_id", "stores"),
        _of("case_steps", "done_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_steps")),
    )
    op.create_index("ix_case_steps_case_id", "case_steps", ["case_id"])
    op.create_table(
        "case_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=True),
        sa.Column("interim", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("written_by", sa.Integer(), nullable=False),
        _moment("written_at", nullable=False),
        sa.Column("reviewed_by", sa.Integer(), nullable=True),
        _moment("reviewed_at"),
        _moment("sent_at"),
        _of("case_answers", "store_id", "stores"),
        _of("case_answers", "written_by", "users"),
        _of("case_answers", "reviewed_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_answers")),
    )
    op.create_index("ix_case_answers_case_id", "case_answers", ["case_id"])
    op.create_table(
        "answer_templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _moment("retired_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_templates")),
    )


def downgrade() -> None:
    """Take the schema back."""
    for table in ("answer_templates", "case_answers", "case_steps", "case_responses"):
        op.drop_table(table)
    with op.batch_alter_table("cases", schema=None) as batch:
        batch.drop_index("ix_cases_entry_id")
        batch.drop_index("ix_cases_status_due_on")
        batch.drop_constraint(op.f("fk_cases_assignee_id_users"), type_="foreignkey")
        for name in (
            *("entry_id", "first_due_on", "assignee_id", "answered_at", "closed_at", "escalated_at", "forwarded_to"),
            *("root_cause", "corrective_action", "joined_to", "accepted", "labels", "version"),
        ):
            batch.drop_column(name)
    with op.batch_alter_table("book_entries", schema=None) as batch:
        batch.drop_constraint(op.f("uq_book_entries_secret_hash"), type_="unique")
        for name in ("consent_by", "paper_number", "secret_hash", "source", "paper_on", "salts"):
            batch.drop_column(name)
    for table in ("book_photos", "register_heads", "register_links"):
        op.drop_table(table)
