"""Bringing in real customers' sentences: reviews exported by a map service or another system."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from feedback_app.domain import responses
from feedback_app.domain.access import Access
from feedback_app.domain.errors import DomainError, Invalid, Problem
from feedback_app.domain.forms import LANGUAGES
from feedback_app.domain.responses import Accepted, PointForm
from feedback_app.services import catalogue, intake, own_aspects, own_model
from feedback_app.services.clock import now
from feedback_app.storage import house
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Point, Store, Touchpoint

FILE_LIMIT = 200 * 1024 * 1024
SLICE = 500
FIRST_YEAR = 1971
"""Earlier than that nobody wrote a review into a system."""
CELL_LIMIT = 1_000_000
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Defaults:
    """What fills the columns that the file does not have."""

    store: str | None = None
    touchpoint: str | None = None
    moment: datetime | None = None


@dataclass(frozen=True)
class Refused:
    """A row that was not taken: its line in the file, the column and the problem."""

    line: int
    column: str
    problem: DomainError


@dataclass
class Report:
    """What an import found and did."""

    read: int = 0
    stored: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)
    written: bool = False


def _open(path: Path) -> io.TextIOWrapper:
    if path.stat().st_size > FILE_LIMIT:
        raise DomainError("file_too_large", limit=FILE_LIMIT // 1024 // 1024)
    raw: Any = gzip.GzipFile(path) if path.suffix == ".gz" else io.FileIO(path)
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str | None]]]:
    csv.field_size_limit(CELL_LIMIT)
    try:
        with _open(path) as file:
            header = file.readline(CELL_LIMIT)
            delimiter = _delimiter(header)
            columns = _columns(header, delimiter)
            if "text" not in columns:
                raise DomainError("missing_column", column="text", found=", ".join(columns))
            reader = csv.DictReader(file, columns, delimiter=delimiter)
            for row in reader:
                yield reader.line_num + 1, row
    except UnicodeDecodeError as error:
        raise DomainError("not_utf8") from error
    except (gzip.BadGzipFile, zlib.error, EOFError, csv.Error) as error:
        raise DomainError("unreadable_file", reason=str(error)) from error


def _delimiter(header: str) -> str:
    """Return what parts the columns: a comma, or the semicolon or tab that office programs write."""
    return max(",;\t", key=header.count)


def _columns(header: str, delimiter: str) -> list[str]:
    """Return the names of the columns in small letters, whatever their capitals and spaces."""
    return [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]


def count_rows(path: Path) -> int:
    """Return about how many rows a file has, for a progress bar: its lines."""
    raw: Any = gzip.GzipFile(path) if path.suffix == ".gz" else io.FileIO(path)
    try:
        with io.BufferedReader(raw) as file:
            return sum(1 for _ in file)
    except (OSError, EOFError, zlib.error):
        return 0


class _Places:
    """The points that reviews go to, read once."""

    def __init__(self, db: Database, session: Session) -> None:
        self._session = session
        self._version_id, self._version, self._form = catalogue.standing_form(db, session, "review")
        self._known: dict[tuple[str, str | None], tuple[PointForm, ZoneInfo]] = {}

    def find(self, store_code: str, touchpoint: str | None) -> tuple[PointForm, ZoneInfo]:
        """Return the point of a store's touchpoint (None: the store as a whole), and the store's time zone."""
        if (store_code, touchpoint) not in self._known:
            self._known[store_code, touchpoint] = self._find(store_code, touchpoint)
        return self._known[store_code, touchpoint]

    def _find(self, store_code: str, touchpoint: str | None) -> tuple[PointForm, ZoneInfo]:
        store: Store | None = catalogue.find_store(self._session, store_code)
        if store is None:
            raise Problem("unknown_store", "store")
        query = sa.select(Point).where(Point.store_id == store.id)
        if touchpoint:
            query = query.join(Point.touchpoint).where(Touchpoint.key == touchpoint)
        else:
            query = query.where(Point.touchpoint_id.is_(None))
        point = self._session.scalars(query).first()
        if point is None:
            raise Problem("unknown_touchpoint", "touchpoint")
        at = PointForm(
            point_id=point.id,
            store_id=store.id,
            token=point.token,
            channel="review",
            touchpoint=point.touchpoint.key if point.touchpoint else None,
            stage=point.touchpoint.stage if point.touchpoint else None,
            form_version_id=self._version_id,
            version=self._version,
            form=self._form,
        )
        return at, ZoneInfo(store.timezone)


def _moment(given: str | None, zone: ZoneInfo, default: datetime | None, received_at: datetime) -> datetime:
    """Return when a review was written: a time without an offset and a bare date are the store's, a date at noon."""
    text = (given or "").strip()
    if not text:
        return default or received_at
    try:
        moment = datetime.fromisoformat(text)
        if len(text) == 10:
            moment = datetime.combine(moment.date(), time(12))
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem("bad_time", "occurred_at") from None
    if moment.year < FIRST_YEAR:
        raise Problem("bad_time", "occurred_at")
    if moment > received_at + timedelta(days=1):
        raise Problem("in_future", "occurred_at")
    return moment


def _rating(given: str | None) -> int | None:
    text = (given or "").strip()
    if not text:
        return None
    try:
        return int(float(text)) if float(text).is_integer() else _not_whole()
    except (ValueError, OverflowError):
        raise Problem("wrong_type", "rating") from None


def _not_whole() -> int:
    raise Problem("wrong_type", "rating")


def _accept(
    row: Mapping[str, str | None], places: _Places, defaults: Defaults, received_at: datetime
) -> tuple[Accepted, str]:
    """Return the response of a row and what makes it the same row again, or raise Problem or Invalid."""
    text = (row.get("text") or "").strip()
    if not text:
        raise Problem("missing_value", "text")
    store_code = (row.get("store") or "").strip() or defaults.store
    if not store_code:
        raise Problem("missing_value", "store")
    touchpoint = (row.get("touchpoint") or "").strip() or defaults.touchpoint
    language = (row.get("language") or "").strip() or None
    if language is not None and language not in LANGUAGES:
        raise Problem("unknown_language", "language")
    at, zone = places.find(store_code, touchpoint)
    moment = _moment(row.get("occurred_at"), zone, defaults.moment, received_at)
    answers: dict[str, Any] = {"text": text}
    rating = _rating(row.get("rating"))
    if rating is not None:
        answers["rating"] = rating
    written = moment if (row.get("occurred_at") or "").strip() or defaults.moment else None
    sameness = "\x1f".join([at.token, str(written), text, str(rating)])
    accepted = responses.build(uuid.UUID(int=0), at, answers, received_at, language=language)
    accepted.occurred_at = min(moment, received_at)
    return accepted, sameness


def _identify(accepted: Accepted, sameness: str, seen: dict[str, int]) -> None:
    """Give a row its id: from what it says and how many equal rows stand before it in the file.

    So the same file again brings nothing twice, while two customers who wrote the same stay two.
    """
    nth = seen[sameness] = seen.get(sameness, 0) + 1
    digest = hashlib.sha256(f"{sameness}\x1f{nth}".encode()).digest()
    # A UUID of version 8 put together by hand: Python makes them itself from 3.14 on.
    bits = int.from_bytes(digest[:16])
    accepted.id = uuid.UUID(int=bits & ~(0xF << 76) & ~(0x3 << 62) | (0x8 << 76) | (0x2 << 62))


def import_reviews(
    db: Database,
    access: Access,
    path: Path,
    defaults: Defaults | None = None,
    *,
    dry_run: bool = False,
    skip_bad: bool = False,
    progress: Progress = lambda _step: None,
) -> Report:
    """Import reviews from a .csv or .csv.gz with a column `text`; return what was read, stored and refused.

    All or nothing: with a refused row nothing is written unless `skip_bad`; rows already there are duplicates.
    Raises DomainError for a file that cannot be read.
    """
    report, received_at = Report(), now()
    seen: dict[str, int] = {}
    accepted: list[Accepted] = []
    with db.read(access) as session:
        places = _Places(db, session)
        for line, row in _rows(path):
            report.read += 1
            try:
                got, sameness = _accept(row, places, defaults or Defaults(), received_at)
            except Invalid as invalid:
                problem = invalid.problems[0]
                report.refused.append(Refused(line, problem.field or "text", problem))
            except Problem as problem:
                report.refused.append(Refused(line, problem.field or "text", problem))
            else:
                _identify(got, sameness, seen)
                accepted.append(got)
    own_model.keep_current(db)
    prepared, own = [], own_aspects.of(db)
    for start in range(0, len(accepted), SLICE):
        prepared += intake.prepare(accepted[start : start + SLICE], own=own)
        progress(len(accepted[start : start + SLICE]))
    if dry_run or (report.refused and not skip_bad):
        return report

    def work(connection: Connection) -> int:
        new: set[uuid.UUID] = set()
        for start in range(0, len(prepared), SLICE):
            new |= intake.write(connection, prepared[start : start + SLICE])
        details = {"file": path.name, "read": report.read, "stored": len(new), "refused": len(report.refused)}
        house.audit(connection, received_at, access.actor, "import.reviews", "responses", details)
        return len(new)

    report.stored = db.write(work)
    report.duplicates = len(prepared) - report.stored
    report.written = True
    return report
