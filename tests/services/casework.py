"""Cases to work on: entries written into a store's book, and what the register says of them."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from feedback_app.domain.access import SYSTEM, Access
from feedback_app.services import book, counting, register
from feedback_app.services.book import How
from feedback_app.storage.tables import Case, Job, RegisterLink
from tests.builders import Chain

TEXT = "Касса не работала двадцать минут"


def an_entry(chain: Chain, kind: str = "complaint", *, store: str = "001", secret: bool = True, **more: Any) -> UUID:
    """Write an entry into a store's book; return its id."""
    entry_id = uuid4()
    raw = {"kind": kind, "text": TEXT, **more}
    if "name" in more or "contact" in more:
        raw["consent"] = True
    book.write_entry(chain.db, store, raw, entry_id, "ru", How(secret=entry_id.hex if secret else None))
    return entry_id


def case_of(chain: Chain, entry_id: UUID) -> Case:
    """Return the case of an entry as it stands."""
    with chain.db.read(SYSTEM) as session:
        return session.scalars(sa.select(Case).where(Case.entry_id == entry_id)).one()


def a_case(chain: Chain, kind: str = "complaint", **more: Any) -> Case:
    """Write an entry that opens a case; return the case."""
    return case_of(chain, an_entry(chain, kind, **more))


def again(chain: Chain, case: Case) -> Case:
    """Return a case as it stands now."""
    with chain.db.read(SYSTEM) as session:
        return session.scalars(sa.select(Case).where(Case.id == case.id)).one()


def told(chain: Chain, case: Case) -> list[tuple[str, dict[str, Any], dict[str, str], str]]:
    """Return what the register says of a case after its opening: kind, further facts, words, actor."""
    query = sa.select(RegisterLink).where(RegisterLink.case_id == case.id).order_by(RegisterLink.position)
    with chain.db.read(SYSTEM) as session:
        rows = list(session.scalars(query))[1:]
    found = []
    for row in rows:
        facts = json.loads(row.facts)
        facts.pop("case")
        found.append((row.kind, facts, json.loads(row.words), row.actor))
    return found


def letters(chain: Chain) -> list[dict[str, Any]]:
    """Return the answers that wait to go by mail."""
    with chain.db.read(SYSTEM) as session:
        jobs = session.scalars(sa.select(Job).order_by(Job.id))
        return [{**job.payload, **job.payload["values"]} for job in jobs if job.payload.get("letter") == "answer"]


def whole(chain: Chain) -> bool:
    """Say whether register and figures are in order."""
    return register.verify(chain.db).findings == () and counting.verify(chain.db) == []


def people(chain: Chain) -> tuple[Access, Access]:
    """Return the manager of store 001 and the director."""
    return chain.access("manager"), chain.access("director")
