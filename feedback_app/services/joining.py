"""One case for what several customers said of the same thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feedback_app.domain import cases as rules
from feedback_app.domain.access import Access, Right
from feedback_app.domain.errors import DomainError, Invalid, Problem
from feedback_app.services.case_ground import Held, cases, hold
from feedback_app.services.register import keeper_of
from feedback_app.storage import register
from feedback_app.storage.database import Database
from feedback_app.storage.tables import CaseResponse

gathered = CaseResponse.__table__


def join(db: Database, access: Access, case_id: int, version: int, other_id: int | None) -> None:
    """Take another open case of the same store in: it is closed, and who answers the taker answers its writer too.

    The earlier of both last days counts. Raises Invalid for a case that cannot be taken in.
    """
    access.require(Right.WORK_CASES)
    keeper = keeper_of(db)

    def work(connection: Connection) -> None:
        held = _hold_both(connection, keeper, access, case_id, version, other_id)
        if held.row["status"] not in rules.OPEN:
            raise DomainError("no_such_move", status=held.row["status"])
        other = _other(held, other_id)
        _take_responses(held, other)
        day = rules.earlier([held.row["due_on"], other["due_on"]])
        for one in _taken_by(held, other):
            _close(held, one)
        held.change("joined", {"due_on": day}, told={"took": other["id"]})

    db.write(work)


def _hold_both(
    connection: Connection, keeper: Any, access: Access, case_id: int, version: int, other_id: int | None
) -> Held:
    """Hold both cases in the order of their ids."""
    both = sa.select(cases.c.id).where(cases.c.id.in_([case_id, other_id or 0])).order_by(cases.c.id)
    connection.execute(both.with_for_update()).all()
    return hold(connection, keeper, access, case_id, version)


def _other(held: Held, other_id: int | None) -> Mapping[str, Any]:
    query = sa.select(cases).where(cases.c.id == other_id, cases.c.store_id == held.row["store_id"])
    found = held.connection.execute(query).mappings().first()
    if found is None or found["id"] == held.id or found["status"] not in rules.OPEN:
        raise Invalid([Problem("unknown_choice", "other")])
    return dict(found)


def _take_responses(held: Held, other: Mapping[str, Any]) -> None:
    connection = held.connection
    moved = sa.update(gathered).where(gathered.c.case_id == other["id"]).values(case_id=held.id)
    connection.execute(moved)
    values = {"response_id": other["response_id"], "case_id": held.id}
    connection.execute(sa.insert(gathered).values(**values, store_id=held.row["store_id"], added_at=held.at))


def _taken_by(held: Held, other: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the other case, and those that it had taken in: they follow it."""
    query = sa.select(cases).where(cases.c.joined_to == other["id"]).order_by(cases.c.id)
    return [other, *(dict(row) for row in held.connection.execute(query).mappings())]


def _close(held: Held, one: Mapping[str, Any]) -> None:
    closed_at = one["closed_at"] or held.at
    values = {"status": rules.CLOSED, "joined_to": held.id, "closed_at": closed_at, "version": one["version"] + 1}
    held.connection.execute(sa.update(cases).where(cases.c.id == one["id"]).values(**values))
    told = {"into": held.id, "from": one["status"]}
    register.append_case(held.connection, held.keeper, one["id"], "joined", held.at, held.access.name, told=told)


def separate(held: Held) -> None:
    """Let a case that was taken in stand by itself again; what was gathered through it stays where it is."""
    mine = sa.and_(gathered.c.response_id == held.row["response_id"], gathered.c.case_id == held.row["joined_to"])
    held.connection.execute(sa.delete(gathered).where(mine))
