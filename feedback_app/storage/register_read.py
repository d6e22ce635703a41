"""Reading the register as it lies in the database, without trusting any of it, and walking along its chains."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import register as rules
from feedback_app.storage.anchor import Keeper
from feedback_app.storage.register import CASE_FACTS, ENTRY_FACTS, ENTRY_WORDS, PHOTO_FACTS
from feedback_app.storage.tables import BookCounter, BookEntry, BookPhoto, Case, RegisterHead, RegisterLink

BROKEN, MISSING, SWAPPED, ADDED = "broken", "missing", "swapped", "added"
LOOK_AHEAD = 100
"""How far a link may have been moved up for the gap before it to be named as such."""
Row = Mapping[str, Any]
Progress = Callable[[int], None]
_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{6})")
_HEX = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Finding:
    """The first thing in a store's register that is not as it was written: where, and what became of it."""

    store: str
    place: str
    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"store {self.store}: {self.place} {self.what}" + (f" ({self.detail})" if self.detail else "")


def protected() -> dict[str, list[str]]:
    """Return the tables and columns that a change behind the program's back is found in."""
    whole = (BookEntry, BookPhoto, BookCounter, RegisterLink, RegisterHead)
    columns = {table.__tablename__: [column.name for column in table.__table__.columns] for table in whole}
    return {**columns, Case.__tablename__: list(CASE_FACTS)}


# --- rows as they lie ---------------------------------------------------------------------------------------------


def _plain(column: sa.Column[Any], value: Any) -> Any:
    """Return what SQLite holds as the chain writes it; what is no value of its column stays as it is."""
    if isinstance(column.type, sa.Uuid) and isinstance(value, str) and _HEX.fullmatch(value):
        return str(UUID(value))
    if isinstance(column.type, sa.Boolean) and type(value) is int and value in (0, 1):
        return bool(value)
    if isinstance(column.type, sa.TypeDecorator) and isinstance(value, str) and (found := _TIME.fullmatch(value)):
        return f"{found[1]}T{found[2]}Z"
    return value


def _rows(connection: Connection, table: sa.Table, names: Sequence[str], store_id: int, order: str) -> Iterator[Row]:
    columns = [table.c[name] for name in names]
    if connection.dialect.name == "sqlite":
        listed = ", ".join(f'"{name}"' for name in names)
        # Names of our own columns; not by the library's types, which raise for what somebody else wrote there.
        statement = f'SELECT {listed} FROM "{table.name}" WHERE store_id = ? ORDER BY {order}'  # noqa: S608
        for row in connection.exec_driver_sql(statement, (store_id,)):
            yield {column.name: _plain(column, value) for column, value in zip(columns, row, strict=True)}
        return
    query = sa.select(*columns).where(table.c.store_id == store_id).order_by(sa.text(order))
    for found in connection.execution_options(yield_per=500).execute(query).mappings():
        yield {name: rules.plain(value) for name, value in found.items()}


def _names(table: sa.Table, *without: str) -> list[str]:
    return [column.name for column in table.columns if column.name not in without]


def _whole(value: Any) -> bool:
    return type(value) is int


def _texts(text: Any) -> dict[str, str] | None:
    """Return canonical JSON of texts by name; None for anything else."""
    found = _json(text)
    good = isinstance(found, dict) and all(isinstance(one, str) for one in found.values())
    return found if good else None


def _json(text: Any) -> Any:
    try:
        found = json.loads(text)
        return found if rules.canonical(found) == text else None
    except (ValueError, TypeError, RecursionError):
        return None


def stores_to_verify(connection: Connection, keeper: Keeper, register: str | None) -> list[int]:
    """Return the stores that have, or ever had, anything in the register."""
    tables = (RegisterLink, RegisterHead, BookEntry, BookCounter, BookPhoto, Case)
    found = {row[0] for table in tables for row in connection.execute(sa.select(table.__table__.c.store_id).distinct())}
    if register is not None:
        found |= set(keeper.stores(register))
    return sorted(one for one in found if _whole(one))


# --- the chain ----------------------------------------------------------------------------------------------------


def _link_of(register: str, row: Row) -> rules.Link | None:
    """Return the link that a row says it is; None where it cannot be read."""
    facts, seals = _json(row["facts"]), _texts(row["seals"])
    good = isinstance(facts, dict) and seals is not None and _whole(row["position"])
    good = good and all(isinstance(row[name], str) for name in ("at", "kind", "actor", "previous", "link"))
    if not good or not re.fullmatch(r"[0-9a-f]{64}", row["previous"]):
        return None
    try:
        at = datetime.strptime(row["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        entry_id = None if row["entry_id"] is None else UUID(row["entry_id"])
    except (ValueError, TypeError, AttributeError):
        return None
    if row["case_id"] is not None and not _whole(row["case_id"]):
        return None
    return rules.Link(
        register=register,
        store_id=row["store_id"],
        position=row["position"],
        at=at,
        kind=row["kind"],
        actor=row["actor"],
        facts=facts,
        seals=seals or {},
        entry_id=entry_id,
        case_id=row["case_id"],
        previous=row["previous"],
    )


def _hangs(key: bytes, link: rules.Link, value: str) -> bool:
    try:
        return hmac.compare_digest(rules.hang(key, link).encode(), value.encode())
    except (ValueError, TypeError):  # lone surrogates, numbers that are none
        return False


@dataclass
class _Seen:
    """What the chain says of the rows beside it."""

    entries: dict[str, tuple[int, rules.Link]] = field(default_factory=dict)
    cases: dict[int, tuple[int, Any]] = field(default_factory=dict)
    erased: set[tuple[int, str]] = field(default_factory=set)
    numbers: dict[Any, Any] = field(default_factory=dict)

    def note(self, link: rules.Link) -> None:
        """Note what a link says."""
        if link.kind in (rules.ENTRY, rules.ADOPTED) and link.entry_id is not None:
            self.entries[str(link.entry_id)] = (link.position, link)
        if link.case_id is not None and "case" in link.facts:
            self.cases[link.case_id] = (link.position, link.facts["case"])
        if link.kind == rules.ERASURE:
            self.erased |= {(position, name) for position, name in link.facts.get("erased", ())}


class Walk:
    """One walk along a store's chain and over the rows that it protects."""

    def __init__(
        self, connection: Connection, keeper: Keeper, register: str | None, store_id: int, store_code: str
    ) -> None:
        self._connection, self._keeper, self._store_id, self._code = connection, keeper, store_id, store_code
        self._register = register or ""
        self.links = 0
        self.entries = 0

    def first_finding(self, progress: Progress = lambda _step: None) -> Finding | None:
        """Return the first thing that is not as it was written; None where all is."""
        return next(self._findings(progress), None)

    def _findings(self, progress: Progress) -> Iterator[Finding]:
        table = RegisterLink.__table__
        rows = list(_rows(self._connection, table, _names(table), self._store_id, "position"))
        seen = _Seen()
        links: list[rules.Link] = []
        for index, row in enumerate(rows):
            link = _link_of(self._register, row)
            previous = rows[index - 1]["link"] if index else rules.START
            right = link is not None and link.position == index + 1 and link.previous == previous
            if link is None or not right or not _hangs(self._keeper.key, link, row["link"]):
                yield self._diagnose(rows, index, previous)
                return
            seen.note(link)
            links.append(link)
            progress(1)
        self.links = len(links)
        yield from self._ends(rows)
        yield from self._words(rows, links, seen)
        yield from self._entries(seen)
        yield from self._cases(seen)
        yield from self._counters(seen)

    def _found(self, place: str, what: str, detail: str = "") -> Finding:
        return Finding(self._code, place, what, detail)

    def _diagnose(self, rows: Sequence[Row], index: int, previous: str) -> Finding:
        """Say what became of the first link that does not hang on the one before it."""
        expected, row = index + 1, rows[index]
        place = f"link {expected}"
        if _whole(row["position"]) and row["position"] > expected:
            return self._found(place, MISSING)
        if not _whole(row["position"]) or row["position"] < expected:
            return self._found(f"link {row['position']!r}", ADDED)
        hangs = partial(self._hangs_at, row)
        places = {one["link"]: number for number, one in enumerate(rows, 1) if isinstance(one["link"], str)}
        before = 0 if row["previous"] == rules.START else places.get(row["previous"])
        if before is not None and before + 1 != expected and hangs(before + 1):
            return self._found(place, SWAPPED, f"it was link {before + 1}")
        if any(hangs(expected + step) for step in range(1, LOOK_AHEAD)):
            return self._found(place, MISSING)
        following = rows[index + 1] if index + 1 < len(rows) else None
        if following is not None and following["previous"] == previous and self._hangs_at(following, expected):
            return self._found(place, ADDED)
        return self._found(place, BROKEN, self._tells(row))

    def _hangs_at(self, row: Row, position: int) -> bool:
        link = _link_of(self._register, row)
        return link is not None and _hangs(self._keeper.key, link.moved(position), row["link"])

    def _tells(self, row: Row) -> str:
        """Return of what a broken link seems to tell."""
        facts = _json(row["facts"])
        if isinstance(facts, dict) and "number" in facts:
            return f"of entry No. {facts['number']} of {facts.get('year')}"
        return "" if row["case_id"] is None else f"of case {row['case_id']}"

    def _ends(self, rows: Sequence[Row]) -> Iterator[Finding]:
        """Hold the end of the chain against its head in the database and its anchor outside."""
        anchor = self._keeper.read(self._register, self._store_id)
        for mark in anchor.marks:
            if mark.count > len(rows):
                yield self._found(f"link {len(rows) + 1}", MISSING, f"the anchor holds {mark.count} links")
            elif mark.count and rows[mark.count - 1]["link"] != mark.link:
                yield self._found(f"link {mark.count}", BROKEN, "it is not the one that the anchor holds")
        if anchor.wrong_line is not None:
            yield self._found(f"line {anchor.wrong_line} of the anchor", BROKEN)
        if rows and not anchor.marks and anchor.wrong_line is None:
            yield self._found("the anchor", MISSING, str(self._keeper.path(self._register, self._store_id)))
        table = RegisterHead.__table__
        heads = list(_rows(self._connection, table, _names(table), self._store_id, "store_id"))
        last = rows[-1]["link"] if rows else rules.START
        if not heads:
            if rows:
                yield self._found("the head", MISSING)
        elif _whole(heads[0]["count"]) and heads[0]["count"] > len(rows):
            yield self._found(f"link {len(rows) + 1}", MISSING, f"the head counts {heads[0]['count']} links")
        elif heads[0]["count"] != len(rows) or heads[0]["link"] != last:
            yield self._found("the head", BROKEN)

    # --- what was said ------------------------------------------------------------------------------------------

    def _words(self, rows: Sequence[Row], links: Sequence[rules.Link], seen: _Seen) -> Iterator[Finding]:
        """Hold the words that stand with the links against their seals."""
        for row, link in zip(rows, links, strict=True):
            words, salts = _texts(row["words"]), _texts(row["salts"])
            if words is None or salts is None:
                yield self._found(f"link {link.position}", BROKEN, "its words")
                continue
            elsewhere = link.kind in (rules.ENTRY, rules.ADOPTED)
            seals = {} if elsewhere else link.seals
            for name in sorted({*seals, *words, *salts}):
                value, salt = words.get(name), salts.get(name)
                if not _seals(seen, link.position, name, seals.get(name), salt, value):
                    yield self._found(f"link {link.position}", BROKEN, f"its words: {name}")

    def _entries(self, seen: _Seen) -> Iterator[Finding]:
        table = BookEntry.__table__
        rows = {row["id"]: row for row in _rows(self._connection, table, _names(table), self._store_id, "year, number")}
        photos: dict[Any, list[Row]] = {}
        for photo in self._photo_rows():
            photos.setdefault(photo["entry_id"], []).append(photo)
        for entry_id, (position, link) in seen.entries.items():
            year, number = link.facts.get("year"), link.facts.get("number")
            place = f"entry No. {number} of {year}"
            row = rows.pop(entry_id, None)
            if row is None:
                yield self._found(place, MISSING)
                continue
            if number != seen.numbers.get(year, 0) + 1:
                yield self._found(place, BROKEN, f"after No. {seen.numbers.get(year, 0)}")
            seen.numbers[year] = number
            yield from self._entry(place, position, link, row, seen)
            yield from self._photos(place, position, link, photos.pop(entry_id, []), seen)
            self.entries += 1
        for row in rows.values():
            yield self._found(f"entry No. {row['number']} of {row['year']}", ADDED)
        for strange in photos.values():
            yield self._found(f"photo {strange[0]['id']}", ADDED)

    def _entry(self, place: str, position: int, link: rules.Link, row: Row, seen: _Seen) -> Iterator[Finding]:
        for name in ENTRY_FACTS:
            if not _same(row[name], link.facts.get(name)):
                yield self._found(place, BROKEN, name)
        salts = _texts(row["salts"])
        if salts is None or not set(salts) <= set(ENTRY_WORDS):
            yield self._found(place, BROKEN, "salts")
            return
        for name in ENTRY_WORDS:
            if not _seals(seen, position, name, link.seals.get(name), salts.get(name), row[name]):
                yield self._found(place, BROKEN, name)

    def _photo_rows(self) -> Iterator[Row]:
        table = BookPhoto.__table__
        return _rows(self._connection, table, _names(table, "content"), self._store_id, "position, id")

    def _content(self, photo_id: Any) -> Any:
        table = BookPhoto.__table__
        if self._connection.dialect.name == "sqlite":
            raw = photo_id.replace("-", "") if isinstance(photo_id, str) else photo_id
            return self._connection.exec_driver_sql("SELECT content FROM book_photos WHERE id = ?", (raw,)).scalar()
        return self._connection.execute(sa.select(table.c.content).where(table.c.id == UUID(photo_id))).scalar()

    def _photos(
        self, place: str, position: int, link: rules.Link, rows: Sequence[Row], seen: _Seen
    ) -> Iterator[Finding]:
        left = {row["id"]: row for row in rows}
        for number, facts in enumerate(link.facts.get("photos", ()), 1):
            where = f"photo {number} of {place}"
            row = left.pop(facts.get("id"), None)
            if row is None:
                yield self._found(where, MISSING)
                continue
            for name in PHOTO_FACTS:
                if not _same(row[name], facts.get(name)):
                    yield self._found(where, BROKEN, name)
            seal = f"photo:{row['id']}"
            if not _seals(seen, position, seal, link.seals.get(seal), row["salt"], self._content(row["id"])):
                yield self._found(where, BROKEN, "content")
        for row in left.values():
            yield self._found(f"photo {row['id']} of {place}", ADDED)

    def _cases(self, seen: _Seen) -> Iterator[Finding]:
        rows = {row["id"]: row for row in _rows(self._connection, Case.__table__, CASE_FACTS, self._store_id, "id")}
        for case_id, (_position, facts) in sorted(seen.cases.items()):
            row = rows.pop(case_id, None)
            if row is None:
                yield self._found(f"case {case_id}", MISSING)
                continue
            for name in CASE_FACTS:
                if not isinstance(facts, Mapping) or not _same(row[name], facts.get(name)):
                    yield self._found(f"case {case_id}", BROKEN, name)
        for case_id in rows:
            yield self._found(f"case {case_id}", ADDED)

    def _counters(self, seen: _Seen) -> Iterator[Finding]:
        table = BookCounter.__table__
        found = _rows(self._connection, table, _names(table), self._store_id, "year")
        rows = {row["year"]: row["last"] for row in found}
        for year in sorted({*rows, *seen.numbers}, key=str):
            if year not in rows:
                yield self._found(f"the counter of {year}", MISSING)
            elif year not in seen.numbers:
                yield self._found(f"the counter of {year}", ADDED)
            elif not _same(rows[year], seen.numbers[year]):
                yield self._found(f"the counter of {year}", BROKEN)


def _same(found: Any, written: Any) -> bool:
    return type(found) is type(written) and bool(found == written)


def _seals(seen: _Seen, position: int, name: str, seal: str | None, salt: Any, value: Any) -> bool:
    """Say whether an erasable value is what was sealed, or is gone because an erasure says so."""
    if seal is None:
        return value is None and salt is None
    if (position, name) in seen.erased:
        return value is None and salt is None
    try:
        return isinstance(value, (str, bytes)) and rules.seal(salt, value) == seal
    except (ValueError, TypeError):
        return False
