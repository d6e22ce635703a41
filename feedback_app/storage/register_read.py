"""Walking along the register's chains as they lie in the database: every link, every protected row, every anchor."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Connection

from feedback_app.domain import register as rules
from feedback_app.storage import register_rows as lying
from feedback_app.storage.anchor import Anchor, Keeper
from feedback_app.storage.register import CASE_FACTS, ENTRY_FACTS, ENTRY_WORDS, PHOTO_FACTS
from feedback_app.storage.register_rows import Row, parsed, shown, texts
from feedback_app.storage.tables import BookCounter, BookEntry, BookPhoto, Case, RegisterHead, RegisterLink

BROKEN, MISSING, SWAPPED, ADDED = "broken", "missing", "swapped", "added"
LOOK_AHEAD = 100
"""How far a link may have been moved up for the gap before it to be named as such."""
Progress = Callable[[int], None]
_LINK = re.compile(r"[0-9a-f]{64}")


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


def _whole(value: Any) -> bool:
    return type(value) is int


def _link_of(register: str, row: Row) -> rules.Link | None:
    """Return the link that a row says it is; None where it cannot be read."""
    facts, seals = parsed(row["facts"]), texts(row["seals"])
    good = isinstance(facts, dict) and seals is not None and _whole(row["position"])
    good = good and all(isinstance(row[name], str) for name in ("at", "kind", "actor", "previous", "link"))
    good = good and isinstance(row["entry_id"], (str, type(None))) and isinstance(row["case_id"], (int, type(None)))
    if not good or not _LINK.fullmatch(row["previous"]):
        return None
    try:
        at = datetime.strptime(row["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    entry_id = None if row["entry_id"] is None else UUID(row["entry_id"])
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
    except (ValueError, TypeError, OverflowError):  # lone surrogates, numbers that are none, times before the first
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
    """One walk along a store's chain and over the rows that it protects, inside `register_rows.as_they_lie`.

    `anchor` was read before the connection's snapshot began; None where there was none yet.
    """

    def __init__(
        self,
        connection: Connection,
        keeper: Keeper,
        register: str | None,
        store: tuple[int, str],
        anchor: Anchor | None,
    ) -> None:
        self._connection, self._keeper, self._anchor = connection, keeper, anchor
        self._store_id, self._code = store
        self._register = register or ""
        self.links = 0
        self.entries = 0

    def first_finding(self, progress: Progress = lambda _step: None) -> Finding | None:
        """Return the first thing that is not as it was written; None where all is."""
        return next(self._findings(progress), None)

    def _rows(self, model: Any, order: str, *without: str) -> Iterator[Row]:
        names = lying.names_of(model.__table__, *without)
        return lying.rows(self._connection, model.__table__, names, self._store_id, order)

    def _findings(self, progress: Progress) -> Iterator[Finding]:
        rows = list(self._rows(RegisterLink, "position"))
        anchor = self._anchor_of(len(rows))
        seen = _Seen()
        links: list[rules.Link] = []
        for index, row in enumerate(rows):
            link = _link_of(self._register, row)
            previous = rows[index - 1]["link"] if index else rules.START
            right = link is not None and link.position == index + 1 and link.previous == previous
            if link is None or not right or not _hangs(self._keeper.key, link, row["link"]):
                yield self._diagnose(rows, index, previous, anchor)
                return
            seen.note(link)
            links.append(link)
            progress(1)
        self.links = len(links)
        yield from self._ends(rows, anchor)
        yield from self._words(rows, links, seen)
        yield from self._entries(seen)
        yield from self._cases(seen)
        yield from self._counters(seen)

    def _anchor_of(self, count: int) -> Anchor:
        if self._anchor is not None:
            return self._anchor
        # The store's first link may have been committed between the reading of the anchors and this snapshot; what
        # was anchored since then is not in it.
        now = self._keeper.read(self._register, self._store_id)
        return Anchor(tuple(mark for mark in now.marks if mark.count <= count), now.wrong_line, now.unreadable)

    def _found(self, place: str, what: str, detail: str = "") -> Finding:
        return Finding(self._code, place, what, detail)

    def _diagnose(self, rows: Sequence[Row], index: int, previous: str, anchor: Anchor) -> Finding:
        """Say what became of the first link that does not hang on the one before it."""
        expected, row = index + 1, rows[index]
        place = f"link {expected}"
        if not _whole(row["position"]) or row["position"] < expected:
            return self._found(f"link {shown(row['position'])}", ADDED)
        if row["position"] > expected:
            # Behind a gap at the very end stands what nobody counted.
            extra = index and row["position"] > self._counted(anchor) == index
            return self._found(f"link {shown(row['position'])}" if extra else place, ADDED if extra else MISSING)
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
        if following is None and index == self._counted(anchor):
            return self._found(place, ADDED)
        return self._found(place, BROKEN, self._doubt(row, index, anchor))

    def _hangs_at(self, row: Row, position: int) -> bool:
        link = _link_of(self._register, row)
        return link is not None and _hangs(self._keeper.key, link.moved(position), row["link"])

    def _counted(self, anchor: Anchor) -> int:
        """Return how many links the anchor vouches for."""
        return max((mark.count for mark in anchor.marks), default=0)

    def _doubt(self, row: Row, index: int, anchor: Anchor) -> str:
        """Return what a broken link seems to tell of, or what makes all of them seem broken."""
        if not self._register:
            return "the register's id is missing"
        if not index and anchor.wrong_line == 1:
            return "its anchor does not fit either: is this the register's key?"
        facts = parsed(row["facts"])
        if isinstance(facts, dict) and "number" in facts:
            return f"of entry No. {shown(facts['number'])} of {shown(facts.get('year'))}"
        return "" if row["case_id"] is None else f"of case {shown(row['case_id'])}"

    def _ends(self, rows: Sequence[Row], anchor: Anchor) -> Iterator[Finding]:
        """Hold the end of the chain against its anchor outside and its head in the database."""
        for mark in anchor.marks:
            if mark.count > len(rows):
                yield self._found(f"link {len(rows) + 1}", MISSING, f"the anchor holds {mark.count} links")
            elif mark.count and rows[mark.count - 1]["link"] != mark.link:
                yield self._found(f"link {mark.count}", BROKEN, "it is not the one that the anchor holds")
        if anchor.unreadable:
            yield self._found("the anchor", BROKEN, anchor.unreadable)
        elif anchor.wrong_line is not None:
            yield self._found(f"line {anchor.wrong_line} of the anchor", BROKEN)
        elif rows and not anchor.marks:
            yield self._found("the anchor", MISSING, str(self._keeper.path(self._register, self._store_id)))
        yield from self._head(rows)

    def _head(self, rows: Sequence[Row]) -> Iterator[Finding]:
        head = next(self._rows(RegisterHead, "store_id"), None)
        if head is None:
            if rows:
                yield self._found("the head", MISSING)
        elif not rows and head["count"] == 0:
            yield self._found("the head", ADDED)
        elif _whole(head["count"]) and head["count"] > len(rows):
            yield self._found(f"link {len(rows) + 1}", MISSING, f"the head counts {shown(head['count'])} links")
        elif head["count"] != len(rows) or not rows or head["link"] != rows[-1]["link"]:
            yield self._found("the head", BROKEN)

    # --- what was said ------------------------------------------------------------------------------------------

    def _words(self, rows: Sequence[Row], links: Sequence[rules.Link], seen: _Seen) -> Iterator[Finding]:
        """Hold the words that stand with the links against their seals."""
        for row, link in zip(rows, links, strict=True):
            words, salts = texts(row["words"]), texts(row["salts"])
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
        rows = {row["id"]: row for row in self._rows(BookEntry, "year, number")}
        photos: dict[Any, list[Row]] = {}
        for photo in self._rows(BookPhoto, "position, id", "content"):
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
            yield self._found(f"entry No. {shown(row['number'])} of {shown(row['year'])}", ADDED)
        for strange in photos.values():
            yield self._found(f"photo {shown(strange[0]['id'])}", ADDED)

    def _entry(self, place: str, position: int, link: rules.Link, row: Row, seen: _Seen) -> Iterator[Finding]:
        for name in ENTRY_FACTS:
            if not _same(row[name], link.facts.get(name)):
                yield self._found(place, BROKEN, name)
        salts = texts(row["salts"])
        if salts is None or not set(salts) <= set(ENTRY_WORDS):
            yield self._found(place, BROKEN, "salts")
            return
        for name in ENTRY_WORDS:
            if not _seals(seen, position, name, link.seals.get(name), salts.get(name), row[name]):
                yield self._found(place, BROKEN, name)

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
            if not _seals(
                seen,
                position,
                seal,
                link.seals.get(seal),
                row["salt"],
                lying.photo_content(self._connection, row["id"]),
                bytes,
            ):
                yield self._found(where, BROKEN, "content")
        for row in left.values():
            yield self._found(f"photo {shown(row['id'])} of {place}", ADDED)

    def _cases(self, seen: _Seen) -> Iterator[Finding]:
        found = lying.rows(self._connection, Case.__table__, CASE_FACTS, self._store_id, "id")
        rows = {row["id"]: row for row in found}
        for case_id, (_position, facts) in sorted(seen.cases.items()):
            row = rows.pop(case_id, None)
            if row is None:
                yield self._found(f"case {case_id}", MISSING)
                continue
            for name in CASE_FACTS:
                if not isinstance(facts, Mapping) or not _same(row[name], facts.get(name)):
                    yield self._found(f"case {case_id}", BROKEN, name)
        for case_id in rows:
            yield self._found(f"case {shown(case_id)}", ADDED)

    def _counters(self, seen: _Seen) -> Iterator[Finding]:
        rows = {row["year"]: row["last"] for row in self._rows(BookCounter, "year")}
        for year in sorted({*rows, *seen.numbers}, key=str):
            place = f"the counter of {shown(year)}"
            if year not in rows:
                yield self._found(place, MISSING)
            elif year not in seen.numbers:
                yield self._found(place, ADDED)
            elif not _same(rows[year], seen.numbers[year]):
                yield self._found(place, BROKEN)


def _same(found: Any, written: Any) -> bool:
    return type(found) is type(written) and bool(found == written)


def _seals(seen: _Seen, position: int, name: str, seal: str | None, salt: Any, value: Any, kind: type = str) -> bool:
    """Say whether an erasable value is what was sealed, or is gone because an erasure says so."""
    if seal is None or (position, name) in seen.erased:
        return value is None and salt is None
    if not isinstance(value, kind) or not isinstance(salt, str) or not _LINK.fullmatch(salt):
        return False
    try:
        return rules.seal(salt, value) == seal  # type: ignore[arg-type]
    except ValueError:  # lone surrogates
        return False
