"""Bringing in what a kiosk could not send: the file that its status page exports, or items of the device API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from feedback_app.domain import clocks, responses
from feedback_app.domain.access import Access, Right
from feedback_app.domain.clocks import Reading
from feedback_app.domain.errors import DomainError, Problem
from feedback_app.services import intake, json_rows
from feedback_app.services.clock import now
from feedback_app.services.json_rows import Row
from feedback_app.services.senders import Sender
from feedback_app.storage import house
from feedback_app.storage.database import Database
from feedback_app.storage.tables import Point

ITEMS, ASIDE = "responses", "quarantine"
SLICE = 500
"""Items of one transaction: so short that a tap hardly waits for it."""
OLDEST_EXPORT = clocks.PAST_TOLERANCE
"""An export that says to be older was made by a clock that tells no time."""
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Refused:
    """An item that was not taken: the list and its number there, its line in the file, the problem and its field."""

    among: str
    number: int
    line: int
    problem: DomainError

    @property
    def field(self) -> str:
        """Return the field that the problem is at; the item as a whole where it is at none."""
        return getattr(self.problem, "field", None) or "item"


@dataclass
class Report:
    """What an import found and did; `stored` counts what would be stored where nothing was written."""

    read: int = 0
    stored: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)
    written: bool = False

    def add(self, row: Row, outcome: intake.Outcome) -> None:
        """Count what became of an item."""
        self.read += 1
        self.stored += outcome.status == intake.STORED
        self.duplicates += outcome.status == intake.DUPLICATE
        if outcome.problem is not None:
            self.refused.append(Refused(row.among, row.number, row.line, outcome.problem))


class _Administrator(Sender):
    """Who imports a file vouches for it, as a device does for what it sends, and may do so for every point."""

    @property
    def unpaired(self) -> bool:
        """Say that somebody vouches for the responses."""
        return False


@dataclass(frozen=True)
class Found:
    """A file that was looked through: how many items it has, and when by which clocks it was made."""

    path: Path
    count: int
    reading: Reading
    read_at: datetime | None

    def slices(self) -> Iterator[list[Row]]:
        """Yield the rows of the file, some at a time."""
        part: list[Row] = []
        for row in json_rows.rows(self.path, (ITEMS, ASIDE), {}):
            part.append(_unwrapped(row))
            if len(part) == SLICE:
                yield part
                part = []
        if part:
            yield part


def _unwrapped(row: Row) -> Row:
    """Return the item that the kiosk had set aside, without what it noted of it."""
    if row.among == ASIDE and isinstance(row.value, dict) and "item" in row.value:
        return replace(row, value=row.value["item"])
    return row


def look(path: Path) -> Found:
    """Look through a file; raises DomainError where it cannot be read or is of a later version."""
    head: dict[str, Any] = {}
    count = sum(1 for _ in json_rows.rows(path, (ITEMS, ASIDE), head))
    if head.get("otklik") not in (None, "kiosk-queue") or head.get("version", 1) != 1:
        raise DomainError("unknown_file")
    if not count and head and head.get("otklik") is None:
        raise DomainError("unknown_file")
    return Found(path, count, *_clocks(head, now()))


def _clocks(head: dict[str, Any], moment: datetime) -> tuple[Reading, datetime | None]:
    """Return what the device's clocks showed at the export, and when by our clock that was.

    The file may be days old, so the export and not the import is what the items' ages are counted from. By how much
    the device's clock was wrong then nobody knows, and it is believed; except that no export lies in the future, and
    that a clock which is off by a year tells nothing.
    """
    try:
        wall = responses.parse_time(head.get("exported_at", head.get("sent_at")), "exported_at")
    except Problem:
        return Reading(), None
    if wall > moment + clocks.TOLERANCE:
        return clocks.read(head, wall), moment
    if wall < moment - OLDEST_EXPORT:
        return Reading(), None
    return clocks.read(head, None), min(wall, moment)


def import_queue(
    db: Database,
    access: Access,
    found: Found,
    *,
    dry_run: bool = False,
    skip_bad: bool = False,
    progress: Progress = lambda _step: None,
) -> Report:
    """Import a file of items by the rules of intake; return what was read, stored and refused.

    All or nothing: the whole file is checked before the first item is written, and with a refused item nothing is
    written unless `skip_bad`. Then it is written in short transactions; where that is cut off, the same file again
    brings the rest, because an item that is there already is a duplicate. Whether a receipt was used before shows at
    the write alone: a survey response that is refused for it is reported among the refused, and the others are written.
    """
    access.require(Right.MANAGE_DEVICES)
    sender = _Administrator(points=_all_points(db))
    checked = _check(db, found, sender, progress)
    if dry_run or (checked.refused and not skip_bad):
        return checked
    report = Report(written=True)
    refused = {(one.among, one.number): one.problem for one in checked.refused}
    for part in found.slices():
        good = [row for row in part if (row.among, row.number) not in refused]
        outcomes = intake.record(db, [row.value for row in good], sender, found.reading, read_at=found.read_at)
        for row, outcome in zip(good, outcomes, strict=True):
            report.add(row, outcome)
        progress(len(part))
    report.read += len(checked.refused)
    report.refused = checked.refused + report.refused
    details = {"file": found.path.name, "read": report.read, "stored": report.stored, "refused": len(report.refused)}
    db.write(lambda link: house.audit(link, now(), access.actor, "import.responses", "responses", details))
    return report


def _all_points(db: Database) -> frozenset[int]:
    with db.engine.connect() as connection:
        return frozenset(connection.execute(sa.select(Point.__table__.c.id)).scalars())


def _check(db: Database, found: Found, sender: Sender, progress: Progress) -> Report:
    """Return what an import of the file would do, item by item; receipts are judged at the write alone."""
    report, seen = Report(), _Seen()
    for part in found.slices():
        outcomes = _rehearsed(db, part, sender, found)
        for row, outcome in zip(part, outcomes, strict=True):
            report.add(row, seen.settle(row.value, outcome))
        progress(len(part))
    return report


def _rehearsed(db: Database, part: Sequence[Row], sender: Sender, found: Found) -> Iterator[intake.Outcome]:
    outcomes = intake.rehearse(db, [row.value for row in part], sender, found.reading, read_at=found.read_at)
    for row, outcome in zip(part, outcomes, strict=True):
        yield outcome if row.problem is None else intake.Outcome(None, intake.REJECTED, row.problem)


class _Seen:
    """The new items of a file, by id: the same again is a duplicate, another of the same id a conflict."""

    def __init__(self) -> None:
        self._digests: dict[bytes, str] = {}

    def settle(self, item: Any, outcome: intake.Outcome) -> intake.Outcome:
        """Return what becomes of an item that stands in the file after others."""
        if outcome.status == intake.REJECTED:
            return outcome
        digest = responses.digest(item["point"], item["form_version"], item["answers"])
        response_id = UUID(item["id"]).bytes
        if response_id not in self._digests:
            self._digests[response_id] = digest
            return outcome
        if self._digests[response_id] == digest:
            return intake.Outcome(outcome.id, intake.DUPLICATE)
        return intake.Outcome(outcome.id, intake.REJECTED, Problem("conflict", "id"))
