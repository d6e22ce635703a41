"""Out to files: the entries of the feedback books and the cases, streamed page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import NotFound
from feedback_app.services import catalogue
from feedback_app.services.export_files import Progress, Row, check_ending, iso, write_file
from feedback_app.storage import register_export as stored
from feedback_app.storage.database import Database
from feedback_app.storage.register_export import Span

BOOK_COLUMNS = (
    "id",
    "store",
    "year",
    "number",
    "kind",
    "text",
    "created_at",
    "status",
    "due_at",
    "answered_at",
    "hash",
    "previous_hash",
)
CASE_COLUMNS = (
    "id",
    "store",
    "entry",
    "responses",
    "stage",
    "touchpoint",
    "reason",
    "status",
    "opened_at",
    "due_at",
    "first_due_at",
    "assignee",
    "answered_at",
    "closed_at",
    "forwarded_to",
    "accepted",
    "root_cause",
    "corrective_action",
    "labels",
    "joined_to",
)
RECEIVED = "received"
"""The status of an entry for which no case was opened: it stands in the book, and nobody waits for an answer."""
PAGE = 2_000
LAST_SECOND = time(23, 59, 59)
Found = Mapping[Any, Any]


def end_of(day: date | None, zone: str) -> str | None:
    """Return the last second of a local day as a time in UTC: until then an answer is in time."""
    return None if day is None else iso(datetime.combine(day, LAST_SECOND, ZoneInfo(zone)).astimezone(UTC))


def _entry_row(row: Found) -> Row:
    return {
        "id": str(row["id"]),
        "store": row["store"],
        "year": row["year"],
        "number": row["number"],
        "kind": row["kind"],
        "text": row["text"],
        "created_at": iso(row["created_at"]),
        "status": row["status"] or RECEIVED,
        "due_at": end_of(row["due_on"], row["timezone"]),
        "answered_at": iso(row["answered_at"]),
        "hash": row["hash"],
        "previous_hash": row["previous_hash"],
    }


def _case_row(row: Found, further: list[str]) -> Row:
    zone = row["timezone"]
    return {
        "id": row["id"],
        "store": row["store"],
        "entry": None if row["number"] is None else f"{row['year']}/{row['number']}",
        "responses": [str(row["response_id"]), *further],
        "stage": row["stage"],
        "touchpoint": row["touchpoint"],
        "reason": row["reason"],
        "status": row["status"],
        "opened_at": iso(row["opened_at"]),
        "due_at": end_of(row["due_on"], zone),
        "first_due_at": end_of(row["first_due_on"], zone),
        "assignee": row["assignee"],
        "answered_at": iso(row["answered_at"]),
        "closed_at": iso(row["closed_at"]),
        "forwarded_to": row["forwarded_to"],
        "accepted": row["accepted"],
        "root_cause": row["root_cause"],
        "corrective_action": row["corrective_action"],
        "labels": row["labels"],
        "joined_to": row["joined_to"],
    }


def _entries(session: Session, span: Span) -> Iterator[Row]:
    after: tuple[str, int, int] | None = None
    while found := stored.entries(session, span, after, PAGE):
        yield from (_entry_row(row) for row in found)
        after = (found[-1]["store"], found[-1]["year"], found[-1]["number"])


def _cases(session: Session, span: Span) -> Iterator[Row]:
    after: tuple[str, int] | None = None
    while found := stored.cases(session, span, after, PAGE):
        further = stored.further_responses(session, [row["id"] for row in found])
        yield from (_case_row(row, further.get(row["id"], [])) for row in found)
        after = (found[-1]["store"], found[-1]["id"])


def _rows(db: Database, access: Access, span: Span, read: Callable[[Session, Span], Iterator[Row]]) -> Iterator[Row]:
    with db.read(access) as session:
        if span.store is not None and catalogue.find_store(session, span.store) is None:
            raise NotFound("unknown_store")
        yield from read(session, span)


def count_entries(db: Database, access: Access, span: Span) -> int:
    """Return how many entries an export would hold."""
    with db.read(access) as session:
        return stored.count_entries(session, span)


def count_cases(db: Database, access: Access, span: Span) -> int:
    """Return how many cases an export would hold."""
    with db.read(access) as session:
        return stored.count_cases(session, span)


def export_entries(
    db: Database, access: Access, path: Path, span: Span, progress: Progress = lambda _step: None
) -> int:
    """Write the entries in scope to a file, by store, year and number; return how many.

    The span is one of receipts. Raises Forbidden, NotFound for the store, and what `export_files.write_file` does.
    """
    access.require(Right.READ_BOOK)
    check_ending(path)
    return write_file(_rows(db, access, span, _entries), BOOK_COLUMNS, path, progress)


def export_cases(db: Database, access: Access, path: Path, span: Span, progress: Progress = lambda _step: None) -> int:
    """Write the cases in scope to a file, by store and id; return how many.

    The span is one of openings. Raises Forbidden, NotFound for the store, and what `export_files.write_file` does.
    """
    access.require(Right.READ_BOOK)
    check_ending(path)
    return write_file(_rows(db, access, span, _cases), CASE_COLUMNS, path, progress)
