"""Mystery visits, the cases that come of what customers said, and the work on them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
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


class Case(Base, StoreScoped):
    """Something that somebody has to act on; what happened to it stands in the register, link by link.

    Its columns are what the last of its links says; `version` counts the changes.
    """

    __tablename__ = "cases"
    __table_args__ = (
        sa.Index("ix_cases_store_id_status", "store_id", "status"),
        sa.Index("ix_cases_status_due_on", "status", "due_on"),
        sa.Index("ix_cases_entry_id", "entry_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    response_id: Mapped[UUID] = mapped_column(sa.ForeignKey("responses.id"), unique=True)
    """What opened it; further responses stand in `case_responses`."""
    entry_id: Mapped[UUID | None]
    stage: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]
    opened_at: Mapped[datetime]
    due_on: Mapped[date | None]
    first_due_on: Mapped[date | None]
    """The day before any extension or forwarding."""
    assignee_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    forwarded_to: Mapped[str | None]
    joined_to: Mapped[int | None]
    """The case that took this one in."""
    accepted: Mapped[bool | None]
    """Whether the writer accepted the answer."""
    root_cause: Mapped[str | None]
    corrective_action: Mapped[str | None]
    labels: Mapped[list[Any]] = mapped_column(server_default="[]")
    escalated_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")


class CaseResponse(Base, StoreScoped):
    """A further response that a case gathers."""

    __tablename__ = "case_responses"

    response_id: Mapped[UUID] = mapped_column(sa.ForeignKey("responses.id"), primary_key=True)
    case_id: Mapped[int] = mapped_column(index=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    added_at: Mapped[datetime]


class CaseStep(Base, StoreScoped):
    """A step of a case's checklist."""

    __tablename__ = "case_steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(index=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    position: Mapped[int]
    text: Mapped[str]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))


class CaseAnswer(Base, StoreScoped):
    """An answer on its way: a draft, one that waits for a second person, or one that was sent.

    What was sent stands in the register; this row is where it was written.
    """

    __tablename__ = "case_answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(index=True)
    store_id: Mapped[int] = mapped_column(sa.ForeignKey("stores.id"))
    text: Mapped[str]
    state: Mapped[str]
    """`draft`, `review`, `sent` or `returned`."""
    way: Mapped[str | None]
    """The way it is to take where that is open: `mail`, `link` or `print`; empty for the surest one."""
    interim: Mapped[bool] = mapped_column(server_default=sa.false())
    """Whether it only says that more will follow."""
    written_by: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    written_at: Mapped[datetime]
    reviewed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    reviewed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]


class AnswerTemplate(Base):
    """A text to begin an answer with; {places} in it are filled with the entry's fields."""

    __tablename__ = "answer_templates"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str | None]
    """The kind of entry that it is offered for, or its use: `more_time`, `forwarded`; empty for all."""
    language: Mapped[str]
    text: Mapped[str]
    retired_at: Mapped[datetime | None]
