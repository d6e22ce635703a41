"""The register of the feedback books: who keeps it, whether it is whole, and what it protects."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import register as rules
from feedback_app.domain.access import SYSTEM, Access, Right
from feedback_app.domain.cases import OPEN
from feedback_app.domain.errors import DomainError, NotFound
from feedback_app.domain.rollups import change
from feedback_app.services import catalogue, terms
from feedback_app.services.clock import now
from feedback_app.services.facts import facts_of
from feedback_app.storage import house, migrate, register_read, register_rows, responses, rollups
from feedback_app.storage import register as stored
from feedback_app.storage.anchor import Anchor, Keeper
from feedback_app.storage.database import Database
from feedback_app.storage.register_read import Finding, Walk
from feedback_app.storage.tables import BookEntry, Case, CaseAnswer, CaseStep, RegisterLink, Store

FOLDER = "register"
Progress = Callable[[int], None]
log = logging.getLogger(__name__)


def use(db: Database, key: str, instance: Path) -> None:
    """Let a database's register be kept with a key; its anchors stand in the instance folder."""
    keeper = Keeper(key.encode(), instance / FOLDER)
    db.keeper = keeper

    def anchor(store_ids: set[Any]) -> None:
        if store_ids:
            _anchor(db, keeper, store_ids)

    db.after_commit = anchor


def keeper_of(db: Database) -> Keeper:
    """Return who keeps the register of a database, or raise DomainError `no_register`."""
    if db.keeper is None:
        raise DomainError("no_register")
    return db.keeper


def _anchor(db: Database, keeper: Keeper, store_ids: set[Any]) -> None:
    """Write down how far the chains reach; the commit stands where this fails, and the next one makes up for it."""
    try:
        with db.engine.connect() as connection:
            register = stored.register_id(connection) or ""
            heads = stored.heads(connection, store_ids)
        for head in heads:
            keeper.drop(register, head, now())
    except Exception:
        log.exception("the register's anchor could not be written")


@dataclass(frozen=True)
class Verified:
    """What became of verifying: the first finding of each store, what is to be known, and how much was looked at."""

    findings: tuple[Finding, ...]
    stores: int
    links: int
    entries: int
    notes: tuple[str, ...] = ()


def links_in_all(db: Database, store_code: str | None = None) -> int:
    """Return how many links there are to verify."""
    with db.read(SYSTEM) as session:
        query = sa.select(sa.func.count()).select_from(RegisterLink)
        if store_code is not None:
            query = query.join(Store, Store.id == RegisterLink.store_id).where(Store.code == store_code)
        return int(session.execute(query).scalar_one())


def verify(db: Database, store_code: str | None = None, progress: Progress = lambda _step: None) -> Verified:
    """Check every link, every protected row and every anchor; raise NotFound for an unknown store.

    A chain that is longer than its anchor is in order: the commit comes before the anchor. A shorter one is not.
    """
    keeper = keeper_of(db)
    anchors = anchors_of(db)  # before the snapshot: an anchor read later may know of links that it does not hold
    with db.snapshot() as connection:
        return check(connection, keeper, anchors, store_code, progress)


def anchors_of(db: Database) -> dict[int, Anchor]:
    """Return the anchors of a database's register as they are now, by store."""
    with db.engine.connect() as connection:
        register = register_rows.register_id(connection)
    return keeper_of(db).read_all(register)


def check(
    connection: Connection,
    keeper: Keeper,
    anchors: Mapping[int, Anchor],
    store_code: str | None = None,
    progress: Progress = lambda _step: None,
) -> Verified:
    """Check what a connection sees against anchors that were read before; like `verify`."""
    with register_rows.as_they_lie(connection):
        codes = _codes(connection, store_code)
        register = register_rows.register_id(connection)
        store_ids, strange = register_rows.store_ids(connection)
        walks = [
            Walk(connection, keeper, register, (one, codes.get(one, f"#{one}")), anchors.get(one))
            for one in sorted({*store_ids, *anchors})
            if store_code is None or one in codes
        ]
        findings = [finding for walk in walks if (finding := walk.first_finding(progress)) is not None]
    if store_code is None:
        findings += [_nowhere(table, store_id) for table, store_id in strange]
    return Verified(
        tuple(findings),
        len(walks),
        sum(walk.links for walk in walks),
        sum(walk.entries for walk in walks),
        (*_notes(anchors, codes), *_strangers(keeper, register)),
    )


def _nowhere(table: str, store_id: Any) -> Finding:
    return Finding(register_rows.shown(store_id), f"a row of {table}", register_read.ADDED, "there is no such store")


def _notes(anchors: Mapping[int, Anchor], codes: Mapping[int, str]) -> Iterator[str]:
    for store_id, anchor in sorted(anchors.items()):
        for one in anchor.restored if store_id in codes else ():
            yield f"store {codes[store_id]}: restored on {one.at} from {one.before} links to {one.count}"


def _strangers(keeper: Keeper, register: str | None) -> Iterator[str]:
    """Tell of other registers in the folder: of another database, or of this one before somebody emptied it."""
    for other in keeper.registers():
        if other != register and any(mark.count for one in keeper.read_all(other).values() for mark in one.marks):
            yield f"anchors of another register stand in {keeper.folder / other}"


def _codes(connection: Connection, store_code: str | None) -> dict[int, str]:
    table = Store.__table__
    query = sa.select(table.c.id, table.c.code)
    if store_code is not None:
        query = query.where(table.c.code == store_code)
    codes: dict[int, str] = {row.id: row.code for row in connection.execute(query)}
    if store_code is not None and not codes:
        raise NotFound("unknown_store")
    return codes


def heads(db: Database, store_code: str | None = None) -> list[tuple[str, int, str]]:
    """Return how far the stores' chains reach, to be kept outside: store code, number of links, last link.

    Who keeps them can show later that a chain was cut or built anew, whatever became of key and anchors. Raises
    NotFound for an unknown store.
    """
    with db.snapshot() as connection:
        codes = _codes(connection, store_code)
        found = [
            (codes[one.store_id], one.count, one.link) for one in stored.heads(connection) if one.store_id in codes
        ]
    return sorted(found)


LAGGING = 256
"""Links that an anchor may lack while a group of writes is on its way: as many as share one commit, at most."""


def behind(db: Database) -> list[tuple[str, int]]:
    """Return the stores whose anchor lacks more links than are on their way, and how many; 0 where it is missing."""
    anchors = anchors_of(db)
    found = []
    for code, store_id, count in _reached(db):
        anchor = anchors.get(store_id)
        marked = max((mark.count for mark in anchor.marks), default=0) if anchor else 0
        if anchor is None or count - marked > LAGGING:
            found.append((code, count - marked if anchor else 0))
    return found


def _reached(db: Database) -> list[tuple[str, int, int]]:
    with db.snapshot() as connection:
        codes = _codes(connection, None)
        return [(codes[one.store_id], one.store_id, one.count) for one in stored.heads(connection, set(codes))]


def describe() -> dict[str, list[str]]:
    """Return the tables and columns that the register protects."""
    return register_read.protected()


FIRST_REVISION = "0004"
"""The schema's revision that brought the register."""


def upgrade(db: Database) -> int:
    """Migrate to the newest schema; where that brings the register, take what is older into it, and return how much.

    A file beside the anchors carries the intent over a crash. Without it nothing is ever taken in later: what has no
    link then was put there by somebody else.
    """
    before, pending = migrate.current(db), keeper_of(db).folder / "adopting"
    if before is not None and before < FIRST_REVISION:
        pending.parent.mkdir(parents=True, exist_ok=True)
        pending.touch()
    migrate.upgrade(db)
    if not pending.exists():
        return 0
    taken = adopt(db)
    pending.unlink(missing_ok=True)
    return taken


def adopt(db: Database) -> int:
    """Take entries and cases that are older than the register into it, in one transaction; return how many.

    Only where nothing was written into the register yet. An open case without a last day gets one.
    """
    keeper = keeper_of(db)

    def work(connection: Connection) -> int:
        if stored.register_id(connection) is not None:
            return 0
        entries, cases = BookEntry.__table__, Case.__table__
        order = (entries.c.store_id, entries.c.year, entries.c.number)
        found = connection.execute(sa.select(entries.c.id).order_by(*order)).scalars().all()
        for entry_id in found:
            stored.append_entry(connection, keeper, entry_id, now(), "system", rules.ADOPTED)
        _give_days(connection)
        opened = connection.execute(sa.select(cases.c.id).order_by(cases.c.store_id, cases.c.id)).scalars().all()
        for case_id in opened:
            stored.append_case(connection, keeper, case_id, rules.OPENED, now(), "system")
        return len(found) + len(opened)

    return db.write(work)


def _give_days(connection: Connection) -> None:
    """Give open cases without a last day the term of cases that come of responses."""
    cases, stores = Case.__table__, Store.__table__
    query = sa.select(cases.c.id, cases.c.opened_at, stores.c.timezone, stores.c.country)
    query = query.join(stores, stores.c.id == cases.c.store_id).where(
        cases.c.due_on.is_(None), cases.c.status.in_(OPEN)
    )
    for row in connection.execute(query).all():
        day = row.opened_at.astimezone(ZoneInfo(row.timezone)).date()
        due = terms.response_due_on(connection, day, row.country)
        connection.execute(sa.update(cases).where(cases.c.id == row.id).values(due_on=due, first_due_on=due))


def erase_entry(db: Database, access: Access, entry_id: UUID, names: Collection[str], reason: str) -> None:
    """Erase words of an entry for good, and say so in the chain; raise NotFound outside the reader's scope.

    `names`: of `text`, `name`, `contact` and `photos`; with the text go the words that staff wrote about it. Where the
    text goes, the response that counts it keeps its figures and loses its words.
    """
    access.require(Right.ERASE)
    keeper = keeper_of(db)

    def work(connection: Connection) -> None:
        row = stored.entry_row(connection, entry_id)
        if row is None or not access.sees_store(row["store_id"]):
            raise NotFound("unknown_entry")
        erased = stored.erase(connection, row, names)
        if not erased:
            return
        moment = now()
        if set(names) - {"photos"}:
            house.forget_jobs(connection, f"answer:%:{entry_id}", moment)
        if "text" in names:
            _forget_words(db, connection, row["response_id"])
            _forget_work(connection, entry_id)
        facts = {"erased": [list(one) for one in erased]}
        words = {"reason": reason} if reason else {}
        stored.append(
            connection,
            keeper,
            row["store_id"],
            rules.ERASURE,
            moment,
            access.name,
            facts=facts,
            words=words,
            entry_id=entry_id,
        )
        house.audit(connection, moment, access.actor, "book.erase", f"entry:{entry_id}", {"names": sorted(names)})

    db.write(work)


def _forget_work(connection: Connection, entry_id: UUID) -> None:
    """Take away what staff drafted about an entry, and the steps that they noted."""
    cases = Case.__table__
    learned: dict[str, Any] = {
        "corrective_action": None,
        "labels": [],
        "version": cases.c.version + 1,
    }  # the chain does not hold them
    connection.execute(sa.update(cases).where(cases.c.entry_id == entry_id).values(learned))
    mine = sa.select(cases.c.id).where(cases.c.entry_id == entry_id)
    for table in (CaseAnswer.__table__, CaseStep.__table__):
        connection.execute(sa.delete(table).where(table.c.case_id.in_(mine)))


def _forget_words(db: Database, connection: Connection, response_id: UUID) -> None:
    """Take the words of a response away; what was read in them stays, and so does what is counted of it."""
    row = responses.locked(connection, [response_id])[response_id]
    form = catalogue.shelf(db).get(connection, row["form_version_id"])
    mentions = responses.mentions_of(connection, [response_id]).get(response_id, [])
    answers = {key: value for key, value in row["answers"].items() if key not in ("text", "comment")}
    left = {"comment": None, "answers": answers, "terms": None}
    if row["voided_at"] is None:
        changed = change(facts_of(row, mentions, form), facts_of({**row, **left}, mentions, form))
        rollups.add(connection, changed, {row["point_id"]: row["store_id"]})
    responses.update(connection, response_id, left)
